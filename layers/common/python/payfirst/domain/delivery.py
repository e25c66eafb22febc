"""Where a shop delivers, and what that costs in each county."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final

from payfirst.domain import locations
from payfirst.domain.money import Currency, Money

_OTHERS: Final = "*"


@dataclass(frozen=True, slots=True)
class DeliveryArea:
    """The fee of each county that has one of its own, by code, and `others`, that of all the rest; None: not delivered to."""

    fees: Mapping[int, Money]
    others: Money | None

    def fee(self, county_id: int) -> Money | None:
        """What delivery to a county costs; None where the shop does not deliver."""
        return self.fees.get(county_id, self.others)


CURRENCY: Final = Currency.KES
"""Produce is brought to Kenya's counties, so fees are in shillings, and so is produce where nothing else is said."""

EVERYWHERE: Final = DeliveryArea(MappingProxyType({}), Money(5000, CURRENCY))
"""All 47 counties for 50.00 each."""


def read_delivery_area(text: str) -> DeliveryArea:
    """The area of `1=50, 47=120.50, *=200`: counties by their codes with their fees in shillings, `*` for all others.

    Without `*` the shop delivers to no other county. ValueError for anything else, a county twice, one that does not exist, a
    fee below zero or with a fraction of a cent, and for an area without any county.
    """
    fees: dict[str, Money] = {}
    for part in text.split(","):
        name, _, amount = (word.strip() for word in part.partition("="))
        if name in fees or not (name == _OTHERS or _is_county(name)):
            raise ValueError(f"{name} is no county or stands there twice")
        fees[name] = _fee(amount)
    return DeliveryArea(MappingProxyType({int(name): fee for name, fee in fees.items() if name != _OTHERS}), fees.get(_OTHERS))


def _is_county(name: str) -> bool:
    return name.isascii() and name.isdigit() and name == str(int(name)) and locations.county(int(name)) is not None


def _fee(amount: str) -> Money:
    try:
        decimal = Decimal(amount)
    except InvalidOperation as error:
        raise ValueError(f"{amount} is no amount") from error
    if not decimal.is_finite() or decimal < 0:
        raise ValueError(f"{amount} is no fee")
    return Money.of(decimal, CURRENCY)
