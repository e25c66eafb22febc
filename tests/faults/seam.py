"""The seam at which every call leaves a function: each is counted, may be handed over to others, and may meet a fault."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from types import FrameType
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError, ConnectionClosedError

Answer = TypeVar("Answer")


class Killed(BaseException):
    """The function ended at this instant: no handler of the package may catch it."""


class Service(StrEnum):
    """Who is called."""

    TABLE = "table"
    GATEWAY = "gateway"
    QUEUE = "queue"
    BUS = "bus"
    POST = "post"
    CLOCK = "clock"


class Fault(StrEnum):
    """What can become of one call."""

    LOST_REQUEST = "lost request"
    LOST_RESPONSE = "lost response"
    SENT_AGAIN = "sent again by the SDK"
    CONFLICT = "conflict"
    MIXED = "mixed cancellation"
    THROTTLE = "throttle"
    IN_PROGRESS = "in progress"
    FOR_GOOD = "refused for good"
    UNSENT = "connection refused"
    BAD_GATEWAY = "502 before"
    BAD_GATEWAY_AFTER = "502 after"
    EMPTY = "empty 503"
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"


_ENDS: Final = (Fault.LOST_REQUEST, Fault.LOST_RESPONSE, Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
_WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
TRANSACTION: Final = "TransactWriteItems"


@dataclass(frozen=True, slots=True)
class Boundary:
    """One call of one run: its number, whom it asks for what, by which use case, and which writes it carries."""

    number: int
    service: Service
    operation: str
    caller: str
    actor: str = ""
    fulfils: bool = False

    @property
    def name(self) -> str:
        """What stays the same from run to run."""
        return f"{self.caller}: {self.service} {self.operation}"

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What can befall it."""
        if self.service is Service.GATEWAY:
            return (*_ENDS, Fault.UNSENT, Fault.BAD_GATEWAY, Fault.BAD_GATEWAY_AFTER, Fault.EMPTY)
        if self.service is Service.CLOCK:
            return ()
        if self.service is not Service.TABLE:
            return _ENDS
        if self.operation == TRANSACTION:
            for_good = (Fault.FOR_GOOD,) if self.fulfils else ()
            return (*_ENDS, Fault.SENT_AGAIN, Fault.CONFLICT, Fault.MIXED, Fault.THROTTLE, Fault.IN_PROGRESS, *for_good)
        if self.operation in _WRITES:
            return (*_ENDS, Fault.SENT_AGAIN, Fault.CONFLICT, Fault.THROTTLE)
        return (*_ENDS, Fault.THROTTLE)


@dataclass(slots=True)
class Seam:
    """`turn` is told of each call before it is made and may wait; `plan` says which fault it meets; `made` are the calls.

    Once one that makes a booking or an order was refused `for_good`, so is every other, also when faults have stopped.
    """

    turn: Callable[[Boundary], None] = lambda _: None
    plan: Callable[[Boundary], Fault | None] = lambda _: None
    actor: Callable[[], str] = lambda: ""
    made: list[Boundary] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    active: bool = False
    for_good: bool = False

    def passes(self, service: Service, operation: str, *, fulfils: bool = False) -> Fault | None:
        """Count one call, wait for its turn, and say what becomes of it."""
        if fulfils and self.for_good:
            return Fault.FOR_GOOD
        if not self.active:
            return None
        callers = _use_cases()
        self.reached |= set(callers)
        boundary = Boundary(len(self.made), service, operation, callers[-1] if callers else "", self.actor())
        self.turn(boundary)
        boundary = Boundary(len(self.made), service, operation, boundary.caller, boundary.actor, fulfils)
        self.made.append(boundary)
        fault = self.plan(boundary)
        if fault is Fault.FOR_GOOD and not fulfils:  # in another order this call is another one
            return None
        self.for_good = self.for_good or fault is Fault.FOR_GOOD
        return fault


def met(fault: Fault | None, apply: Callable[[], Answer], lost: Callable[[], Exception]) -> Answer:
    """`apply`'s answer, unless the call is lost, or the function is killed, before it or after it."""
    if fault is Fault.KILLED_BEFORE:
        raise Killed
    if fault is Fault.LOST_REQUEST:
        raise lost()
    answer = apply()
    if fault is Fault.KILLED_AFTER:
        raise Killed
    if fault is Fault.LOST_RESPONSE:
        raise lost()
    return answer


def lost_connection() -> Exception:
    return ConnectionClosedError(endpoint_url="http://127.0.0.1")


def refusal_body(fault: Fault, operation: str, actions: int) -> dict[str, Any] | None:
    """DynamoDB's words for a request that it did not apply; None where `fault` is no such answer."""
    if operation == TRANSACTION and fault in (Fault.CONFLICT, Fault.MIXED, Fault.THROTTLE):
        codes = ["None"] * actions
        codes[0] = "ThrottlingError" if fault is Fault.THROTTLE else "TransactionConflict"
        if fault is Fault.MIXED and actions > 1:
            codes[1] = "ConditionalCheckFailed"
        return {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "message": "Transaction cancelled",
            "CancellationReasons": [{"Code": code} for code in codes],
        }
    words = {
        Fault.CONFLICT: "TransactionConflictException",
        Fault.THROTTLE: "ThrottlingException",
        Fault.IN_PROGRESS: "TransactionInProgressException",
        Fault.FOR_GOOD: "ValidationException",
    }
    return {"__type": f"com.amazonaws.dynamodb.v20120810#{words[fault]}", "message": "refused"} if fault in words else None


def fulfils(actions: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a transaction of these actions makes a booking or an order."""
    puts = [action["Put"]["Item"] for action in actions if "Put" in action]
    return any(item["sk"]["S"].startswith(("B#", "O#")) for item in puts)


def _use_cases() -> list[str]:
    """The functions of `payfirst.usecases` that are at work, the outermost last."""
    found: list[str] = []
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - the only way to ask who calls
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("payfirst.usecases."):
            found.append(f"{module.rsplit('.', 1)[1]}.{frame.f_code.co_name}")
        frame = frame.f_back
    return found


_OPERATIONS: Final = {
    "get_item": "GetItem",
    "batch_get_item": "BatchGetItem",
    "query": "Query",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "transact_write_items": TRANSACTION,
}


class SeamClient:
    """The low-level client's place for the model table: calls pass the seam, then the table."""

    def __init__(self, seam: Seam, inner: Any) -> None:
        self.seam, self.inner = seam, inner
        for method, operation in _OPERATIONS.items():
            setattr(self, method, self._passing(operation, getattr(inner, method)))

    def _passing(self, operation: str, method: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        def call(**request: Any) -> dict[str, Any]:
            actions = request.get("TransactItems", ())
            fault = self.seam.passes(Service.TABLE, operation, fulfils=fulfils(actions))
            if fault is None:
                return method(**request)
            refusal = refusal_body(fault, operation, len(actions))
            if refusal is not None:
                raise _refused(refusal, operation)
            if fault is Fault.SENT_AGAIN:
                with suppress(ClientError):  # an answer that nobody hears
                    method(**request)
            return met(fault, lambda: method(**request), lost_connection)

        return call


def _refused(body: Mapping[str, Any], operation: str) -> ClientError:
    code = body["__type"].rsplit("#", 1)[1]
    more = {name: body[name] for name in ("CancellationReasons",) if name in body}
    return ClientError({"Error": {"Code": code, "Message": body["message"]}, **more}, operation)  # type: ignore[typeddict-item]
