"""What may be done with a stack in each state that CloudFormation knows, and how it is brought to one that can be deployed.

The states and what may follow each are those of CloudFormation's reference (API_Stack, "Stack status codes").
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from ops.printing import say
from ops.sentences import fail

POLL_EVERY_S: Final = 5.0
SAY_EVERY_S: Final = 30.0
LONGEST_WAIT_S: Final = 3600.0
SHOWN: Final = 3
"""How many failed resources are named; the others mostly fail because of them."""


class Way(Enum):
    """What comes next."""

    BEGIN = auto()
    UPDATE = auto()
    WAIT = auto()
    DELETE = auto()
    ROLL_BACK = auto()
    ROLL_BACK_FURTHER = auto()
    STOP = auto()


@dataclass(frozen=True, slots=True)
class State:
    """The way on from a state, and the sentence that says so; `{}` in it is the stack."""

    way: Way
    sentence: str
    is_empty: bool = False
    """Whether nothing is lost by going that way, so that nobody has to be asked."""


STATES: Final[Mapping[str, State]] = {
    "CREATE_IN_PROGRESS": State(Way.WAIT, "{} is just being created."),
    "CREATE_FAILED": State(
        Way.DELETE, "The first deployment of {} failed and was not rolled back: it has to be deleted before the next one."
    ),
    "CREATE_COMPLETE": State(Way.UPDATE, "{} is deployed."),
    "ROLLBACK_IN_PROGRESS": State(Way.WAIT, "The first deployment of {} failed and is just being taken back."),
    "ROLLBACK_FAILED": State(
        Way.DELETE, "The first deployment of {} failed and could not be taken back: it has to be deleted before the next one."
    ),
    "ROLLBACK_COMPLETE": State(
        Way.DELETE, "The first deployment of {} failed; the empty stack has to be deleted before the next one.", is_empty=True
    ),
    "DELETE_IN_PROGRESS": State(Way.WAIT, "{} is just being deleted."),
    "DELETE_FAILED": State(
        Way.DELETE, "{} could not be deleted as a whole; until it is, nothing can be deployed under its name."
    ),
    "DELETE_COMPLETE": State(Way.BEGIN, "{} is deleted."),
    "UPDATE_IN_PROGRESS": State(Way.WAIT, "{} is just being updated."),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": State(Way.WAIT, "{} is updated and takes away what it no longer needs."),
    "UPDATE_COMPLETE": State(Way.UPDATE, "{} is deployed."),
    "UPDATE_FAILED": State(Way.ROLL_BACK, "The last update of {} failed and was not rolled back."),
    "UPDATE_ROLLBACK_IN_PROGRESS": State(Way.WAIT, "The last update of {} failed and is just being taken back."),
    "UPDATE_ROLLBACK_FAILED": State(
        Way.ROLL_BACK_FURTHER,
        "The last update of {} failed, and so did taking it back; mend what is named, then go on with it.",
    ),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": State(
        Way.WAIT, "The last update of {} was taken back, which takes away what it had made."
    ),
    "UPDATE_ROLLBACK_COMPLETE": State(Way.UPDATE, "The last update of {} failed and was taken back."),
    "REVIEW_IN_PROGRESS": State(Way.BEGIN, "{} was planned and never carried out."),
    "IMPORT_IN_PROGRESS": State(Way.WAIT, "Resources are just being imported into {}."),
    "IMPORT_COMPLETE": State(Way.UPDATE, "{} is deployed."),
    "IMPORT_ROLLBACK_IN_PROGRESS": State(Way.WAIT, "An import into {} failed and is just being taken back."),
    "IMPORT_ROLLBACK_FAILED": State(
        Way.STOP,
        "An import into {} failed, and so did taking it back. CloudFormation has no way on from here by itself: mend what is "
        "named, and ask AWS Support to set the stack free.",
    ),
    "IMPORT_ROLLBACK_COMPLETE": State(Way.UPDATE, "An import into {} failed and was taken back."),
}
"""Every StackStatus."""


class Agree(Protocol):
    """Somebody who is asked before something is done."""

    def __call__(self, question: str, *, harmless: bool) -> bool:
        """Whether they agree; `harmless` says that nothing is lost by it."""


def find(stacks: Any, stack: str) -> dict[str, Any] | None:  # noqa: ANN401 - a boto3 client
    """The stack as CloudFormation describes it; None if there is none. botocore's ClientError for anything else."""
    try:
        [found] = stacks.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise
    return dict(found)


def outputs_of(found: Mapping[str, Any]) -> dict[str, str]:
    """What the stack answers."""
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}


def parameters_of(found: Mapping[str, Any]) -> dict[str, str]:
    """What the stack was given."""
    return {given["ParameterKey"]: given.get("ParameterValue", "") for given in found.get("Parameters", ())}


def in_words(found: Mapping[str, Any]) -> str:
    """The stack's state in one sentence."""
    return STATES[found["StackStatus"]].sentence.format(found["StackName"])


def ready(stacks: Any, stack: str, agree: Agree, pause: Callable[[float], None] = time.sleep) -> dict[str, Any] | None:  # noqa: ANN401 - a boto3 client
    """The stack in a state from which it can be updated, or None where it can be created.

    What moves is waited for; what blocks it is named with its reasons and, if somebody agrees, taken away. Exits with a
    sentence otherwise.
    """
    while True:
        found = find(stacks, stack)
        if found is None:
            return None
        state = STATES[found["StackStatus"]]
        if state.way is Way.BEGIN:
            return None
        if state.way is Way.UPDATE:
            return found
        if state.way is Way.WAIT:
            say(in_words(found))
            wait(stacks, found, pause)
            continue
        say(in_words(found), *failures(stacks, found["StackId"]))
        if state.way is Way.STOP:
            fail(f"Nothing was changed: {stack} is {found['StackStatus']}.")
        verb, call = {
            Way.DELETE: ("Delete it", stacks.delete_stack),
            Way.ROLL_BACK: ("Roll it back", stacks.rollback_stack),
            Way.ROLL_BACK_FURTHER: ("Go on with rolling it back", stacks.continue_update_rollback),
        }[state.way]
        if not agree(f"{verb}?", harmless=state.is_empty):
            fail(f"Nothing was changed: {stack} is {found['StackStatus']}.")
        call(StackName=found["StackId"])
        wait(stacks, found, pause, begun=found["StackStatus"])


def wait(
    stacks: Any,  # noqa: ANN401 - a boto3 client
    found: Mapping[str, Any],
    pause: Callable[[float], None] = time.sleep,
    begun: str | None = None,
) -> str:
    """The state of the stack once nothing moves in it any more (and it is another than `begun`); says meanwhile what moves.

    Exits with a sentence after an hour.
    """
    waited = 0.0
    while True:
        now = find(stacks, found["StackId"])
        status = now["StackStatus"] if now is not None else "DELETE_COMPLETE"
        if STATES[status].way is not Way.WAIT and (status != begun or waited > SAY_EVERY_S):
            return status
        if waited >= LONGEST_WAIT_S:
            fail(f"{found['StackName']} is {status} for an hour now. Come back later with the same command; nothing is lost.")
        if waited % SAY_EVERY_S == 0 and STATES[status].way is Way.WAIT:
            say(f"  {status} ({waited / 60:.0f} min){_newest(stacks, found['StackId'])}; Ctrl-C leaves it alone.")
        pause(POLL_EVERY_S)
        waited += POLL_EVERY_S


def failures(stacks: Any, stack_id: str) -> list[str]:  # noqa: ANN401 - a boto3 client
    """The first resources that failed in the newest operation, each with CloudFormation's own reason."""
    found = [
        f"  {event['LogicalResourceId']} {event['ResourceStatus']}: {event.get('ResourceStatusReason', 'no reason told')}"
        for event in _newest_operation(stacks, stack_id)
        if event["ResourceStatus"].endswith("_FAILED") and event.get("PhysicalResourceId") != stack_id
    ]
    return found[-SHOWN:][::-1]


def _newest_operation(stacks: Any, stack_id: str) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - a boto3 client
    """Its events, the newest first, back to what somebody began."""
    for page in stacks.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        for event in page["StackEvents"]:
            yield event
            is_the_stacks_own = event.get("PhysicalResourceId") == stack_id
            if is_the_stacks_own and event.get("ResourceStatusReason") == "User Initiated":
                return


def _newest(stacks: Any, stack_id: str) -> str:  # noqa: ANN401 - a boto3 client
    event = next(iter(stacks.describe_stack_events(StackName=stack_id)["StackEvents"]), None)
    return "" if event is None else f", last {event['LogicalResourceId']} {event['ResourceStatus']}"
