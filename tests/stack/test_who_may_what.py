"""Who can read and change what: each table, index, secret, queue, bus and sender with the roles that can touch it.

The lists are written out, so that a new right of a role is a change of this file that somebody has to agree to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.stack.test_rights import READS_STREAM, allowed, as_list, named, of_type, roles_of, statements

READS: Final = {
    *("GetItem", "BatchGetItem", "Query", "Scan", "GetSecretValue", "ReceiveMessage", "GetQueueAttributes"),
    *(action.split(":")[1] for action in READS_STREAM),
}
LOGS: Final = "FunctionLogs"

EVERYBODY: Final = (
    "Bookings Carts Catalogue CreateSession DeliverEvents ExpireSessions InitiatePayment Operators ReadPayments "
    "ReconcilePayments Webhook"
)
THE_CALLERS_OF_GATEWAYS: Final = "InitiatePayment ReconcilePayments Webhook"

CAN_READ: Final = {
    "Table": EVERYBODY,
    "Table/index/due": "DeliverEvents ExpireSessions Operators ReconcilePayments",
    "Table/stream": "DeliverEvents",
    "GatewayTokens": THE_CALLERS_OF_GATEWAYS,
    "GatewaysSecret": THE_CALLERS_OF_GATEWAYS,
    "CursorSecret": "Bookings Carts Catalogue InitiatePayment Operators ReadPayments",
    "SettleQueue": "ReconcilePayments",
}
CAN_CHANGE: Final = {
    "Table": "Bookings Carts CreateSession DeliverEvents ExpireSessions InitiatePayment Operators ReconcilePayments Webhook",
    "GatewayTokens": THE_CALLERS_OF_GATEWAYS,
    "SettleQueue": "InitiatePayment ReadPayments ReconcilePayments Webhook",
    "FailedRunsQueue": "DeliverEvents ExpireSessions ReconcilePayments",
    "EventBus": "DeliverEvents",
    "mail": "DeliverEvents",
}
"""Whoever takes a message from a queue can take it away; that is in the list of readers."""


def roles(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The roles of functions by the names of their functions; those of schedules can only call the one function each."""
    of_functions = {part["Role"]["Fn::GetAtt"][0] for part in of_type(template, "AWS::Lambda::Function").values()}
    for name, role in roles_of(template).items():
        if name in of_functions:
            yield name.removesuffix("FunctionRole"), role
        else:
            assert {action for action, _ in allowed(template, role)} == {"lambda:InvokeFunction", "sqs:SendMessage"}, name


def by_resource(template: dict[str, Any], *, reading: bool) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for name, role in roles(template):
        for action, resource in allowed(template, role):
            what = "mail" if action.startswith("ses:") else resource
            takes = action == "sqs:DeleteMessage"
            if what != LOGS and not takes and (action.split(":")[1] in READS) is reading:
                found.setdefault(what, set()).add(name)
    return {what: " ".join(sorted(names)) for what, names in found.items()}


def test_exactly_these_can_read(template: dict[str, Any]) -> None:
    assert by_resource(template, reading=True) == CAN_READ


def test_exactly_these_can_change(template: dict[str, Any]) -> None:
    assert by_resource(template, reading=False) == CAN_CHANGE


def test_no_right_to_a_table_has_a_star_in_it(template: dict[str, Any]) -> None:
    seen = 0
    for name, role in roles(template):
        for statement in statements(role):
            if any(action.startswith(("dynamodb:", "*")) for action in as_list(statement["Action"])):
                assert not any("*" in action for action in as_list(statement["Action"])), name
                assert not any("*" in named(resource) for resource in as_list(statement["Resource"])), name
                seen += 1
    assert seen > len(EVERYBODY.split())
