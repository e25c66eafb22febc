"""The events that leave for the shop's own event bus, as their receivers may rely on them.

Source `payfirst`, detail-type the event's name. Each leaves at least once: `id` is the same every time, `sequence` counts the
writes of its session, so that a receiver can order them and pass over what it has seen. Amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from payfirst.gateways.registry import currencies, names

Minor = Annotated[int, Field(ge=0, description="Minor units: 35000 is 350.00.")]
Instant = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", description="UTC.")]
Attempt = Annotated[int, Field(description="The attempt's number; document B's transaction_id.")]


def _gateway(value: str) -> str:
    if value not in names():
        raise ValueError(f"must be one of {', '.join(names())}")
    return value


def _currency(value: str) -> str:
    if value not in currencies():
        raise ValueError(f"must be one of {', '.join(currencies())}")
    return value


OperatorsWords = Annotated[str, Field(description="What an operator wrote, for the shop's own people: show it to no customer.")]


class Event(BaseModel):
    """What every event says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(description="Stable: the session's UUID and the sequence number.")]
    session: Annotated[str, Field(description="The session's UUID.")]
    sequence: Annotated[int, Field(ge=0)]
    kind: Literal["booking", "order"]
    currency: Annotated[str, AfterValidator(_currency), WithJsonSchema({"enum": currencies(), "type": "string"})]
    at: Instant


class SessionCreated(Event):
    """A cart's content and price were frozen."""

    amount: Minor


class SessionExtended(Event):
    """The session can be paid longer."""

    expires_at: Instant


class SessionExpired(Event):
    """Nobody paid in time."""


class PaymentInitiated(Event):
    """A gateway is being asked to collect the amount; `ordinal` counts the session's attempts from 1."""

    amount: Minor
    gateway: Annotated[str, AfterValidator(_gateway), WithJsonSchema({"enum": names(), "type": "string"})]
    attempt: Attempt
    ordinal: Annotated[int, Field(ge=1)]


class PaymentFailed(Event):
    """An attempt collected nothing; `code` is the stable reason."""

    attempt: Attempt
    code: str


class PaymentReceived(Event):
    """Money was collected; the booking, the order or its refund follows."""

    attempt: Attempt
    amount: Minor
    receipt: str | None = None


class PaymentNeedsReview(Event):
    """A person has to look at this payment."""

    attempt: Attempt
    reason: str


class PaymentContradicted(Event):
    """What a gateway, or a person about a refund, says contradicts what is recorded: a person has to look at it."""

    reason: str
    attempt: Attempt | None = None
    refund: str | None = None
    why: OperatorsWords | None = None


class OrderCreated(Event):
    """The order exists."""

    order: int
    order_number: str


class OrderMoved(Event):
    """The order is on its way: packed, out for delivery, or delivered; `again` where that step was taken back before."""

    order: int
    order_number: str
    again: Literal[True] | None = None


class OrderStepUndone(Event):
    """The order's last step, `undone`, was taken by mistake: it stands at `status` again."""

    order: int
    order_number: str
    undone: Literal["packed", "out_for_delivery", "delivered"]
    status: Literal["confirmed", "packed", "out_for_delivery"]


class OrderCancelled(Event):
    """The order will not come; its stock is for sale again, and `amount` goes back to the customer.

    `why` is there where the shop cancelled it; its customer may give a `reason` of their own.
    """

    order: int
    order_number: str
    why: OperatorsWords | None = None
    reason: str | None = None
    amount: Minor


class BookingCreated(Event):
    """The booking exists."""

    booking: int
    book_id: str


class BookingRescheduled(Event):
    """The booking has another day or time, on its service's clock, than it had before; `version` counts from 1."""

    booking: int
    book_id: str
    version: int
    selected_date: str
    selected_time: str
    previous_date: str | None = None
    previous_time: str | None = None
    why: OperatorsWords | None = None


class BookingCancelled(Event):
    """The booking will not take place; `amount` is what goes back, 0 where its service's rule gives nothing."""

    booking: int
    book_id: str
    amount: Minor
    reason: str | None = None
    why: OperatorsWords | None = None


class BookingCompleted(Event):
    """The booking took place."""

    booking: int
    book_id: str


class RefundDue(Event):
    """Money is owed back; `refund` is its id where a person or a gateway's refusal opened it."""

    amount: Minor
    attempt: Attempt | None = None
    reason: Annotated[str | None, Field(description="A stable word, as the customer's answers have it.")] = None
    refund: str | None = None
    why: OperatorsWords | None = None


class RefundEnded(Event):
    """A refund reached an end, or needs a person; `by_hand` where the shop pays it back without its gateway, or has done so."""

    refund: str
    amount: Minor
    by_hand: bool | None = None


class OperatorResolved(Event):
    """A person decided about a payment that needed review."""

    why: OperatorsWords


EVENTS: Final[Mapping[str, type[Event]]] = {
    "session.created": SessionCreated,
    "session.extended": SessionExtended,
    "session.expired": SessionExpired,
    "payment.initiated": PaymentInitiated,
    "payment.failed": PaymentFailed,
    "payment.received": PaymentReceived,
    "payment.needs_review": PaymentNeedsReview,
    "payment.contradicted": PaymentContradicted,
    "order.created": OrderCreated,
    "order.packed": OrderMoved,
    "order.out_for_delivery": OrderMoved,
    "order.delivered": OrderMoved,
    "order.step_undone": OrderStepUndone,
    "order.cancelled": OrderCancelled,
    "booking.created": BookingCreated,
    "booking.rescheduled": BookingRescheduled,
    "booking.cancelled": BookingCancelled,
    "booking.completed": BookingCompleted,
    "refund.due": RefundDue,
    "refund.refunded": RefundEnded,
    "refund.failed": RefundEnded,
    "refund.needs_review": RefundEnded,
    "operator.resolved": OperatorResolved,
}
