"""What a cart asks for, held against what the shop offers now: what changed since is reported, never silently used."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from payfirst.domain.calendar import SLOT_FULL, Slot, why_not_bookable
from payfirst.domain.catalogue import Service
from payfirst.domain.errors import PriceChangedError, RefusedError
from payfirst.domain.money import Money
from payfirst.domain.promo import Promo, discount_for
from payfirst.domain.session import BookingSnapshot
from payfirst.storage import catalogue
from payfirst.storage.table import Table


def as_offered(content: BookingSnapshot, *, sub: str, table: Table, now: datetime) -> BookingSnapshot:
    """`content` with the rules that a payment will be held to: the slot's capacity, whether it is held, the promo's limit.

    PriceChangedError where the price or the discount is another one now, RefusedError CART_CHANGED for what is not sold any
    more, SLOT_… for a slot that cannot be booked, PROMO_… for a code that takes nothing off any more.
    """
    seen = catalogue.read_offer(table, content, sub)
    price = seen.service.price_of(content.package_id) if seen.service else None
    if seen.service is None or price is None:
        raise RefusedError("This is not offered any more; please start again.", code="CART_CHANGED")
    if price != content.price:
        raise _changed("The price changed since this was put into the cart", content.price, price)
    content = in_slot(content, seen.service, seen.used, now)
    return _with_promo(content, seen.promo, seen.promo_uses, now) if content.promo_code else content


def in_slot(content: BookingSnapshot, service: Service, used: int, now: datetime) -> BookingSnapshot:
    """`content` with the capacity of its slot, of which `used` places are taken; any time will do without a calendar.

    RefusedError SLOT_NOT_OFFERED, SLOT_TOO_SOON, SLOT_TOO_FAR or SLOT_FULL.
    """
    calendar = service.calendar
    if calendar is None:
        return replace(content, capacity=None, hold=False)
    problem = why_not_bookable(calendar, content.day, content.at, service.zone, now)
    if problem is not None:
        raise problem
    if used >= calendar.capacity:
        raise slot_full()
    return replace(content, capacity=calendar.capacity, hold=calendar.hold)


def slot_of(content: BookingSnapshot) -> Slot:
    """The slot that `content` asks for, whether its service has a calendar or not."""
    return Slot(content.service_type, content.service_id, content.day, content.at)


def slot_full() -> RefusedError:
    """The refusal of a slot that has no place left."""
    return RefusedError(SLOT_FULL, code="SLOT_FULL")


def _with_promo(content: BookingSnapshot, promo: Promo | None, uses: int, now: datetime) -> BookingSnapshot:
    discount = discount_for(promo, content, now, uses=uses)
    if discount != content.discount:
        raise _changed("The discount changed since the promo code was taken", content.discount, discount)
    return replace(content, promo_limit=promo.most_uses_each if promo else None)


def _changed(said: str, seen: Money, current: Money) -> PriceChangedError:
    return PriceChangedError(
        f"{said}; please make the cart anew.", details={"price_at_addition": str(seen), "current_price": str(current)}
    )
