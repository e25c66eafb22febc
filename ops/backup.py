"""`payfirst backup`: the whole table to a file, and from a file into an empty table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ops import table_file
from ops.deployed import Home, StackName, enter_stack
from ops.earlier_tokens import forget, without_tokens
from ops.printing import say
from ops.running import HOME, table_of
from ops.sentences import fail, in_one_sentence
from ops.table_file import Contents, TableFileError
from payfirst.domain.clock import utc_now
from payfirst.storage.dynamodb.table import Table

AT_ONCE: Final = 25
"""What DynamoDB takes in one batch of writes."""

MOST_TRIES: Final = 10
FIRST_PAUSE_S: Final = 0.1

backup_app = typer.Typer(name="backup", help="Keep the whole table in a file, and bring it back.", no_args_is_help=True)


def items_of(table: Table) -> Iterator[dict[str, Any]]:
    """Every item of the table, as the low-level client answers it; what is written meanwhile may be in it or not."""
    for page in table.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True):
        yield from page["Items"]


def put_all(table: Table, items: Iterator[dict[str, Any]]) -> None:
    """Put every item; each is written as it is, with no condition and no mark of ours."""
    while batch := list(islice(items, AT_ONCE)):
        _put(table, [{"PutRequest": {"Item": item}} for item in batch])


def _put(table: Table, requests: list[Any]) -> None:
    for tried in range(MOST_TRIES):
        answer: Any = table.client.batch_write_item(RequestItems={table.name: requests})
        requests = answer.get("UnprocessedItems", {}).get(table.name, [])
        if not requests:
            return
        time.sleep(FIRST_PAUSE_S * 2**tried)
    raise TableFileError(f"{len(requests)} items could not be written: the table is throttled. Empty it and begin again.")


def export(table: Table, file: Path) -> Contents:
    """Write everything but access tokens of gateways to the new `file`; what is in it. FileExistsError."""
    return table_file.write_items(file, table.name, without_tokens(items_of(table)), utc_now())


@backup_app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(help="A new file, for instance payfirst.jsonl.gz; only you may read it.")],
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Write the whole table to a file. It holds customers' names and phone numbers: keep it like the table itself.

    It is no snapshot: what is written meanwhile may be in it or not. Restore to a point in time where that matters.
    """
    with in_one_sentence():
        table = table_of(enter_stack(stack_name, home))
        try:
            written = export(table, file)
        except FileExistsError as error:
            fail(f"{file} exists already.", error)
    say(_said(written, f"in {file}"))


@backup_app.command("restore")
def restore_command(
    file: Annotated[Path, typer.Argument(help="What `export` wrote.", exists=True, dir_okay=False)],
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Write the items of a file into the empty table of a stack whose functions do not run, and compare both."""
    with in_one_sentence():
        table = table_of(enter_stack(stack_name, home))
        try:
            restored = restore(table, file)
        except TableFileError as error:
            fail(str(error), error)
    say(_said(restored, "in the table, as in the file"))


def restore(table: Table, file: Path) -> Contents:
    """Fill the empty `table` from `file`; what is in both afterwards. TableFileError, also when anything is in the way.

    Access tokens of gateways, which a file of an earlier release may hold, do not stay.
    """
    expected = table_file.check_file(file)
    if next(items_of(table), None) is not None:
        raise TableFileError("The table is not empty; a backup is restored only into an empty one.")
    put_all(table, table_file.read_items(file))
    found = table_file.contents_of(items_of(table))
    if found != expected:
        raise TableFileError(f"The table holds {found.items} items that are not the {expected.items} of the file.")
    forget(table.client, table.name)
    return found


def _said(contents: Contents, where: str) -> str:
    return f"{contents.items} items {where}; fingerprint {contents.fingerprint[:16]}."
