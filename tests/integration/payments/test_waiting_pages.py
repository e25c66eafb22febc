"""What waits for a person, read list by list and page by page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from payfirst.domain.clock import instant
from payfirst.storage import due
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item, Put
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.operators import waiting
from payfirst.usecases.operators.waiting import List, Stuck
from tests.integration.payments.shop import Shop

BOTH = [None, *List]


def left(shop: Shop, number: int, *, hours: int, **place: str) -> None:
    """A stored notice that waits as `place` says, since `hours` ago."""
    key = {"pk": f"INBOX#{number:04d}", "sk": "INBOX"}
    item: Item = {**key, **due_index.due(due_index.SETTLE, key, shop.now - timedelta(hours=hours)), **place}
    write(shop.table, Put("left", item))


@pytest.fixture
def crowded(shop: Shop) -> Shop:
    """A shop with seven things of each of the three kinds."""
    for number in range(7):
        left(shop, number, hours=number)
        key = {"pk": f"INBOX#{100 + number:04d}", "sk": "INBOX"}
        left(shop, 100 + number, hours=number, due_pk=due_index.partition(due_index.REVIEW, keys.shard_of(key)))
        dead = {"due_pk": due_index.dead_letters(due_index.SETTLE), "dead_since": due_index.due("", key, shop.now)["due_sk"]}
        left(shop, 200 + number, hours=-1 - number, **dead)
    return shop


def in_pages(shop: Shop, of: List | None, most: int) -> list[Stuck]:
    found: list[Stuck] = []
    after: due.Entry | None = None
    for _ in range(100):
        page = waiting.page(shop.table, shop.now, of, most=most, after=after)
        assert len(page.found) <= most
        found += page.found
        if page.next is None:
            return found
        after = waiting.read_place(page.next, of, shop.now)
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("of", BOTH)
@pytest.mark.parametrize("most", [1, 3, 200])
def test_pages_list_everything_once_in_the_order_of_the_whole(crowded: Shop, of: List | None, most: int) -> None:
    whole = list(waiting.stuck(crowded.table, crowded.now, of))
    assert in_pages(crowded, of, most) == whole
    mine = [entry.key for entry in whole if entry.key.startswith("INBOX#0")]
    assert len(mine) == len(set(mine)) == {None: 20, List.REVIEW: 14, List.OVERDUE: 6}[of], "the youngest is not overdue yet"


def test_what_a_person_decides_comes_before_what_sweeps_left_lying(crowded: Shop) -> None:
    whole = list(waiting.stuck(crowded.table, crowded.now))
    parts = [list(waiting.stuck(crowded.table, crowded.now, of)) for of in List]
    assert whole == [*parts[0], *parts[1]]
    assert {entry.what for entry in parts[0]} == {"needs review"}
    assert all(entry.what.startswith("overdue: ") for entry in parts[1])


def test_a_dead_letter_says_since_when_it_is_one_whenever_its_next_try_is(crowded: Shop) -> None:
    dead = [entry for entry in waiting.stuck(crowded.table, crowded.now) if entry.key.startswith("INBOX#02")]
    assert {entry.since for entry in dead} == {crowded.now}


def test_what_was_settled_between_two_pages_leaves_no_gap(crowded: Shop) -> None:
    first = waiting.page(crowded.table, crowded.now, List.REVIEW, most=3)
    assert first.next is not None
    whole = [entry.key for entry in waiting.stuck(crowded.table, crowded.now, List.REVIEW)]
    last = next(item for item in crowded.items() if item["pk"] == first.found[-1].key)
    due.again(crowded.table, last, due_index.SETTLE, crowded.now)

    after = waiting.read_place(first.next, List.REVIEW, crowded.now)
    rest = waiting.page(crowded.table, crowded.now, List.REVIEW, most=200, after=after)
    assert [entry.key for entry in rest.found] == whole[3:]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "review#0 2026-01-01T00:00:00Z ATT#1",
        "review#9 2026-01-01T00:00:00Z ATT#1 ATT",
        "settle#0 2026-01-01T00:00:00Z ATT#1 ATT",
        "review#0 2026-01-01 ATT#1 ATT",
        "review#0 2999-01-01T00:00:00Z ATT#1 ATT",
        "review#0 2026-01-01T00:00:00Z  ATT",
        "review#0 2026-01-01T00:00:00Z ATT#1 CART",
        f"review#0 2026-01-01T00:00:00Z ATT#{'1' * 400} ATT",
    ],
)
def test_what_is_no_place_on_the_list_is_refused(shop: Shop, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each is refused for another reason
        waiting.read_place(text, List.REVIEW, shop.now)


@pytest.mark.parametrize("of", [None, List.OVERDUE])
def test_a_place_that_is_not_overdue_yet_is_refused(shop: Shop, of: List | None) -> None:
    with pytest.raises(ValueError, match="no place on the list"):
        waiting.read_place(f"settle#0 {instant(shop.now - timedelta(seconds=60))} ATT#MT1 ATT", of, shop.now)


@pytest.mark.parametrize("of", BOTH)
@pytest.mark.parametrize("ahead", [1, 30])
def test_a_place_by_a_clock_that_is_a_little_ahead_goes_on_behind_its_partition(
    crowded: Shop, of: List | None, ahead: int
) -> None:
    whole = list(waiting.stuck(crowded.table, crowded.now, of))
    ends = {each.place.split(" ")[0]: number for number, each in enumerate(whole, 1)}
    assert {due_index.work_in(partition) for partition in ends} >= (
        {due_index.SETTLE} if of is List.OVERDUE else {due_index.REVIEW}
    )
    for partition, end in ends.items():
        if partition not in due.DEAD_LETTERS:
            late = timedelta(0) if partition.startswith(due_index.REVIEW) else waiting.OVERDUE
            place = f"{partition} {instant(crowded.now - late + timedelta(seconds=ahead))} ATT#MT1 ATT"
            after = waiting.read_place(place, of, crowded.now)
            assert list(waiting.page(crowded.table, crowded.now, of, most=200, after=after).found) == whole[end:]
