"""Every state that a stack can be in has a sentence and a way on, and no way is gone without agreement where something is lost.

CloudFormation's answers are made by hand, since no emulator brings most of these states about.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
import typer
from botocore.stub import Stubber

from ops.stack_state import STATES, Way, ready

STACK = "payfirst-dev"
ID = f"arn:aws:cloudformation:ap-south-1:000000000000:stack/{STACK}/1"
AT = datetime(2026, 7, 20, tzinfo=UTC)
MOVING = sorted(name for name, state in STATES.items() if state.way is Way.WAIT)
BAD = sorted(name for name, state in STATES.items() if state.way in {Way.DELETE, Way.ROLL_BACK, Way.ROLL_BACK_FURTHER})


class CloudFormation:
    """A client that answers what a test has told it to, in that order, and nothing else."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("cloudformation", "ap-south-1", aws_access_key_id="k", aws_secret_access_key="s")
        self._stubber = Stubber(self.client)
        self._stubber.activate()

    def is_in(self, status: str, *, asked_as: str = STACK) -> None:
        stack = {"StackName": STACK, "StackId": ID, "StackStatus": status, "CreationTime": AT}
        self._stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": asked_as})

    def is_not_there(self) -> None:
        self._stubber.add_client_error("describe_stacks", "ValidationError", f"Stack with id {STACK} does not exist")

    def tells(self, *events: tuple[str, str, str]) -> None:
        told = [
            {"StackId": ID, "EventId": str(number), "StackName": STACK, "Timestamp": AT, "LogicalResourceId": logical}
            | {"PhysicalResourceId": ID if logical == STACK else logical, "ResourceStatus": status, "ResourceStatusReason": why}
            for number, (logical, status, why) in enumerate(events)
        ]
        self._stubber.add_response("describe_stack_events", {"StackEvents": told}, {"StackName": ID})

    def takes(self, call: str) -> None:
        self._stubber.add_response(call, {}, {"StackName": ID})

    def was_asked_everything(self) -> None:
        self._stubber.assert_no_pending_responses()


@pytest.fixture
def aws() -> Iterator[CloudFormation]:
    stubbed = CloudFormation()
    yield stubbed
    stubbed.was_asked_everything()


def get_ready(aws: CloudFormation, *, agreed: bool | None = None) -> dict[str, Any] | None:
    """What `ready` makes of it; nobody is asked where `agreed` is None."""

    def agree(question: str, *, harmless: bool) -> bool:
        assert agreed is not None, (question, harmless)
        return agreed

    return ready(aws.client, STACK, agree, pause=lambda _: None)


def test_every_state_that_cloudformation_knows_is_answered() -> None:
    client = CloudFormation().client
    assert STATES.keys() == set(client.meta.service_model.shape_for("StackStatus").enum)
    for name, state in STATES.items():
        assert state.sentence.count("{}") == 1, name
        assert state.sentence.endswith("."), name
        assert (state.way is Way.WAIT) == name.endswith("_IN_PROGRESS") or name == "REVIEW_IN_PROGRESS", name


def test_a_stack_that_is_not_there_can_be_made(aws: CloudFormation) -> None:
    aws.is_not_there()
    assert get_ready(aws) is None


@pytest.mark.parametrize("status", ["REVIEW_IN_PROGRESS", "DELETE_COMPLETE"])
def test_so_can_one_that_was_only_planned_or_is_deleted(aws: CloudFormation, status: str) -> None:
    aws.is_in(status)
    assert get_ready(aws) is None


@pytest.mark.parametrize("status", MOVING)
def test_what_moves_is_waited_for_and_said(aws: CloudFormation, status: str, capsys: pytest.CaptureFixture[str]) -> None:
    aws.is_in(status)
    aws.is_in(status, asked_as=ID)
    aws.tells(("Table", "CREATE_IN_PROGRESS", ""))
    aws.is_in("UPDATE_COMPLETE", asked_as=ID)
    aws.is_in("UPDATE_COMPLETE")
    assert (get_ready(aws) or {})["StackStatus"] == "UPDATE_COMPLETE"
    said = capsys.readouterr().out
    assert STATES[status].sentence.format(STACK) in said
    assert f"{status} (0 min), last Table CREATE_IN_PROGRESS" in said


@pytest.mark.parametrize("status", BAD)
def test_nothing_is_done_unless_somebody_agrees(aws: CloudFormation, status: str, capsys: pytest.CaptureFixture[str]) -> None:
    aws.is_in(status)
    aws.tells((STACK, status, ""))
    with pytest.raises(typer.Exit) as left:
        get_ready(aws, agreed=False)
    said = capsys.readouterr()
    assert (left.value.exit_code, said.err) == (1, f"Nothing was changed: {STACK} is {status}.\n")
    assert said.out.startswith(STATES[status].sentence.format(STACK))


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"])
def test_what_cannot_be_deployed_again_is_deleted_first(
    aws: CloudFormation, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.is_in(status)
    aws.tells(
        (STACK, status, ""),
        ("Queue", "CREATE_FAILED", "Resource creation cancelled"),
        ("WebhookFunction", "CREATE_FAILED", "UnreservedConcurrentExecution below its minimum"),
        (STACK, "CREATE_IN_PROGRESS", "User Initiated"),
        ("Table", "CREATE_FAILED", "of an operation before"),
    )
    aws.takes("delete_stack")
    aws.is_in(status, asked_as=ID)  # CloudFormation takes a moment
    aws.is_in("DELETE_COMPLETE", asked_as=ID)
    aws.is_not_there()
    assert get_ready(aws, agreed=True) is None
    first, second = [line for line in capsys.readouterr().out.splitlines() if "_FAILED: " in line]
    assert first == "  WebhookFunction CREATE_FAILED: UnreservedConcurrentExecution below its minimum"
    assert second.startswith("  Queue")


@pytest.mark.parametrize(
    ("status", "call"), [("UPDATE_FAILED", "rollback_stack"), ("UPDATE_ROLLBACK_FAILED", "continue_update_rollback")]
)
def test_an_update_that_hangs_is_taken_back(aws: CloudFormation, status: str, call: str) -> None:
    aws.is_in(status)
    aws.tells((STACK, status, ""))
    aws.takes(call)
    aws.is_in("UPDATE_ROLLBACK_COMPLETE", asked_as=ID)
    aws.is_in("UPDATE_ROLLBACK_COMPLETE")
    assert (get_ready(aws, agreed=True) or {})["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_where_cloudformation_has_no_way_on_that_is_said(aws: CloudFormation, capsys: pytest.CaptureFixture[str]) -> None:
    aws.is_in("IMPORT_ROLLBACK_FAILED")
    aws.tells((STACK, "IMPORT_ROLLBACK_FAILED", ""))
    with pytest.raises(typer.Exit):
        get_ready(aws)
    assert "AWS Support" in capsys.readouterr().out


def test_only_what_loses_nothing_is_agreed_to_where_nobody_is_asked() -> None:
    assert {name for name, state in STATES.items() if state.is_empty} == {"ROLLBACK_COMPLETE"}
