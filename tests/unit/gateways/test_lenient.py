"""Reading values that gateways send, and showing their words without secrets."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.money import Currency, Money
from payfirst.gateways.lenient import (
    decimal,
    detail,
    json_object,
    listed,
    mapping,
    money_of_major,
    money_of_minor,
    text,
    whole,
)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("  word ", "word"),
        (1032, "1032"),
        (Decimal("1032.0"), "1032"),
        (Decimal("-0"), "0"),
        (Decimal("10.5"), None),
        ("", None),
        ("   ", None),
        (None, None),
        (True, None),
        (False, None),
        ([], None),
        ("x" * 257, None),
        ("a\x00b", None),
        ("\udc00", None),
    ],
)
def test_text_is_words_and_whole_numbers_and_nothing_else(value: object, read: str | None) -> None:
    assert text(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (5, Decimal(5)),
        ("5.50", Decimal("5.50")),
        (Decimal("0.000001"), Decimal("0.000001")),
        ("0e999999999", Decimal("0e999999999")),
        ("1e16", None),
        ("1e999999999", None),
        ("1e-7", None),
        (10**400, None),
        ("NaN", None),
        ("-Infinity", None),
        ("9" * 300, None),
        ("five", None),
        (True, None),
        ({}, None),
    ],
)
def test_a_number_is_read_within_what_money_can_be(value: object, read: Decimal | None) -> None:
    assert decimal(value) == read


@given(JSON_VALUES)
def test_no_value_raises(value: Any) -> None:
    read_back = (json_object(json.dumps({"value": value})) or {}).get("value")
    for each in (value, read_back):
        text(each)
        decimal(each)
        whole(each)
        money_of_major(each, Currency.KES)
        money_of_minor(each, Currency.INR)
        detail(each)
        mapping(each)
        listed(each)


@given(st.text())
def test_no_text_raises_as_json(raw: str) -> None:
    assert json_object(raw) is None or isinstance(json_object(raw), dict)


@given(st.integers(0, 10**12))
def test_an_amount_is_the_same_to_the_minor_unit_in_each_notation(minor: int) -> None:
    amount = Money(minor, Currency.KES)
    body = json_object('{"major": %s, "minor": %d}' % (amount, minor)) or {}  # noqa: UP031 - braces are the JSON's own
    assert money_of_major(body["major"], Currency.KES) == amount
    assert money_of_major(str(amount), Currency.KES) == amount
    assert money_of_minor(body["minor"], Currency.KES) == amount


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Bad Request - Invalid PhoneNumber", "Bad Request - Invalid PhoneNumber"),
        ("call from 254708374149 failed", "call from …149 failed"),
        ("from 0712-345-678 or +254 712 345 678", "from …678 or …678"),
        ("paid by asha@ybl", "paid by …"),
        ("404.001.04 Invalid Access Token", "404.001.04 Invalid Access Token"),
        ("Invalid Access Token - c9SQxWWhmdVRlyh0zh8gZDTkubVF", "Invalid Access Token - …"),
        ("ws_CO_03052026101500123708374149", "…"),
        ("two\nlines\tand  blanks", "two lines and blanks"),
        (None, ""),
        (7, "7"),
    ],
)
def test_a_gateways_words_are_shown_without_tokens_and_whole_numbers(said: object, shown: str) -> None:
    assert detail(said) == shown


def test_long_words_are_cut_and_cost_no_time() -> None:
    began = time.monotonic()
    assert len(detail("word " * 1600)) <= 200
    assert len(detail("1" * 8000)) <= 200
    assert len(detail("a" * 8000)) <= 200
    assert time.monotonic() - began < 1
