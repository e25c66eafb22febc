"""Promo codes: what they take off, and when they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from payfirst.domain.errors import RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import BookingSnapshot, OrderLine

NOT_TAKEN = "Invalid or expired promo code"
"""Document A's one sentence for every code that takes nothing off; the error's code says why."""


@dataclass(frozen=True, slots=True)
class AppliesTo:
    """One service that a promo counts for, with any of its packages, or with one of them."""

    service_type: str
    service_id: int
    package_id: int | None = None

    def covers(self, content: BookingSnapshot) -> bool:
        """Whether `content` is what is meant."""
        same = (content.service_type, content.service_id) == (self.service_type, self.service_id)
        return same and self.package_id in (None, content.package_id)


@dataclass(frozen=True, slots=True)
class AppliesToListing:
    """One listing of produce that a promo counts for."""

    listing_id: int


@dataclass(frozen=True, slots=True)
class Promo:
    """A code that takes off a fixed `amount`, or `percent` of the price.

    It counts from `valid_from` until just before `valid_until`, for prices of `minimum` and more. `taken` are its uses, those
    of payments under way included; `most_uses` of them there can be, `most_uses_each` by one customer. It counts for what is
    in `applies_to`, or for everything where that is empty; of a cart of produce, for the lines that are meant, taken together.
    """

    code: str
    currency: Currency
    amount: Money | None = None
    percent: Decimal | None = None
    minimum: Money | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    most_uses: int | None = None
    taken: int = 0
    most_uses_each: int | None = None
    applies_to: tuple[AppliesTo | AppliesToListing, ...] = ()

    @property
    def terms(self) -> str:
        """What it takes off, as one word that changes when that does: `10%` or `50.00 KES`."""
        return f"{self.percent.normalize():f}%" if self.percent is not None else f"{self.amount} {self.currency}"


def discount_for(promo: Promo | None, content: BookingSnapshot, now: datetime, *, uses: int) -> Money:
    """What `promo` takes off the price of `content` for a customer who has used it `uses` times.

    RefusedError as in `discount_of`, also PROMO_NOT_APPLICABLE for another service, and PROMO_LIMIT_REACHED.
    """
    if promo is not None:
        services = [each for each in promo.applies_to if isinstance(each, AppliesTo)]
        if promo.applies_to and not any(each.covers(content) for each in services):
            raise RefusedError(NOT_TAKEN, code="PROMO_NOT_APPLICABLE")
        _check_own_limit(promo, uses)
    return discount_of(promo, content.price, now)


def discount_on(promo: Promo | None, lines: Sequence[OrderLine], now: datetime, *, uses: int) -> Money:
    """What `promo` takes off a cart of produce (one line at least), for a customer who has used it `uses` times: off all the
    lines that it counts for together, rounded once.

    RefusedError as in `discount_for`.
    """
    counted = [line.subtotal for line in lines if promo is None or _covers(promo, line)]
    if not counted:
        raise RefusedError(NOT_TAKEN, code="PROMO_NOT_APPLICABLE")
    if promo is not None:
        _check_own_limit(promo, uses)
    return discount_of(promo, sum(counted[1:], counted[0]), now)


def _covers(promo: Promo, line: OrderLine) -> bool:
    return not promo.applies_to or AppliesToListing(line.listing_id) in promo.applies_to


def _check_own_limit(promo: Promo, uses: int) -> None:
    if promo.most_uses_each is not None and uses >= promo.most_uses_each:
        raise RefusedError(NOT_TAKEN, code="PROMO_LIMIT_REACHED")


def discount_of(promo: Promo | None, price: Money, now: datetime) -> Money:
    """What `promo` takes off `price` at `now`: never more than the price, a percentage rounded half up to a minor unit.

    RefusedError PROMO_UNKNOWN (None is a code that does not exist), PROMO_NOT_APPLICABLE (another currency), PROMO_EXPIRED,
    PROMO_USED_UP or PROMO_BELOW_MINIMUM.
    """
    if promo is None:
        raise RefusedError(NOT_TAKEN, code="PROMO_UNKNOWN")
    if promo.currency is not price.currency:
        raise RefusedError(NOT_TAKEN, code="PROMO_NOT_APPLICABLE")
    if (promo.valid_from and now < promo.valid_from) or (promo.valid_until and now >= promo.valid_until):
        raise RefusedError(NOT_TAKEN, code="PROMO_EXPIRED")
    if promo.most_uses is not None and promo.taken >= promo.most_uses:
        raise RefusedError(NOT_TAKEN, code="PROMO_USED_UP")
    if promo.minimum is not None and price < promo.minimum:
        raise RefusedError(NOT_TAKEN, code="PROMO_BELOW_MINIMUM")
    return min(_taken_off(promo, price), price)


def _taken_off(promo: Promo, price: Money) -> Money:
    if promo.amount is not None:
        return promo.amount
    if promo.percent is None:
        raise ValueError(f"the promo {promo.code} takes nothing off")
    minor = (price.minor * promo.percent / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return Money(int(minor), price.currency)
