"""Orders as those see them who pack and deliver, and what they send to move one."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import model_validator

from payfirst.api.wire.fields import Amount, In, Out, Reason, fitting
from payfirst.api.wire.operators import GivenBackOut
from payfirst.api.wire.tracking import OrderCancellationOut, OrderOut
from payfirst.domain import locations
from payfirst.domain.moves import OrderStatus
from payfirst.domain.order import Order
from payfirst.domain.refund import Refund
from payfirst.domain.session import RefundShown
from payfirst.usecases.operators.deliveries import OrderFound, OrdersPage


class MoveOrderIn(In):
    """`POST /api/operators/orders/{order_number}/move/`; a cancellation says why, for the shop's own people.

    With `refund`, what was said to go back, a cancellation gives back that or does not happen.
    """

    status: Literal["packed", "out_for_delivery", "delivered", "cancelled"]
    why: Reason | None = None
    refund: Amount | None = None

    @model_validator(mode="after")
    def _cancelled_for_a_reason(self) -> MoveOrderIn:
        if self.status == "cancelled" and self.why is None:
            raise ValueError("A cancellation needs a reason in `why`.")
        if self.status != "cancelled" and self.refund is not None:
            raise ValueError("Only a cancellation gives something back: leave out `refund`.")
        return self


class UndoStepIn(In):
    """`POST /api/operators/orders/{order_number}/undo/`; `step` is the last one, as it was seen."""

    step: Literal["packed", "out_for_delivery", "delivered"]


class MovedOut(Out):
    """Where the order stands; a cancelled one names what goes back."""

    order_number: str
    order_status: str
    refund: GivenBackOut | None

    @classmethod
    def of(cls, code: str, status: OrderStatus, refund: Refund | None = None) -> MovedOut:
        return cls(order_number=code, order_status=status, refund=GivenBackOut.of(refund) if refund else None)


class ShopOrderOut(OrderOut):
    """An order with the names of its county and sub-county."""

    county: str
    subcounty: str

    @classmethod
    def fields_of(cls, order: Order, refund: RefundShown | None, *, for_operators: bool = True) -> dict[str, Any]:
        county, place = locations.county(order.delivery.county_id), locations.subcounty(order.delivery.subcounty_id)
        return {
            **super().fields_of(order, refund, for_operators=for_operators),
            "county": county.name if county else "",
            "subcounty": place.name if place else "",
        }


class OrderDetailOut(ShopOrderOut):
    """An order with all refunds of its payment; `cancellation` is null where it cannot be cancelled any more."""

    refunds: list[GivenBackOut]
    cancellation: OrderCancellationOut | None

    @classmethod
    def of_found(cls, found: OrderFound) -> OrderDetailOut:
        refunds = [GivenBackOut.of(refund) for refund in found.refunds]
        cancelling = OrderCancellationOut.of(found.gives_back)
        return cls(**cls.fields_of(found.order, found.session.refund), refunds=refunds, cancellation=cancelling)


class OrdersOut(Out):
    """The orders of the days from `first` to `last` in Nairobi, by their numbers; `next` is what `after` takes for those that
    follow, null where none do."""

    first: str
    last: str
    orders: list[ShopOrderOut]
    next: str | None

    @classmethod
    def of(cls, first: date, last: date, page: OrdersPage) -> OrdersOut:
        shown = fitting(ShopOrderOut.of(order, page.refunds.get(order.session)) for order in page.orders)
        return cls(first=first.isoformat(), last=last.isoformat(), orders=shown, next=page.behind(len(shown)))
