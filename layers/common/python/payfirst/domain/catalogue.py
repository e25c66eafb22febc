"""What can be bought: services with packages or a price of their own (document A), and listings of produce (document B)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from payfirst.domain.booking import AS_USUAL, ChangeRules
from payfirst.domain.calendar import Calendar
from payfirst.domain.clock import SHOP_ZONE
from payfirst.domain.money import Currency, Money

LONGEST_ADDRESS: Final = 500
_PICTURE: Final = r"https://([a-z0-9-]+\.)+[a-z0-9-]*[a-z][a-z0-9-]*(:[0-9]{1,5})?(/[\w.~!$&*+,;=:@%/?-]*)?"
"""Compiled where one is read: few functions ever do."""


def read_image_url(text: str) -> str:
    """The address of a picture, as it is; ValueError for what is no https address on a named host, or could end an attribute
    of the page that shows it."""
    if len(text) > LONGEST_ADDRESS or not re.fullmatch(_PICTURE, text, re.ASCII | re.IGNORECASE):
        raise ValueError(
            f"An https address of at most {LONGEST_ADDRESS} characters is expected, like https://shop.example/1.jpg."
        )
    return text


@dataclass(frozen=True, slots=True)
class Edits:
    """How often people changed an entry, and who did last; what payments count is no edit."""

    count: int = 0
    by: str | None = None
    at: datetime | None = None


class ServiceType(StrEnum):
    """Document A's kinds of service; a number names one service of its kind."""

    PUJA = "PUJA"
    ASTROLOGY = "ASTROLOGY"


@dataclass(frozen=True, slots=True)
class Package:
    """One way to have a service, with its price."""

    number: int
    name: str
    price: Money


@dataclass(frozen=True, slots=True)
class Service:
    """A service on the days of its `zone`. It is sold by `packages`, or, where it has none, at its own `price`.

    Without a `calendar` it is booked for any time. One that is not `active` is not sold any more, or not yet.
    """

    kind: ServiceType
    number: int
    name: str
    description: str
    zone: str
    currency: Currency
    packages: tuple[Package, ...]
    price: Money | None = None
    calendar: Calendar | None = None
    changes: ChangeRules = AS_USUAL
    active: bool = True
    image_url: str | None = None
    edits: Edits = Edits()

    def price_of(self, package: int | None) -> Money | None:
        """What it costs with that package, or without any; None when it is not sold so."""
        if package is None:
            return self.price
        found = self.package(package)
        return found.price if found else None

    def package(self, number: int) -> Package | None:
        """The package of that number; None when there is none."""
        return next((package for package in self.packages if package.number == number), None)


@dataclass(frozen=True, slots=True)
class Listing:
    """A farm's produce at today's price per `unit`; `available` can be bought now, what is `held` or sold is not in it.

    With `hold` a payment that is under way holds its quantity, so that nobody pays for what is sold out meanwhile. `zone` is
    the farm's; one that is not `active` is not sold any more, or not yet.
    """

    number: int
    product_name: str
    farm_name: str
    unit: str
    price: Money
    available: Decimal
    hold: bool = False
    zone: str = SHOP_ZONE
    active: bool = True
    description: str = ""
    image_url: str | None = None
    held: Decimal = Decimal(0)
    edits: Edits = Edits()


def cost_of(quantity: Decimal, price: Money) -> Money:
    """What `quantity` units cost at `price` for each, rounded half up to a minor unit."""
    minor = (quantity * price.minor).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return Money(int(minor), price.currency)
