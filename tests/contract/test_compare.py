"""The comparer must be red for whatever is not as printed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.compare import differences, matches, shape_differences

PRINTED: dict[str, Any] = {
    "id": 123,
    "code": "BK-449034CB",
    "total": "999.00",
    "price": 150.00,
    "paid": True,
    "order": None,
    "items": [{"name": "Fresh Tomatoes", "quantity": 2.0}],
    "user": {"id": 1},
}


def changed(**values: Any) -> dict[str, Any]:
    return {**PRINTED, **values}


def test_what_is_printed_is_not_different_from_itself() -> None:
    assert differences(PRINTED, changed()) == []


def test_added_keys_are_allowed_at_every_depth() -> None:
    answer = changed(added=1, user={"id": 1, "name": "x"}, items=[{"name": "Fresh Tomatoes", "quantity": 2.0, "n": 1}])
    assert differences(PRINTED, answer) == []


@pytest.mark.parametrize("key", PRINTED)
def test_a_missing_key_is_a_difference(key: str) -> None:
    answer = changed()
    del answer[key]
    assert differences(PRINTED, answer) == [f"{key} is missing"]


def test_a_missing_key_deep_inside_is_named_by_its_path() -> None:
    assert differences(PRINTED, changed(items=[{"name": "Fresh Tomatoes"}])) == ["items[].quantity is missing"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(changed(id="123"), id="number as string"),
        pytest.param(changed(total=999.00), id="string as number"),
        pytest.param(changed(paid=1), id="true as 1"),
        pytest.param(changed(paid="true"), id="true as string"),
        pytest.param(changed(id=True), id="number as boolean"),
        pytest.param(changed(order={}), id="null as object"),
        pytest.param(changed(order=""), id="null as empty string"),
        pytest.param(changed(user=None), id="object as null"),
        pytest.param(changed(user=[{"id": 1}]), id="object as array"),
        pytest.param(changed(items={"name": "Fresh Tomatoes"}), id="array as object"),
        pytest.param([PRINTED], id="the whole answer inside an array"),
        pytest.param(None, id="null instead of the answer"),
    ],
)
def test_another_type_is_a_difference(answer: Any) -> None:
    assert len(differences(PRINTED, answer)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        changed(id=124),
        changed(price=150.01),
        changed(paid=False),
        changed(code="BK-449034CC"),
        changed(total="999.0"),
        changed(total="999.00 "),
        changed(user={"id": 2}),
        changed(items=[{"name": "fresh tomatoes", "quantity": 2.0}]),
    ],
)
def test_another_value_is_a_difference(answer: Any) -> None:
    assert len(differences(PRINTED, answer)) == 1


@pytest.mark.parametrize("count", [0, 2])
def test_an_array_has_as_many_elements_as_printed(count: int) -> None:
    assert differences(PRINTED, changed(items=PRINTED["items"] * count)) == [f"items has {count} elements, printed with 1"]


def test_numbers_are_compared_as_json_compares_them() -> None:
    assert differences(PRINTED, changed(id=123.0, price=150, items=[{"name": "Fresh Tomatoes", "quantity": 2}])) == []


def test_every_difference_is_told() -> None:
    assert len(differences(PRINTED, {"id": 1, "code": 2})) == len(PRINTED)


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("uuid", "0190f3a1-5c1e-7abc-8def-0123456789ab", "0190f3a15c1e7abc8def0123456789ab"),
        ("integer", 456, "456"),
        ("integer", 2**53 - 1, 2**53),
        ("integer", 1, True),
        ("integer", 1, 1.0),
        ("integer", 1, 0),
        ("instant", "2024-01-15T10:30:00Z", "2024-01-15T10:30:00+00:00"),
        ("instant", "2024-01-15T10:30:00Z", "2024-01-15T10:30:00.123Z"),
        ("instant", "2024-01-15T10:30:00Z", "2024-02-30T10:30:00Z"),
        ("transaction_code", "TXN46B5EE6E7D", "TXN46b5ee6e7d"),
        ("transaction_code", "TXN46B5EE6E7D", "TXN46B5EE6E7D\n"),
        ("merchant_code", "MT7a8b9c0d1e2f3", "MT7A8B9C0D1E2F3"),
        ("booking_code", "BK-449034CB", "BK-449034CBA"),
        ("order_number", "ORD-20240115-001", "ORD-20240115-1"),
        ("order_number", "ORD-20240115-1000", "ORD-2024011-001"),
        ("checkout_request_id", "ws_CO_15012024103045123", None),
        ("url", "https://mercury-t2.phonepe.com/transact/x", "mercury-t2.phonepe.com/transact/x"),
        ("words", "Accepted", ""),
        ("object", {"id": 1}, {}),
        ("object or null", None, []),
    ],
)
def test_a_pattern_fits_what_it_names_and_nothing_else(pattern: str, fits: Any, does_not: Any) -> None:
    assert matches(pattern, fits)
    assert not matches(pattern, does_not)


def test_a_generated_value_may_differ_but_not_leave_its_pattern() -> None:
    patterns = {"code": "booking_code"}
    assert differences(PRINTED, changed(code="BK-00000000"), patterns=patterns) == []
    assert differences(PRINTED, changed(code="BK-1"), patterns=patterns) == ["code is 'BK-1', which is not booking_code"]


def test_a_generated_value_may_not_be_missing() -> None:
    answer = changed()
    del answer["code"]
    assert differences(PRINTED, answer, patterns={"code": "booking_code"}) == ["code is missing"]


def test_a_remembered_value_must_come_again() -> None:
    known: dict[str, Any] = {}
    assert differences({"id": 1}, {"id": 7}, patterns={"id": "integer as cart"}, known=known) == []
    assert known == {"cart": 7}
    assert differences({"id": 1}, {"id": 8}, patterns={"id": "integer as cart"}, known=known) == ["id is 8, but cart was 7"]


def test_a_pattern_for_an_unprinted_path_is_refused() -> None:
    with pytest.raises(ValueError, match="booking"):
        differences(PRINTED, PRINTED, patterns={"booking": "integer"})


def test_a_pattern_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        differences(PRINTED, PRINTED, patterns={"code": "colour"})


def test_a_sample_is_found_among_other_elements_and_remembers_only_what_matched() -> None:
    printed = {"results": [{"id": 1, "state": "done"}]}
    patterns = {"results": "sample", "results[].id": "integer as session"}
    known: dict[str, Any] = {}
    answer = {"results": [{"id": 5, "state": "open"}, {"id": 6, "state": "done"}]}
    assert differences(printed, answer, patterns=patterns, known=known) == []
    assert known == {"session": 6}


@pytest.mark.parametrize("results", [[], [{"id": 5, "state": "open"}], None, {}])
def test_a_sample_that_is_not_there_is_a_difference(results: Any) -> None:
    printed = {"results": [{"id": 1, "state": "done"}]}
    patterns = {"results": "sample", "results[].id": "integer"}
    assert len(differences(printed, {"results": results}, patterns=patterns)) == 1


def test_another_value_and_a_null_are_no_other_shape() -> None:
    assert shape_differences(PRINTED, changed(id=7, order={"id": 1}, user=None, items=[])) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (changed(added=1), "the answer adds added"),
        ({key: value for key, value in PRINTED.items() if key != "paid"}, "the answer lacks paid"),
        (changed(total=999.00), "total is number, shown as string"),
        (changed(user={"id": 1, "name": "x"}), "user adds name"),
        (changed(items=[PRINTED["items"][0], {"name": "x", "quantity": "2"}]), "items[].quantity is string, shown as number"),
    ],
)
def test_other_keys_and_types_are_another_shape(answer: Any, said: str) -> None:
    assert shape_differences(PRINTED, answer) == [said]
