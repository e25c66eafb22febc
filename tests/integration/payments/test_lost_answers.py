"""What the table does and does not answer is told apart: conflicts wait, our own write is recognised, a bug is not hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from payfirst.domain.clock import Deadline
from payfirst.domain.errors import ContentionError
from payfirst.domain.moves import SessionStatus
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Put, Update, absent, equal
from payfirst.storage.dynamodb.failures import ConditionFailedError, StorageError
from payfirst.storage.dynamodb.table import Table, get, transact, write
from tests.integration.payments.shop import Shop, new_customer

KEY = {"pk": "TEST", "sk": "TEST"}


@contextmanager
def instead_of(
    table: Table, operation: str, answer: Callable[[], Any], *, times: int, after: bool = False
) -> Iterator[list[int]]:
    """The first `times` calls of `operation` end as `answer` says: before the table hears of them, or `after` it has applied
    them."""
    left = [times]

    def act(**_: Any) -> None:
        if left[0] > 0:
            left[0] -= 1
            answer()

    name = f"{'after-call' if after else 'before-call'}.dynamodb.{operation}"
    table.client.meta.events.register(name, act)
    try:
        yield left
    finally:
        table.client.meta.events.unregister(name, act)


def cancelled(*codes: str) -> Callable[[], None]:
    def answer() -> None:
        raise ClientError(
            {
                "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
                "CancellationReasons": [{"Code": code} for code in codes],
            },
            "TransactWriteItems",
        )

    return answer


def refused(code: str) -> Callable[[], None]:
    def answer() -> None:
        raise ClientError({"Error": {"Code": code, "Message": code}}, "PutItem")

    return answer


def lost() -> None:
    raise ConnectionClosedError(endpoint_url="http://127.0.0.1")


@pytest.mark.parametrize(
    "codes", [("TransactionConflict", "None"), ("ThrottlingError", "None"), ("TransactionConflict", "ConditionalCheckFailed")]
)
def test_a_conflict_a_throttle_and_a_mixed_cancellation_are_tried_again(table: Table, codes: tuple[str, ...]) -> None:
    changes = [Put("one", KEY, when=(absent("pk"),)), Put("two", {**KEY, "sk": "OTHER"})]

    with instead_of(table, "TransactWriteItems", cancelled(*codes), times=3) as left:
        transact(replace(table, pause=lambda _: None), changes)

    assert left == [0]
    assert get(table, KEY) is not None


def test_a_conflict_that_does_not_end_is_given_up_inside_the_time(table: Table) -> None:
    waits: list[float] = []
    budget = [2.0]

    def pause(seconds: float) -> None:
        waits.append(seconds)
        budget[0] -= seconds

    impatient = replace(table, pause=pause, jitter=lambda: 1.0, deadline=Deadline(lambda: budget[0]))
    with instead_of(table, "TransactWriteItems", cancelled("TransactionConflict"), times=1000), pytest.raises(ContentionError):
        transact(impatient, [Put("one", KEY)])

    assert waits
    assert sum(waits) <= 2.0
    assert get(table, KEY) is None


def test_a_false_clause_names_its_write_and_the_item_in_the_way(table: Table) -> None:
    write(table, Put("first", {**KEY, "colour": "red"}))

    with pytest.raises(ConditionFailedError) as caught:
        transact(table, [Put("other", {**KEY, "sk": "OTHER"}), Put("one", KEY, when=(absent("pk"),))])

    assert list(caught.value.failed) == ["one"]
    in_the_way = caught.value.failed["one"]
    assert in_the_way is not None
    assert in_the_way["colour"] == "red"
    assert get(table, {**KEY, "sk": "OTHER"}) is None


def test_our_own_write_is_recognised_when_its_answer_was_lost(table: Table) -> None:
    fixed = replace(table, token=lambda: "a-token-of-one-write-0000")
    change = Put("one", KEY, when=(absent("pk"),))
    write(fixed, change)

    write(fixed, change)  # what the SDK's own retry does after a lost answer
    with pytest.raises(ConditionFailedError):
        write(table, change)  # somebody else's is still refused


def test_a_table_that_does_not_answer_is_a_temporary_error(table: Table) -> None:
    with instead_of(table, "PutItem", lost, times=1), pytest.raises(StorageError):
        write(table, Put("one", KEY))


def test_a_mistake_of_ours_is_not_hidden(table: Table) -> None:
    with instead_of(table, "PutItem", refused("ValidationException"), times=1), pytest.raises(ClientError):
        write(table, Put("one", KEY))


def test_none_removes_an_attribute_so_that_absent_means_one_thing(table: Table) -> None:
    write(table, Put("one", {**KEY, "colour": "red"}))

    write(table, Update("one", KEY, when=(equal("colour", "red"),), set={"colour": None}))

    assert "colour" not in (get(table, KEY) or {})
    write(table, Update("one", KEY, when=(absent("colour"),), set={"colour": "blue"}))


@pytest.mark.parametrize("operation", ["TransactWriteItems", "BatchGetItem", "PutItem", "UpdateItem"])
@pytest.mark.parametrize("after", [False, True], ids=["request lost", "response lost"])
def test_a_notice_that_meets_a_lost_request_or_response_is_settled_when_it_comes_again(
    shop: Shop,
    operation: str,
    after: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    customer = new_customer()
    session = shop.session(customer)
    started = shop.initiate(session)
    raw, token = shop.notice(started), shop.address(started)

    with instead_of(shop.table, operation, lost, times=1, after=after), suppress(StorageError):
        shop.tell(started, raw, token=token)
    shop.tell(started, raw, token=token)

    assert shop.read(session).status is SessionStatus.ORDER_CREATED
    assert len(shop.of_kind(customer, keys.ORDER)) == 1
    assert shop.listing()["sold"] == 2
    assert shop.refunds(started) == []
    assert shop.due() == {}
