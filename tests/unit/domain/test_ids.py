"""Ids: an integer and a UUID of the same bits, and codes."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.ids import (
    LARGEST,
    GivenId,
    new_attempt_ref,
    new_booking_code,
    new_callback_token,
    new_identifier,
    new_transaction_code,
    number_of,
    order_number,
    read_id,
    ref_of_callback_token,
)

INSTANTS = st.datetimes(datetime(2020, 1, 2), datetime(2085, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


@given(INSTANTS)
def test_both_forms_of_an_id_say_the_same(now: datetime) -> None:
    made = new_identifier(now, secrets.token_bytes)

    assert 0 < made.number <= LARGEST
    assert made.uuid.version == 7
    assert made.uuid.variant == "specified in RFC 4122"
    assert number_of(made.uuid) == made.number
    assert read_id(str(made.uuid)) == GivenId(number=made.number, uuid=made.uuid)
    assert read_id(made.number) == read_id(str(made.number)) == GivenId(number=made.number)


@given(INSTANTS)
def test_later_ids_are_larger(now: datetime) -> None:
    first, later = (new_identifier(moment, secrets.token_bytes) for moment in (now, now + timedelta(milliseconds=1)))

    assert first.number < later.number
    assert first.uuid < later.uuid


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "-1",
        "1.5",
        "1e3",
        str(2**53),
        "9" * 17,
        "abc",
        "BK-xyz",
        "TXN12",
        "../x",
        "\uff11\uff12",
        "37292951-1015-4c9f-be4e-839d43d9300b",
        "NaN",
        "true",
    ],
)
def test_what_cannot_be_an_id_is_none(text: str) -> None:
    assert read_id(text) is None


def test_public_codes_have_the_documents_form() -> None:
    assert read_id("TXN46B5EE6E7D") == GivenId(code="TXN46B5EE6E7D")
    assert read_id("MT7a8b9c0d1e2f3") == GivenId(code="MT7a8b9c0d1e2f3")
    assert read_id("BK-449034CB") == GivenId(code="BK-449034CB")
    assert read_id("ORD-20240115-001") == GivenId(code="ORD-20240115-001")
    for code in (
        new_transaction_code(secrets.token_bytes),
        new_booking_code(secrets.token_bytes),
        new_attempt_ref(secrets.token_bytes),
    ):
        assert read_id(code) == GivenId(code=code)


def test_order_numbers_grow_past_999() -> None:
    assert [order_number("20240115", sequence) for sequence in (1, 999, 1000)] == [
        "ORD-20240115-001",
        "ORD-20240115-999",
        "ORD-20240115-1000",
    ]


def test_a_callback_token_names_its_attempt_and_spells_no_forbidden_word() -> None:
    ref = new_attempt_ref(secrets.token_bytes)
    token = new_callback_token(ref, secrets.token_bytes)

    assert ref_of_callback_token(token) == ref
    assert set(token) <= set("0123456789abcdef")
    assert len(token) == 13 + 32
    for wrong in (token[:-1], token + "0", token.upper() + "G", "", "../" + token):
        assert ref_of_callback_token(wrong) is None


def test_a_uuid_of_somebody_else_is_no_id_of_ours() -> None:
    assert number_of(UUID(int=0)) is None
    assert number_of(uuid4()) is None
