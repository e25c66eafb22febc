"""Our values are those of `boto3.dynamodb.types`, for everything that an item holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from payfirst.storage.dynamodb.values import plain_value, typed

numbers = st.integers(-(10**37), 10**37) | st.decimals(-(10**20), 10**20, places=4, allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | st.text() | st.binary() | numbers
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


@given(values)
def test_a_value_is_written_as_boto3_writes_it_and_read_as_boto3_reads_it(value: Any) -> None:
    written = typed(value)
    assert written == TypeSerializer().serialize(value)
    assert plain_value(written) == TypeDeserializer().deserialize(written)
    assert plain_value(written) == value


@pytest.mark.parametrize("value", [1.5, {1, 2}, object(), Decimal("NaN"), Decimal("Infinity"), [0.1], {"a": 0.1}])
def test_what_no_item_can_hold_is_an_error_before_it_is_sent(value: Any) -> None:
    with pytest.raises(TypeError):
        typed(value)


@pytest.mark.parametrize("value", [10**40 + 1, Decimal("1e200"), Decimal("0.1234567890123456789012345678901234567891")])
def test_a_number_that_does_not_fit_is_an_error_and_never_another_number(value: Any) -> None:
    with pytest.raises(ArithmeticError):
        typed(value)


def test_a_type_that_no_item_holds_is_told_by_its_name() -> None:
    with pytest.raises(TypeError, match="SS"):
        plain_value({"SS": ["a"]})
