"""What can be bought: services with packages or a price of their own (document A), and listings of produce (document B)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from payfirst.domain.booking import AS_USUAL, ChangeRules
from payfirst.domain.calendar import Calendar
from payfirst.domain.clock import SHOP_ZONE
from payfirst.domain.money import Currency, Money


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
    """A farm's produce at today's price per `unit`; `available` can be bought now, what is held or sold is not in it.

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


def cost_of(quantity: Decimal, price: Money) -> Money:
    """What `quantity` units cost at `price` for each, rounded half up to a minor unit."""
    minor = (quantity * price.minor).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return Money(int(minor), price.currency)
