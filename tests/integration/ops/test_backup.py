"""A table in a file and back: whole, or refused before anything is written."""

from __future__ import annotations

import gzip
import json
import stat
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from local.embedded_aws import TEMPLATE
from local.resources import create_table
from ops.backup import export, items_of, restore
from ops.earlier_tokens import forget
from ops.table_file import TableFileError, check_file, contents_of, read_items, write_items
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Put
from payfirst.storage.dynamodb.table import Table, write

NOW: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
COUNT: Final = 60


@pytest.fixture
def full(table: Table) -> Table:
    """A table with more items than one batch holds, and every type of value that the package stores."""
    for number in range(COUNT):
        item = {
            "pk": f"U#{number % 7}",
            "sk": f"S#{number:016d}",
            "amount": Decimal("999.50") + number,
            "raw": bytes(range(number % 5)) + b"\x00\xff",
            "held": True,
            "lines": [{"unit": "kg", "name": "Tomatoes — नमस्ते"}],
            "facts": {"B": "b", "S": "s"},
            **({"due_pk": f"expire#{number % 8}", "due_sk": "2026-03-02T08:15:00Z"} if number % 3 else {}),
        }
        write(table, Put("item", item))
    return table


@pytest.fixture
def file(full: Table, tmp_path: Path) -> Path:
    made = tmp_path / "table.jsonl.gz"
    write_items(made, full.name, items_of(full), NOW)
    return made


def emptied(table: Table) -> Table:
    """The same table, destroyed and made anew from the template."""
    table.client.delete_table(TableName=table.name)
    create_table(table.client, TEMPLATE, table.name)
    return table


def in_order(table: Table) -> list[dict[str, Any]]:
    return sorted(items_of(table), key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def rewritten(file: Path, change: Any) -> None:
    lines = gzip.decompress(file.read_bytes()).decode().splitlines(keepends=True)
    file.write_bytes(gzip.compress("".join(change(lines)).encode()))


def test_a_table_that_was_destroyed_comes_back_item_for_item_with_its_index(full: Table, file: Path) -> None:
    before = in_order(full)
    restored = restore(emptied(full), file)

    assert restored.items == COUNT
    assert in_order(full) == before
    due = full.client.query(
        TableName=full.name,
        IndexName="due",
        KeyConditionExpression="due_pk = :shard",
        ExpressionAttributeValues={":shard": {"S": "expire#1"}},
    )
    assert due["Count"] == sum("due_pk" in item and item["due_pk"]["S"] == "expire#1" for item in before) > 0


def test_only_its_owner_may_read_the_file(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_not_written_over(full: Table, file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        write_items(file, full.name, items_of(full), NOW)
    assert file.read_bytes() == before


def test_a_table_that_holds_anything_is_left_alone(full: Table, file: Path) -> None:
    before = in_order(full)
    with pytest.raises(TableFileError, match="not empty"):
        restore(full, file)
    assert in_order(full) == before


def without_one(lines: list[str]) -> list[str]:
    return [*lines[:3], *lines[4:]]


def twice_the_same(lines: list[str]) -> list[str]:
    return [*lines[:3], lines[2], *lines[4:]]


def changed(lines: list[str]) -> list[str]:
    return [*lines[:3], lines[3].replace("999", "998").replace("10", "20"), *lines[4:]]


def without_foot(lines: list[str]) -> list[str]:
    return lines[:-1]


def of_another_form(lines: list[str]) -> list[str]:
    return [json.dumps({"format": "payfirst-table-2"}) + "\n", *lines[1:]]


@pytest.mark.parametrize("change", [without_one, twice_the_same, changed, without_foot, of_another_form])
def test_a_file_that_is_not_as_it_was_written_is_refused_before_anything_is_written(
    full: Table, file: Path, change: Any
) -> None:
    rewritten(file, change)
    empty = emptied(full)

    with pytest.raises(TableFileError):
        restore(empty, file)
    assert in_order(empty) == []


@pytest.mark.parametrize("share", [0.2, 0.7, 0.99])
def test_a_file_that_was_cut_short_is_refused(file: Path, share: float) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(TableFileError):
        check_file(file)


def test_the_fingerprint_does_not_depend_on_the_order_of_items_and_sees_every_difference(full: Table, file: Path) -> None:
    items = in_order(full)
    assert contents_of(reversed(items)) == contents_of(items) == contents_of(read_items(file))
    assert contents_of(items[1:]) != contents_of(items)
    assert contents_of([{**items[0], "amount": {"N": "1"}}, *items[1:]]) != contents_of(items)


@pytest.fixture
def with_tokens(full: Table) -> Table:
    """The table as an earlier release left it, with the gateways' access tokens in it."""
    for name in ("MPESA", "PHONEPE"):
        write(full, Put("token", {**keys.gateway_token(name), "value": f"secret-of-{name}"}))
    return full


def test_no_access_token_of_a_gateway_gets_into_a_file(with_tokens: Table, tmp_path: Path) -> None:
    made = tmp_path / "exported.jsonl.gz"
    assert export(with_tokens, made).items == COUNT
    assert b"secret-of" not in gzip.decompress(made.read_bytes())


def test_an_access_token_in_a_file_of_an_earlier_release_does_not_stay_in_the_table(with_tokens: Table, tmp_path: Path) -> None:
    made = tmp_path / "earlier.jsonl.gz"
    write_items(made, with_tokens.name, items_of(with_tokens), NOW)
    restore(emptied(with_tokens), made)
    assert len(in_order(with_tokens)) == COUNT


def test_a_deployment_takes_the_tokens_of_earlier_releases_away_and_nothing_else(with_tokens: Table) -> None:
    for _ in range(2):
        forget(with_tokens.client, with_tokens.name)
        assert len(in_order(with_tokens)) == COUNT


def test_an_empty_file_and_no_gzip_are_told_in_a_sentence(tmp_path: Path) -> None:
    for content in (b"", b"no gzip", gzip.compress(b"")):
        broken = tmp_path / "broken"
        broken.write_bytes(content)
        with pytest.raises(TableFileError):
            check_file(broken)
