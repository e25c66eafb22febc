"""Deploying and destroying, as far as nothing has to be built: who is asked, what is said, what stays."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.embedded_aws import EmbeddedAws
from local.template import load_template
from ops.rollout import NEXT, UNKNOWN_ORIGIN, overrides, read_environment, read_overrides, with_origin

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = load_template(ROOT / "template.yaml")
WORKFLOW = (ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")

LEFT_BEHIND = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: true
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Users:
    Type: AWS::Cognito::UserPool
    DeletionPolicy: Retain
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
    assert (done.returncode, done.stderr) == (2, "samconfig.toml has no environment '': say ENV=dev or ENV=prod.\n")


def test_parameters_are_read_as_a_list_and_as_the_line_of_sams_guide() -> None:
    expected = {"Stage": "sandbox", "OrdersMailSender": "Shop <mail@shop.example>", "PublicOrigin": ""}
    assert read_overrides(["Stage=sandbox", "OrdersMailSender=Shop <mail@shop.example>", "PublicOrigin="]) == expected
    assert read_overrides('Stage="sandbox" OrdersMailSender="Shop <mail@shop.example>" PublicOrigin=""') == expected


def test_values_with_blanks_stay_whole_on_sams_command_line() -> None:
    assert overrides({"Name": "Shop <a@b.example>"}) == [
        "--parameter-overrides",
        'ParameterKey=Name,ParameterValue="Shop <a@b.example>"',
    ]
    assert overrides({}) == []


def test_an_api_without_a_name_gets_its_own_address_as_soon_as_it_has_one() -> None:
    assert with_origin({}, {})["PublicOrigin"] == UNKNOWN_ORIGIN
    assert with_origin({"PublicOrigin": ""}, {"ApiUrl": "https://abc.example"})["PublicOrigin"] == "https://abc.example"
    assert with_origin({"PublicOrigin": "https://mine.example"}, {"ApiUrl": "https://abc.example"}) == {
        "PublicOrigin": "https://mine.example"
    }
    saved = {"PublicOrigin": UNKNOWN_ORIGIN}  # SAM's guide keeps what the first deployment was given
    assert with_origin(saved, {"ApiUrl": "https://abc.example"})["PublicOrigin"] == "https://abc.example"
    assert "PublicOrigin" not in with_origin({"DomainName": "mine.example"}, {"ApiUrl": "https://abc.example"})


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_an_environment_names_parameters_of_the_template_with_values_that_it_takes(name: str) -> None:
    where = read_environment(name)
    assert where.parameters["Stage"] == {"dev": "sandbox", "prod": "production"}[name]
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


def test_every_action_of_the_workflow_is_pinned_and_no_key_is_in_it() -> None:
    used = re.findall(r"uses: (\S+)", WORKFLOW)
    assert len(used) == 5
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []
    assert "secrets." not in WORKFLOW
