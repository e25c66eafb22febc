"""Table, queues, schedules and user pool: what outlives the stack, and what can never be changed."""

from __future__ import annotations

import json

from local.host.streams import matches
from ops.template import the_only
from payfirst.storage.dynamodb.keys import SESSION, erasure, event, owned
from payfirst.usecases.sweeps.deliver_events import BATCH
from tests.faults.services import BEGIN
from tests.stack.template import TEMPLATE, events_of_kind, functions


def test_table_and_customers_outlive_the_stack_unless_it_never_came_to_be() -> None:
    for name in ("Table", "UserPool"):
        kept = TEMPLATE["Resources"][name]
        assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    table, pool = (TEMPLATE["Resources"][name]["Properties"] for name in ("Table", "UserPool"))
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    # What is protected cannot be taken back, so a first deployment protects nothing.
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["ProtectsData", True, False]}
    assert pool["DeletionProtection"] == {"Fn::If": ["ProtectsData", "ACTIVE", "INACTIVE"]}
    assert TEMPLATE["Parameters"]["ProtectData"]["Default"] == "false"


def test_the_access_tokens_of_gateways_are_in_no_backup_and_go_with_the_stack() -> None:
    tokens, table = TEMPLATE["Resources"]["GatewayTokens"], TEMPLATE["Resources"]["Table"]["Properties"]
    assert set(tokens) == {"Type", "Properties"}  # no policy keeps it
    assert set(table) - set(tokens["Properties"]) == {
        "GlobalSecondaryIndexes",
        "PointInTimeRecoverySpecification",
        "StreamSpecification",
        "DeletionProtectionEnabled",
    }
    assert tokens["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert tokens["Properties"]["SSESpecification"] == table["SSESpecification"]
    plans = {resource["Type"] for resource in TEMPLATE["Resources"].values()}
    assert not any(kind.startswith("AWS::Backup::") for kind in plans)


def test_the_index_of_unfinished_work_holds_keys_only() -> None:
    [index] = TEMPLATE["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "due"
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_the_tables_stream_holds_keys_only_and_calls_for_new_entries_of_timelines_alone() -> None:
    assert TEMPLATE["Resources"]["Table"]["Properties"]["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}
    [(name, mapping)] = events_of_kind("DynamoDB")
    [pattern] = [json.loads(one["Pattern"]) for one in mapping["FilterCriteria"]["Filters"]]
    assert name == "deliver_events"
    for made, what, called in [
        (event("anna", 1, 0), "INSERT", True),
        (event("anna", 1, 0), "MODIFY", False),
        (event("anna", 1, 0), "REMOVE", False),
        (owned("anna", SESSION, 1), "INSERT", False),
        (erasure("anna", BEGIN), "INSERT", False),
    ]:
        record = {"eventName": what, "dynamodb": {"Keys": {part: {"S": text} for part, text in made.items()}}}
        assert matches(pattern, record) is called, (made, what)


def test_a_batch_of_the_stream_is_tried_once_and_not_late_since_the_schedule_delivers_what_it_leaves() -> None:
    [(_, mapping)] = events_of_kind("DynamoDB")
    assert (mapping["StartingPosition"], mapping["MaximumRetryAttempts"]) == ("LATEST", 0)
    assert mapping["MaximumRecordAgeInSeconds"] == 60
    assert mapping["BatchSize"] == BATCH


def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_run() -> None:
    visible_again_after = TEMPLATE["Resources"]["SettleQueue"]["Properties"]["VisibilityTimeout"]
    assert visible_again_after >= 6 * functions()["reconcile_payments"]["Timeout"]


def test_the_settle_queue_reports_single_failures_and_ends_in_a_dead_letter_queue() -> None:
    assert [(name, event["FunctionResponseTypes"]) for name, event in events_of_kind("SQS")] == [
        ("reconcile_payments", ["ReportBatchItemFailures"])
    ]
    redrive = TEMPLATE["Resources"]["SettleQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["SettleDeadLetterQueue", "Arn"]}


def test_the_sweeps_run_every_minute() -> None:
    assert sorted((name, event["ScheduleExpression"]) for name, event in events_of_kind("ScheduleV2")) == [
        ("deliver_events", "rate(1 minute)"),
        ("expire_sessions", "rate(1 minute)"),
        ("reconcile_payments", "rate(1 minute)"),
    ]


def test_the_schedules_of_two_stacks_in_one_account_have_names_of_their_own() -> None:
    names = {event["Name"]["Fn::Sub"] for _, event in events_of_kind("ScheduleV2")}
    assert len(names) == 3
    assert all(name.startswith("${AWS::StackName}-") for name in names)


def test_what_a_user_pool_can_never_change_lets_customers_have_a_phone_and_no_address() -> None:
    pool = the_only(TEMPLATE, "AWS::Cognito::UserPool")
    assert pool["UsernameAttributes"] == ["email", "phone_number"]
    assert [entry["Name"] for entry in pool["Schema"] if entry.get("Required")] == []


def test_codes_are_off_unless_asked_for_and_the_password_stays_beside_them() -> None:
    pool, codes = the_only(TEMPLATE, "AWS::Cognito::UserPool"), TEMPLATE["Parameters"]["SignInCodes"]
    assert (codes["Default"], codes["AllowedValues"]) == ("off", ["off", "email", "sms"])
    sms = {"Fn::If": ["SendsSms", ["email", "phone_number"], ["email"]]}
    assert pool["AutoVerifiedAttributes"] == sms
    assert pool["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": sms}
    assert pool["UserPoolTier"] == {"Fn::If": ["HasCodes", "ESSENTIALS", "LITE"]}
    condition, factors, nothing = pool["Policies"]["SignInPolicy"]["Fn::If"]
    assert (condition, nothing) == ("HasCodes", {"Ref": "AWS::NoValue"})
    assert all("PASSWORD" in chosen for chosen in factors["AllowedFirstAuthFactors"]["Fn::If"][1:])
    assert TEMPLATE["Resources"]["SmsRole"]["Condition"] == "SendsSms"


def test_the_password_of_another_identity_provider_is_read_from_its_secret_and_stands_nowhere() -> None:
    details = the_only(TEMPLATE, "AWS::Cognito::UserPoolIdentityProvider")["ProviderDetails"]
    for name in ("client_id", "client_secret"):
        assert details[name] == {"Fn::Sub": f"{{{{resolve:secretsmanager:${{LoginCredentials}}:SecretString:{name}}}}}"}


def test_nobody_chooses_their_own_user_id() -> None:
    client = the_only(TEMPLATE, "AWS::Cognito::UserPoolClient")
    assert "custom:user_id" in client["ReadAttributes"]
    assert "custom:user_id" not in client["WriteAttributes"]
    schema = {entry["Name"]: entry for entry in the_only(TEMPLATE, "AWS::Cognito::UserPool")["Schema"]}
    assert schema["user_id"]["Mutable"] is False
