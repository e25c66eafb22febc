"""What a cart asks for, held against what the shop offers now: what changed since is reported, never silently used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from payfirst.domain.booking import why_not_in_time
from payfirst.domain.calendar import SLOT_FULL, Slot, why_not_bookable
from payfirst.domain.catalogue import Service
from payfirst.domain.days import Days
from payfirst.domain.errors import PriceChangedError, RefusedError
from payfirst.domain.money import Money
from payfirst.domain.promo import discount_for
from payfirst.domain.session import BookingSnapshot
from payfirst.storage import offers
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.offers import OfferSeen, PromoSeen


@dataclass(frozen=True, slots=True)
class Offered:
    """What a cart's content costs now, and what keeps it from being paid for; `price` is None for what is not sold any more."""

    price: Money | None
    discount: Money
    problem: RefusedError | None = None


def as_offered(content: BookingSnapshot, *, sub: str, table: Table, now: datetime, days: Days) -> BookingSnapshot:
    """`content` with the rules that a payment will be held to: the slot's capacity, whether it is held, the promo's limit.

    PriceChangedError where the price or the discount is another one now, RefusedError CART_CHANGED for what is not sold any
    more, SLOT_… for a slot that cannot be booked, PROMO_… for a code that takes nothing off any more.
    """
    seen = offers.read_offer(table, content, sub)
    price = _price(content, seen)
    if seen.service is None or price is None:
        raise _not_sold()
    if price != content.price:
        raise _changed("The price changed since this was put into the cart", content.price, price)
    current = in_slot(content, seen.service, seen.used, now, days)
    if current.promo_code is None:
        return current
    current = with_discount(current, seen.promo, now)
    if current.discount != content.discount:
        raise _changed("The discount changed since the promo code was taken", content.discount, current.discount)
    return replace(current, promo_limit=seen.promo.promo.most_uses_each if seen.promo.promo else None)


def offered_now(content: BookingSnapshot, seen: OfferSeen, now: datetime, days: Days) -> Offered:
    """How `content` would fare at `now`, for whoever looks at the cart; what `as_offered` would refuse is its `problem`."""
    price = _price(content, seen)
    if seen.service is None or price is None:
        return Offered(None, Money(0, content.price.currency), _not_sold())
    current = replace(content, price=price, discount=Money(0, price.currency))
    try:
        if current.promo_code is not None:
            current = with_discount(current, seen.promo, now)
        in_slot(current, seen.service, seen.used, now, days)
    except RefusedError as problem:
        return Offered(price, current.discount, problem)
    return Offered(price, current.discount)


def _price(content: BookingSnapshot, seen: OfferSeen) -> Money | None:
    return seen.service.price_of(content.package_id) if seen.service and seen.service.active else None


def with_discount(content: BookingSnapshot, seen: PromoSeen, now: datetime) -> BookingSnapshot:
    """`content` with what the promo takes off its price; RefusedError PROMO_… where it takes nothing off."""
    discount = discount_for(seen.promo, content, now, uses=seen.uses)
    return replace(content, promo_code=seen.promo.code if seen.promo else None, discount=discount)


def in_slot(content: BookingSnapshot, service: Service, used: int, now: datetime, days: Days) -> BookingSnapshot:
    """`content` with the capacity and the length of its slot, of which `used` places are taken; without a calendar any time of
    `days` will do.

    RefusedError SLOT_NOT_OFFERED, SLOT_TOO_SOON, SLOT_TOO_FAR or SLOT_FULL.
    """
    too_late = why_not_in_time(content, days, now)
    if too_late is not None:
        raise too_late
    calendar = service.calendar
    if calendar is None:
        return replace(content, capacity=None, hold=False, minutes=None)
    problem = why_not_bookable(calendar, content.day, content.at, service.zone, now)
    if problem is not None:
        raise problem
    if used >= calendar.capacity:
        raise slot_full()
    return replace(content, capacity=calendar.capacity, hold=calendar.hold, minutes=calendar.slot_minutes)


def slot_of(content: BookingSnapshot) -> Slot:
    """The slot that `content` asks for, whether its service has a calendar or not."""
    return Slot(content.service_type, content.service_id, content.day, content.at)


def slot_full() -> RefusedError:
    """The refusal of a slot that has no place left."""
    return RefusedError(SLOT_FULL, code="SLOT_FULL")


def _not_sold() -> RefusedError:
    return RefusedError("This is not offered any more; please start again.", code="CART_CHANGED")


def _changed(said: str, seen: Money, current: Money) -> PriceChangedError:
    return PriceChangedError(
        f"{said}; please make the cart anew.", details={"price_at_addition": str(seen), "current_price": str(current)}
    )
