"""`payfirst reconcile`: the gateways' ledger beside the shop's, to the minor unit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ops import words
from ops.deployed import Home, StackName, enter_stack
from ops.printing import hand_over_json, say, show_table
from ops.reconcile.books import Became, Books, Line, spelled
from ops.reconcile.comparison import compare
from ops.reconcile.simulated_ledger import read_ledger
from ops.reconcile.statement_ledger import compare_statements
from ops.reconcile.statements import Statement, read_statements
from ops.running import HOME, SIMULATORS, items_of, table_of
from ops.sentences import fail, in_one_sentence
from ops.tick import Sweep, in_words, tick
from payfirst.domain.errors import RefusedError

Ledger = Annotated[
    list[Path] | None,
    typer.Option(help="A CSV file from M-Pesa's portal or PhonePe's dashboard; may be given several times."),
]


def reconcile_command(
    check: Annotated[bool, typer.Option("--check", help="Compare the gateways' ledger with ours; change nothing.")] = False,
    ledger: Ledger = None,
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Compare the gateways' ledger with the shop's.

    What the gateways collected and paid back is compared with the shop's table, payment by payment, in both directions and to
    the minor unit; exits with 1 on a difference, or when a line of a file could not be read. What is on its way, before a
    person or paid by hand is shown as such; captures outside the files' gateways and times are only counted. The ledger is
    what M-Pesa and PhonePe export as CSV files, else that of the local stack's simulated gateways. Without --check it settles
    what is due first, as the schedule does.
    """
    with in_one_sentence():
        statements = read_statements(ledger or [])
        stack = enter_stack(stack_name, home)
        if not ledger and SIMULATORS not in stack.environment:
            raise RefusedError("Give the statements that the gateways' portals export, each with --ledger FILE.")
        settled = None if check else tick(Sweep.RECONCILE)
        if settled and not as_json:
            say(in_words(Sweep.RECONCILE, settled))
        simulated = None if statements else read_ledger(stack.environment[SIMULATORS])
        items = items_of(table_of(stack))  # after the ledger, so that what came in between is there
        books = compare(simulated, items) if simulated else compare_statements(statements, items)
    if as_json:
        _hand_over(books, statements, settled)
    else:
        _show(books, statements)


def _hand_over(books: Books, statements: Sequence[Statement], settled: Mapping[str, Any] | None) -> None:
    """The comparison as JSON, amounts in minor units; exits with 1 where `_show` does."""
    unread = [line for statement in statements for line in statement.unread]
    captures = [
        {"became": became, "currency": currency, **_summed(lines)} for (became, currency), lines in _alike(books).items()
    ]
    hand_over_json(
        {
            "settled": settled,
            "compared": captures,
            "open": [str(each) for each in books.open],
            "differences": [str(each) for each in books.differences],
            "unread": unread,
            "outside": sum(line.outside for line in books.lines),
        }
    )
    if books.differences or unread:
        raise typer.Exit(1)


def _alike(books: Books) -> Mapping[tuple[Became, str], list[Line]]:
    same: defaultdict[tuple[Became, str], list[Line]] = defaultdict(list)
    for line in books.compared:
        same[line.became, line.currency].append(line)
    return dict(sorted(same.items()))


def _summed(lines: Sequence[Line]) -> dict[str, int]:
    came, back = sum(line.amount for line in lines), sum(sum(line.returned) for line in lines)
    return {"captures": len(lines), "collected": came, "paid_back": back}


def _show(books: Books, statements: Sequence[Statement]) -> None:
    rows = []
    for (became, currency), lines in _alike(books).items():
        sums = _summed(lines)
        spelt = (spelled(sums[which], currency) for which in ("collected", "paid_back"))
        rows.append((became, str(len(lines)), *spelt))
    show_table(("Became", "Captures", "Collected", "Paid back"), rows)
    if books.open:
        say("On its way, before a person, or paid by hand:", *map(str, books.open))
    for statement in statements:
        if statement.others:
            came, left = (sum(max(0, sign * minor) for minor in statement.others) for sign in (1, -1))
            say(
                f"{statement.gateway}: {len(statement.others)} lines are neither payments nor refunds (charges, transfers):"
                f" {spelled(came, statement.currency)} came in, {spelled(left, statement.currency)} went out."
            )
    elsewhere = _outside(books)
    unread = [line for statement in statements for line in statement.unread]
    if books.differences or unread:
        not_read = ["What was not read:", *unread] if unread else []
        if elsewhere:
            say(f"{elsewhere}.")
        fail("\n".join([*map(str, books.differences), *not_read]))
    beside = f"; {elsewhere}" if elsewhere else ""
    say(f"{_captures(len(books.compared))} compared, no difference{beside}.")


def _outside(books: Books) -> str:
    """How many captures no statement is about, in all and at each gateway; nothing where there are none."""
    at = Counter(line.gateway for line in books.lines if line.outside)
    each = ", ".join(f"{gateway} {count}" for gateway, count in sorted(at.items()))
    return f"{_captures(at.total())} {'lies' if at.total() == 1 else 'lie'} outside these statements ({each})" if at else ""


def _captures(count: int) -> str:
    return f"{count} capture{'' if count == 1 else 's'}"
