"""Deploying and destroying, as far as nothing has to be built: who is asked, what is said, what stays."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.embedded_aws import EmbeddedAws
from ops.account import LOGS_STACK, with_access_logs
from ops.environments import Environment, overrides, read_environment, read_overrides
from ops.rollout import NEXT, shifted
from ops.stack_state import find, ready, wait
from ops.template import load_template
from tests.tools import PROGRAMS

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = load_template(ROOT / "template.yaml")
WORKFLOW = (ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")

LEFT_BEHIND = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: RetainExceptOnCreate
    Properties:
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: true
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Users:
    Type: AWS::Cognito::UserPool
    DeletionPolicy: RetainExceptOnCreate
    Properties: {UserPoolName: shop}
Outputs:
  TableName: {Value: !Ref Table}
  UserPoolId: {Value: !Ref Users}
"""


def rollout(*words: str, environment: dict[str, str], answers: str = "") -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, "-m", "ops.rollout", *words],
        cwd=ROOT,
        env={**kept, "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent", **environment},
        input=answers,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_without_credentials_one_sentence_says_what_to_do(command: str) -> None:
    done = rollout(command, "dev", environment={})
    assert done.returncode == 1
    assert done.stderr.startswith("AWS does not know you here: sign in")
    assert "Traceback" not in done.stderr


def test_an_environment_that_there_is_not_is_answered_with_those_that_there_are() -> None:
    done = rollout("deploy", "", environment={})
    assert (done.returncode, done.stderr) == (
        2,
        "samconfig.toml has no environment '': say ENV=default or ENV=dev or ENV=prod.\n",
    )


def test_parameters_are_read_as_a_list_and_as_the_line_of_sams_guide() -> None:
    expected = {"Stage": "sandbox", "OrdersMailSender": "Shop <mail@shop.example>", "PublicOrigin": ""}
    assert read_overrides(["Stage=sandbox", "OrdersMailSender=Shop <mail@shop.example>", "PublicOrigin="]) == expected
    assert read_overrides('Stage="sandbox" OrdersMailSender="Shop <mail@shop.example>" PublicOrigin=""') == expected


def test_a_version_takes_over_at_once_where_that_is_asked_for_and_the_rest_stays_as_it_is() -> None:
    where = read_environment("prod")
    assert shifted(where, at_once=False).parameters["TrafficShift"] == "Canary10Percent5Minutes"
    changed = dict(shifted(where, at_once=True).parameters)
    assert TEMPLATE["Mappings"]["TrafficShift"][changed.pop("TrafficShift")] == {"Gradual": False}
    assert changed.items() <= where.parameters.items()


def test_the_hotfix_of_the_runbook_is_a_command_that_there_is() -> None:
    [words] = re.findall(r"make deploy ENV=(\w+) ARGS=(--[\w-]+)", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"))
    done = rollout("deploy", *words, environment={})
    assert (done.returncode, done.stderr[:23]) == (1, "AWS does not know you h")


def test_the_role_for_logs_is_made_once_if_somebody_agrees_and_found_again(embedded_aws: EmbeddedAws) -> None:
    gateway, stacks = client(embedded_aws, "apigateway"), client(embedded_aws, "cloudformation")
    questions = []

    def agree(question: str, *, harmless: bool) -> bool:
        questions.append((question, harmless))
        return True

    def is_logged() -> dict[str, str]:
        return with_access_logs({}, gateway, stacks, agree)

    assert is_logged() == {"AccessLogs": "true"}
    [(question, harmless)] = questions
    assert (LOGS_STACK in question, harmless) == (True, False)
    made = gateway.get_account()["cloudwatchRoleArn"]
    assert is_logged() == {"AccessLogs": "true"}
    assert len(questions) == 1, "an account that has the role is asked nothing"
    gateway.update_account(patchOperations=[{"op": "remove", "path": "/cloudwatchRoleArn"}])
    assert is_logged() == {"AccessLogs": "true"}
    assert gateway.get_account()["cloudwatchRoleArn"] == made
    stacks.delete_stack(StackName=LOGS_STACK)
    stacks.get_waiter("stack_delete_complete").wait(StackName=LOGS_STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    assert gateway.get_account()["cloudwatchRoleArn"] == made, "it is the account's, and outlives the stack"


VALUES = {
    "DomainName": "",
    "OrdersMailSender": "Shop <mail@shop.example>",
    "BookingsMailSender": '"Temple, Mysuru" <puja@shop.example>',
    "DeliveryFees": "1=50, 47=120.50, *=200",
    "ShopOrigin": "https://a.example,https://b.example",
    "AlarmEmail": "o'neil@shop.example",
    "PhonePeTokenUrl": "https://api.phonepe.com/apis/identity-manager/v1/oauth/token",
    "CertificateArn": "back\\slash",
}


@pytest.mark.needs("sam")
def test_sam_reads_every_value_as_it_was_given_and_an_empty_one_as_empty() -> None:
    script = (
        "import json, sys; from samcli.cli.types import CfnParameterOverridesType as Read; "
        "print(json.dumps(Read().convert(tuple(sys.argv[1:]), None, None)))"
    )
    sams_own = str(PROGRAMS["sam"][1].with_name("python"))
    option, *words = overrides(VALUES)
    read = subprocess.run([sams_own, "-c", script, *words], capture_output=True, text=True, check=True, timeout=120)
    assert (option, json.loads(read.stdout)) == ("--parameter-overrides", VALUES)
    assert overrides({}) == []


def test_an_environment_without_a_stack_is_told_so(tmp_path: Path) -> None:
    config = tmp_path / "samconfig.toml"
    config.write_text('[mine.build.parameters]\ncached = true\n[other.global.parameters]\nstack_name = "shop"\n')
    with pytest.raises(LookupError, match=r"names no stack for mine: write stack_name into \[mine.deploy.parameters\]"):
        read_environment("mine", config)
    assert read_environment("other", config) == Environment("other", "shop", None, {})


@pytest.mark.parametrize("name", ["default", "dev", "prod"])
def test_an_environment_names_parameters_of_the_template_with_values_that_it_takes(name: str) -> None:
    where = read_environment(name)
    assert where.parameters["Stage"] == {"default": "sandbox", "dev": "sandbox", "prod": "production"}[name]
    assert where.protects_data == (name == "prod")
    for parameter, value in where.parameters.items():
        declared = TEMPLATE["Parameters"][parameter]
        assert value in [str(allowed) for allowed in declared.get("AllowedValues", [value])], parameter
        assert re.search(declared.get("AllowedPattern", ""), value), parameter


def test_everything_that_is_said_at_the_end_is_an_output() -> None:
    assert set(NEXT) <= set(TEMPLATE["Outputs"])


def client(aws: EmbeddedAws, service: str) -> Any:
    """A client in the region of `dev`."""
    there = {"endpoint_url": aws.endpoint, "region_name": read_environment("dev").region}
    session: Any = boto3.session.Session(aws_access_key_id="local", aws_secret_access_key="local")
    return session.client(service, **there)


@pytest.fixture
def left_behind(embedded_aws: EmbeddedAws) -> dict[str, str]:
    """A stack with the name of `dev`, whose table and customers outlive it, deployed for one test."""
    stacks = client(embedded_aws, "cloudformation")
    stacks.create_stack(StackName=read_environment("dev").stack, TemplateBody=LEFT_BEHIND)
    stacks.get_waiter("stack_create_complete").wait(StackName="payfirst-dev", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    [stack] = stacks.describe_stacks(StackName="payfirst-dev")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def has(aws: EmbeddedAws, kept: dict[str, str]) -> tuple[bool, bool, bool]:
    """Whether the stack, its table and its customers are there."""
    stacks: list[Any] = client(aws, "cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]
    pools = client(aws, "cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
    return (
        "payfirst-dev" in {stack["StackName"] for stack in stacks},
        kept["TableName"] in client(aws, "dynamodb").list_tables()["TableNames"],
        kept["UserPoolId"] in {pool["Id"] for pool in pools},
    )


def test_destroying_keeps_the_data_unless_it_is_told_twice(embedded_aws: EmbeddedAws, left_behind: dict[str, str]) -> None:
    environment = embedded_aws.environment()
    for words, answers in (((), "no\n"), (("--data",), "payfirst-dev\nyes\n"), ((), "")):
        done = rollout("destroy", "dev", *words, environment=environment, answers=answers)
        assert (done.returncode, has(embedded_aws, left_behind)) == (1, (True, True, True)), done.stderr
    done = rollout("destroy", "dev", environment=environment, answers="payfirst-dev\n")
    assert (done.returncode, has(embedded_aws, left_behind)) == (0, (False, True, True)), done.stderr
    assert left_behind["TableName"] in done.stdout
    gone = rollout("destroy", "dev", environment=environment)
    assert (gone.returncode, gone.stderr) == (1, "There is no stack payfirst-dev in this account and region.\n")


def test_told_twice_destroying_deletes_protected_data_too(embedded_aws: EmbeddedAws, left_behind: dict[str, str]) -> None:
    answers = "payfirst-dev\ndelete the data of payfirst-dev\n"
    done = rollout("destroy", "dev", "--data", environment=embedded_aws.environment(), answers=answers)
    assert (done.returncode, has(embedded_aws, left_behind)) == (0, (False, False, False)), done.stderr


FAILS = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: RetainExceptOnCreate
    Properties:
      TableName: of-a-failed-stack
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Impossible:
    Type: AWS::Cognito::UserPoolGroup
    DependsOn: Table
    Properties: {UserPoolId: ap-south-1_nothing, GroupName: operators}
"""


def test_a_first_deployment_that_failed_leaves_no_table_and_is_begun_anew(embedded_aws: EmbeddedAws) -> None:
    stacks = client(embedded_aws, "cloudformation")
    stacks.create_stack(StackName="failed", TemplateBody=FAILS)
    status = wait(stacks, found_as(embedded_aws, "failed"), lambda _: time.sleep(0.2))
    assert status == "ROLLBACK_COMPLETE"
    assert "of-a-failed-stack" not in client(embedded_aws, "dynamodb").list_tables()["TableNames"]
    questions = []

    def agree(question: str, *, harmless: bool) -> bool:
        questions.append((question, harmless))
        return True

    assert ready(stacks, "failed", agree, lambda _: time.sleep(0.2)) is None
    assert questions == [("Delete it?", True)]
    assert find(stacks, "failed") is None


def found_as(aws: EmbeddedAws, stack: str) -> dict[str, Any]:
    found = find(client(aws, "cloudformation"), stack)
    assert found is not None
    return found


def test_every_action_of_the_workflow_is_pinned_and_no_key_is_in_it() -> None:
    used = re.findall(r"uses: (\S+)", WORKFLOW)
    assert len(used) == 5
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []
    assert "secrets." not in WORKFLOW
