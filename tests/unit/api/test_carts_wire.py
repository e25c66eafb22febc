"""A cart's request: its two ways to name a service and a package, its days, times and addresses."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from pydantic import ValidationError

from payfirst.api.wire.carts import CreateCartIn
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.errors import InvalidInputError
from payfirst.domain.session import Customer

NOBODY = Customer("sub")
PRINTED = {
    "service_type": "PUJA",
    "puja_service": 1,
    "package_id": 2,
    "selected_date": "2025-07-20",
    "selected_time": "10:30",
}


def cart(*without: str, **changes: Any) -> CreateCartIn:
    body = {name: value for name, value in {**PRINTED, **changes}.items() if name not in without}
    return CreateCartIn.model_validate(body)


def test_the_printed_request_is_read_as_it_is_meant() -> None:
    wanted = cart().wanted(NOBODY)
    assert (wanted.kind, wanted.service_id, wanted.package_id) == (ServiceType.PUJA, 1, 2)
    assert (wanted.day, wanted.time.at, wanted.time.text) == (date(2025, 7, 20), time(10, 30), "10:30")
    assert (wanted.service_field, wanted.package_field) == ("puja_service", "package_id")
    assert (wanted.promo_code, wanted.address) == (None, None)


@pytest.mark.parametrize(
    ("without", "changes"),
    [
        (("puja_service",), {"puja_service_id": 1}),
        (("package_id",), {"package": 2}),
        ((), {"puja_service_id": 1, "package": "2"}),
        ((), {"puja_service": "1", "service_type": " puja "}),
    ],
)
def test_either_name_says_the_same(without: tuple[str, ...], changes: dict[str, Any]) -> None:
    wanted = cart(*without, **changes).wanted(NOBODY)
    assert (wanted.service_id, wanted.package_id) == (1, 2)


@pytest.mark.parametrize(
    ("without", "changes", "field"),
    [
        ((), {"puja_service_id": 2}, "puja_service"),
        ((), {"package": 1}, "package"),
        (("puja_service",), {}, "puja_service"),
        ((), {"astrology_service": 1}, "astrology_service"),
        ((), {"astrology_service_id": 1}, "astrology_service_id"),
        ((), {"service_type": "ASTROLOGY"}, "puja_service"),
    ],
)
def test_what_contradicts_itself_is_refused_on_its_field(without: tuple[str, ...], changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        cart(*without, **changes).wanted(NOBODY)
    assert [problem.field for problem in refused.value.problems] == [field]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"selected_date": "2025-02-31"}, "selected_date"),
        ({"selected_date": 20250720}, "selected_date"),
        ({"selected_date": "0"}, "selected_date"),
        ({"selected_time": "25:00"}, "selected_time"),
        ({"selected_time": 1030}, "selected_time"),
        ({"service_type": "YOGA"}, "service_type"),
        ({"puja_service": True}, "puja_service"),
        ({"address": 5}, "address"),
        ({"address": ["14 Temple Road"]}, "address"),
        ({"address": {"$gt": ""}}, "address"),
        ({"address": {"city": 5}}, "address"),
        ({"address": {"city": {"name": "Pune"}}}, "address"),
        ({"address": {f"line{number}": "a" for number in range(21)}}, "address"),
        ({"address": "a" * 501}, "address"),
        ({"address": "a\x00b"}, "address"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        cart(**changes)
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("14 Temple Road, Pune", "14 Temple Road, Pune"),
        ({"city": "Pune", "postal_code": "411001"}, {"city": "Pune", "postal_code": "411001"}),
        (" ", None),
        ({}, None),
    ],
)
def test_an_address_is_kept_as_it_was_given_and_an_empty_one_is_none(given: Any, kept: Any) -> None:
    assert cart(address=given).wanted(NOBODY).address == kept
