"""Sizes and units as DynamoDB's developer guide reckons them."""

from __future__ import annotations

import pytest

from benchmarks.units import changes, index_units, item_size, read_units, write_units

KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "é"}, 2),
        ({"N": "5"}, 2),
        ({"N": "123.00"}, 3),
        ({"N": "1200000"}, 2),
        ({"N": "-12"}, 3),
        ({"B": "aGVsbG8="}, 5),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["ab", "c"]}, 3),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"BOOL": True}]}, 8),
        ({"M": {"ab": {"S": "c"}}}, 7),
    ],
)
def test_a_value_has_its_bytes_and_a_name_its_own(value: dict[str, object], size: int) -> None:
    assert item_size({"né": value}) == 3 + size


def test_each_begun_kilobyte_of_the_larger_state_is_a_unit_and_two_in_a_transaction() -> None:
    small, large = {"a": {"S": "x" * 1023}}, {"a": {"S": "x" * 1024}}
    assert [write_units(small, {}, 1), write_units(small, large, 1), write_units(large, {}, 2)] == [1, 2, 4]
    assert write_units({}, {}, 1) == 1  # nothing to delete costs a unit too


def test_an_entry_of_an_index_costs_where_it_is_made_moved_or_removed() -> None:
    due, later = ({"due_pk": {"S": "a"}, "due_sk": {"S": when}} for when in "12")
    moves = [({}, due), (due, later), (later, {}), (due, due), ({}, {})]
    assert [index_units(before, after, [("due_pk", "due_sk")]) for before, after in moves] == [1, 2, 1, 0, 0]


def test_reads_are_counted_by_four_kilobytes_and_by_half_where_they_may_be_stale() -> None:
    item = {"a": {"S": "x" * 3000}}
    assert read_units("GetItem", {"ConsistentRead": True}, {}) == 1
    assert read_units("Query", {"ConsistentRead": True}, {"Items": [item] * 2}) == 2
    assert read_units("Query", {}, {"Items": [item] * 2}) == 1
    asked = {"RequestItems": {"t": {"Keys": [KEY] * 3, "ConsistentRead": True}}}
    assert read_units("BatchGetItem", asked, {"Responses": {"t": [item, item]}}) == 3


def test_what_cannot_be_reckoned_is_refused() -> None:
    with pytest.raises(NotImplementedError):
        read_units("Query", {"FilterExpression": "a = :a"}, {"Items": []})


def test_each_action_of_a_transaction_is_a_change_of_one_item() -> None:
    body = {
        "TransactItems": [
            {"Put": {"TableName": "t", "Item": {**KEY, "a": {"N": "1"}}}},
            {"Delete": {"TableName": "t", "Key": KEY}},
        ]
    }
    assert [(change.key, change.factor) for change in changes("TransactWriteItems", body, {"t": ("pk", "sk")})] == [
        (KEY, 2)
    ] * 2
