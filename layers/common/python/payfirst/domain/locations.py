"""Kenya's counties and sub-counties.

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
