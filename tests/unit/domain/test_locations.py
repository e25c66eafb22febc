"""Kenya's counties and sub-counties."""

from __future__ import annotations

import pytest

from payfirst.domain.locations import (
    County,
    SubCounty,
    counties,
    county,
    subcounties,
    subcounty,
)

SEATS_BY_COUNTY = (
    # in the order of the county codes, 1 Mombasa to 47 Nairobi City
    *(6, 4, 7, 3, 2, 4),
    *(6, 6, 6),
    *(4, 2, 9, 3, 4, 8, 8, 6),
    *(5, 6, 4, 7, 12),
    *(6, 4, 3, 5, 6, 4, 6, 6, 3, 11, 6, 5, 6, 5),
    *(12, 5, 9, 7),
    *(6, 7, 8, 8, 9, 4),
    17,
)

KNOWN_COUNTIES = {
    1: "Mombasa",
    2: "Kwale",
    6: "Taita/Taveta",
    12: "Meru",
    13: "Tharaka-Nithi",
    21: "Murang'a",
    22: "Kiambu",
    26: "Trans Nzoia",
    28: "Elgeyo/Marakwet",
    32: "Nakuru",
    42: "Kisumu",
    43: "Homa Bay",
    47: "Nairobi City",
}

KNOWN_SUBCOUNTIES = {
    1: ("Changamwe", 1),
    5: ("Likoni", 1),
    6: ("Mvita", 1),
    7: ("Msambweni", 2),
    16: ("Malindi", 3),
    20: ("Bura", 4),
    22: ("Lamu West", 5),
    26: ("Voi", 6),
    27: ("Garissa Township", 7),
    40: ("Banissa", 9),
    46: ("North Horr", 10),
    57: ("Buuri", 12),
    61: ("Chuka/Igambang'ombe", 13),
    80: ("Mavoko", 16),
    92: ("Ol Jorok", 18),
    98: ("Mukurweini", 19),
    108: ("Maragwa", 21),
    114: ("Thika Town", 22),
    128: ("Turkana East", 23),
    140: ("Cherangany", 26),
    157: ("Tiaty", 30),
    168: ("Naivasha", 32),
    178: ("Emurua Dikirr", 33),
    193: ("Sigowet/Soin", 35),
    210: ("Ikolomani", 37),
    216: ("Mt. Elgon", 39),
    234: ("Alego Usonga", 41),
    240: ("Kisumu Central", 42),
    251: ("Suba North", 43),
    260: ("Kuria East", 44),
    265: ("Bomachoge Chache", 45),
    273: ("Borabu", 46),
    274: ("Westlands", 47),
    278: ("Kibra", 47),
    290: ("Mathare", 47),
}


def test_there_are_47_counties_in_the_order_of_their_codes() -> None:
    assert [place.id for place in counties()] == list(range(1, 48))


def test_there_are_290_subcounties_numbered_through_county_by_county() -> None:
    assert [place.id for one in counties() for place in subcounties(one.id)] == list(range(1, 291))


def test_every_county_has_as_many_subcounties_as_it_has_seats() -> None:
    assert tuple(len(subcounties(one.id)) for one in counties()) == SEATS_BY_COUNTY
    assert sum(SEATS_BY_COUNTY) == 290


def test_no_two_places_of_a_kind_share_a_name() -> None:
    assert len({place.name for place in counties()}) == 47
    assert len({place.name for one in counties() for place in subcounties(one.id)}) == 290


@pytest.mark.parametrize(("code", "name"), KNOWN_COUNTIES.items())
def test_a_county_has_its_official_name(code: int, name: str) -> None:
    assert county(code) == County(code, name)


@pytest.mark.parametrize(("code", "expected"), KNOWN_SUBCOUNTIES.items())
def test_a_subcounty_has_its_name_and_lies_in_its_county(code: int, expected: tuple[str, int]) -> None:
    name, county_id = expected
    assert subcounty(code) == SubCounty(code, name, county_id)
    assert SubCounty(code, name, county_id) in subcounties(county_id)


@pytest.mark.parametrize("code", [0, -1, 48, 291])
def test_an_unknown_county_is_none_and_has_no_subcounties(code: int) -> None:
    assert county(code) is None
    assert subcounties(code) == ()


@pytest.mark.parametrize("code", [0, -1, 291])
def test_an_unknown_subcounty_is_none(code: int) -> None:
    assert subcounty(code) is None


def test_names_are_trimmed_and_spelled_in_title_case() -> None:
    for one in counties():
        for name in (one.name, *(place.name for place in subcounties(one.id))):
            assert name == " ".join(name.split())
            assert name[0].isupper()
            assert not name.isupper()
