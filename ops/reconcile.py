"""`payfirst reconcile`: the gateways' ledger beside the shop's, to the minor unit."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table as Grid

from local.books import Became, Books, compare, read_captures
from ops import panels
from ops.deployed import StackName, enter_stack
from ops.ledger import compare_statements
from ops.operate import Home
from ops.running import HOME, RunningStack, table_of
from ops.sentences import fail, in_one_sentence
from ops.statements import read_statements
from ops.tick import Sweep, tick
from payfirst.domain.errors import RefusedError
from payfirst.storage.expressions import Item, from_wire

SIMULATORS: Final = "PAYFIRST_SIMULATOR_URL"

Ledger = Annotated[
    list[Path] | None,
    typer.Option(help="A CSV file from M-Pesa's portal or PhonePe's dashboard; may be given several times."),
]


def reconcile_command(
    check: Annotated[bool, typer.Option("--check", help="Compare the gateways' ledger with ours; change nothing.")] = False,
    ledger: Ledger = None,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Compare the gateways' ledger with the shop's.

    What the gateways collected is compared with what the shop made of it, to the minor unit; exits with 1 on a difference. The
    ledger is what M-Pesa and PhonePe export as files, else that of the local stack's simulated gateways. Without --check it
    settles what is due first, as the schedule does.
    """
    with in_one_sentence():
        statements = read_statements(ledger or [])
        stack = enter_stack(stack_name, home)
        if not ledger and SIMULATORS not in stack.environment:
            raise RefusedError("Give the statements that the gateways' portals export, each with --ledger FILE.")
        if not check:
            print(json.dumps(tick(Sweep.RECONCILE)))
        captures = [] if statements else read_captures(stack.environment[SIMULATORS])
        items = _items(stack)
        books = compare_statements(statements, items) if statements else compare(captures, items)
    _show(books)


def _items(stack: RunningStack) -> list[Item]:
    """Everything in the stack's table; read after the ledger, so that what came in between is there."""
    table = table_of(stack)
    pages: Any = table.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
    return [from_wire(item) for page in pages for item in page["Items"]]


def _show(books: Books) -> None:
    became = Counter(line.became for line in books.lines)
    grid = Grid("Became", "Captures")
    for word in Became:
        grid.add_row(word, str(became[word]))
    Console().print(grid)
    if books.differences:
        fail("\n".join(books.differences))
    print(f"{len(books.lines)} captures, no difference.")


def register(app: typer.Typer) -> None:
    """Make this command one of `app`."""
    app.command("reconcile", rich_help_panel=panels.PAYMENTS)(reconcile_command)
