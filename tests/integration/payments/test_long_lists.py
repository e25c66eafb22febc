"""Lists whose entries are so large that DynamoDB ends its pages at 1 MB: every entry is found, in both directions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from payfirst.domain.clock import Deadline
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import to_wire
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.lists import Position, Slice, read_page

SUB = "jane"
LARGE = "x" * 300_000


def fill(table: Table, numbers: list[int], large: str = LARGE) -> None:
    for number in numbers:
        item = {**keys.owned(SUB, keys.SESSION, number), "pad": large}
        table.client.put_item(TableName=table.name, Item=to_wire(item))
    counted = {**keys.counter(SUB, keys.SESSION), "n": len(numbers)}
    table.client.put_item(TableName=table.name, Item=to_wire(counted))


def page(table: Table, position: Position | None, size: int) -> Slice:
    return read_page(replace(table, deadline=Deadline(lambda: 30.0)), SUB, keys.SESSION, size=size, position=position)


def shown(found: Slice) -> list[int]:
    return [int(item["sk"].split("#")[1]) for item in found.items]


def older(found: Slice) -> Position:
    return Position(int(found.edges[1]), towards_older=True)


def newer(found: Slice) -> Position:
    return Position(int(found.edges[0]), towards_older=False)


@pytest.mark.parametrize("size", [2, 3, 4, 10])
@pytest.mark.parametrize("entries", range(1, 9))
def test_every_entry_of_a_list_is_found_both_ways_whatever_ends_its_pages(table: Table, entries: int, size: int) -> None:
    numbers = [1000 + number for number in range(entries)]
    fill(table, numbers)
    walked = [page(table, None, size)]
    assert not walked[0].newer
    while walked[-1].older:
        walked.append(page(table, older(walked[-1]), size))
        assert walked[-1].items, "a page that was promised is empty"
    assert [number for each in walked for number in shown(each)] == numbers[::-1]
    back = [walked[-1]]
    while back[-1].newer:
        back.append(page(table, newer(back[-1]), size))
        assert back[-1].items, "a page that was promised is empty"
        assert back[-1].older
    assert [number for each in back for number in shown(each)[::-1]] == numbers
    assert {each.count for each in (*walked, *back)} == {entries}


def test_a_page_whose_entries_are_gone_leads_back_to_those_that_are_left(table: Table) -> None:
    fill(table, [1, 2, 3, 4], "small")
    first = page(table, None, 2)
    for number in (1, 2):
        table.client.delete_item(TableName=table.name, Key=to_wire(keys.owned(SUB, keys.SESSION, number)))
    empty = page(table, older(first), 2)
    assert (shown(empty), empty.older, empty.newer) == ([], False, True)
    assert shown(page(table, newer(empty), 2)) == [4, 3]
