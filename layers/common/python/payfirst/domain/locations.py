"""Kenya's counties and sub-counties, and what it costs to deliver to them.

County names and codes 1 to 47 are those of the First Schedule to the Constitution of Kenya, 2010. The sub-counties are
the 290 constituencies with the codes of the Independent Electoral and Boundaries Commission, as gazetted in the
National Assembly Constituencies and County Assembly Wards Order, 2012 (Legal Notice 14 of 2012); 251 and 252 carry the
names under which the commission has listed them since 2017 (Suba North, once Mbita; Suba South, once Suba).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from payfirst.domain.money import Currency, Money

DEFAULT_DELIVERY_FEE: Final = Money(5000, Currency.KES)

DELIVERY_FEES: Final[Mapping[int, Money]] = MappingProxyType({})
"""Fees of the counties where delivery does not cost `DEFAULT_DELIVERY_FEE`, by county code."""


@dataclass(frozen=True, slots=True)
class County:
    """One of the 47 counties; `id` is its official code."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class SubCounty:
    """One of the 290 constituencies; `id` is the electoral commission's code, `county_id` the county it lies in."""

    id: int
    name: str
    county_id: int


def counties() -> tuple[County, ...]:
    """All counties, ordered by their codes."""
    return tuple(_places().counties.values())


def subcounties(county_id: int) -> tuple[SubCounty, ...]:
    """The sub-counties of a county, ordered by their codes; empty when there is no such county."""
    return tuple(place for place in _places().subcounties.values() if place.county_id == county_id)


def county(county_id: int) -> County | None:
    """The county with that code, or None."""
    return _places().counties.get(county_id)


def subcounty(subcounty_id: int) -> SubCounty | None:
    """The sub-county with that code, or None; whether it lies in the county that a customer named is for the caller."""
    return _places().subcounties.get(subcounty_id)


def delivery_fee(county_id: int, *, fees: Mapping[int, Money] = DELIVERY_FEES) -> Money:
    """What delivery to a county costs; LookupError when there is no such county."""
    if county(county_id) is None:
        raise LookupError(f"there is no county {county_id}")
    return fees.get(county_id, DEFAULT_DELIVERY_FEE)


@dataclass(frozen=True, slots=True)
class _Places:
    counties: Mapping[int, County]
    subcounties: Mapping[int, SubCounty]


@cache
def _places() -> _Places:
    listed = json.loads(files("payfirst.domain").joinpath("kenya.json").read_text(encoding="utf-8"))["counties"]
    return _Places(
        counties={entry["id"]: County(entry["id"], entry["name"]) for entry in listed},
        subcounties={
            place["id"]: SubCounty(place["id"], place["name"], entry["id"])
            for entry in listed
            for place in entry["subcounties"]
        },
    )
