"""What operators' commands ask of an account: who is calling, what is deployed, and the end of data that is protected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from ops.credential_target import find_target
from ops.deployed import caller
from ops.environments import read_environment
from ops.rollout import app, enter_account
from ops.stack_state import find, outputs_of
from payfirst.gateways.account import CredentialError
from tests.unit.aws.conftest import ELSEWHERE, REGION, InProcessAws

DEV = read_environment("dev")
THERE = DEV.region or REGION
LEFT_BEHIND: dict[str, Any] = {
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "DeletionProtectionEnabled": True,
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            },
        },
    },
    "Parameters": {"Users": {"Type": "String"}},
    "Outputs": {"TableName": {"Value": {"Ref": "Table"}}, "UserPoolId": {"Value": {"Ref": "Users"}}},
}


@pytest.fixture
def deployed(aws: InProcessAws) -> dict[str, str]:
    """A stack with the name of `dev`, whose table and customers outlive it."""
    pool = aws.client("cognito-idp", THERE).create_user_pool(PoolName="shop")["UserPool"]["Id"]
    stacks = aws.client("cloudformation", THERE)
    given = [{"ParameterKey": "Users", "ParameterValue": pool}]  # moto's stacks make no user pools
    stacks.create_stack(StackName=DEV.stack, TemplateBody=json.dumps(LEFT_BEHIND), Parameters=given)
    found = find(stacks, DEV.stack)
    assert found is not None
    return outputs_of(found)


@pytest.mark.usefixtures("aws")
def test_a_caller_is_named_by_the_arn_that_aws_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert caller().startswith("arn:aws:sts::")
    assert enter_account(DEV).region_name == THERE
    assert f"region {THERE}, stack {DEV.stack}; you are {caller()}." in " ".join(capsys.readouterr().out.split())


def test_a_stack_is_there_in_its_own_region_only(aws: InProcessAws, deployed: dict[str, str]) -> None:
    assert set(deployed) == {"TableName", "UserPoolId"}
    elsewhere = ELSEWHERE if THERE != ELSEWHERE else "eu-west-1"
    assert find(aws.client("cloudformation", elsewhere), DEV.stack) is None


@pytest.mark.usefixtures("deployed")
def test_credentials_of_a_stack_that_has_none_are_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for region, said in ((THERE, "has no output .*SecretId"), ("sa-east-1", "AWS refused: .*does not exist")):
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        with pytest.raises(CredentialError, match=said):
            find_target("mpesa", secret_id=None, stack_name=DEV.stack, home=None)  # type: ignore[arg-type]


def test_told_twice_destroying_takes_the_protection_off_and_the_data_away(aws: InProcessAws, deployed: dict[str, str]) -> None:
    tables: Any = aws.client("dynamodb", THERE)
    with pytest.raises(ClientError, match="can't be deleted while"):
        tables.delete_table(TableName=deployed["TableName"])
    answers = f"{DEV.stack}\ndelete the data of {DEV.stack}\n"
    done = CliRunner().invoke(app, ["destroy", "dev", "--data"], input=answers)
    assert done.exit_code == 0, done.output
    assert tables.list_tables()["TableNames"] == []
    assert aws.client("cognito-idp", THERE).list_user_pools(MaxResults=5)["UserPools"] == []
    assert find(aws.client("cloudformation", THERE), DEV.stack) is None
