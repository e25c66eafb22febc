"""`make simulate`: a storm of payments with every outcome at the running `make run`, then both ledgers side by side."""

from __future__ import annotations

import argparse
import random
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ops.reconcile.books import Became, Books, Line
from ops.running import HOME, SIMULATORS, NoStackError, running_stack
from ops.token import mint
from tests.proofs.ledgers import books_of
from tests.proofs.storm_customers import OUTCOMES, Payment, Storm

USER_IDS: Final = 900_000_000
"""Where the storm's own customers begin."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Storm the running stack; 1 when the ledgers differ, a customer was told what is not true, or nothing runs."""
    given = _arguments().parse_args(arguments)
    console = Console(highlight=False)
    try:
        stack = running_stack(given.home)
    except NoStackError as exc:
        print(exc, file=sys.stderr)
        return 1
    seed = given.seed if given.seed is not None else secrets.randbelow(10**6)
    console.print(f"A storm of about {given.seconds:g} s at {stack.base_url}, seed {seed}.")
    run = secrets.token_hex(4)
    storm = Storm(
        base_url=stack.base_url,
        simulator_url=stack.environment[SIMULATORS],
        tokens=_tokens(stack.environment, given.customers, run),
        operator=mint(stack.environment, USER_IDS - 1, "storm-operator@example.com", groups=("operators",)),
        draw=random.Random(seed),  # noqa: S311 - which payments are tried, nothing secret
    )
    payments = with_progress(console, storm, seconds=given.seconds, each=given.each)
    books = books_of(stack.environment)
    return report(console, payments, books)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make simulate", description="A storm of payments at the running `make run`.")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long payments are begun (300)")
    parser.add_argument("--each", type=int, default=20, help="payments of each outcome at least (20)")
    parser.add_argument("--customers", type=int, default=8, help="how many customers pay at the same time (8)")
    parser.add_argument("--seed", type=int, help="the same payments again, as far as their order is ours")
    parser.add_argument("--home", type=Path, default=HOME, help="where the running stack keeps its state (.local)")
    return parser


def _tokens(environment: Mapping[str, str], customers: int, run: str) -> list[str]:
    first = USER_IDS + int(run, 16) % USER_IDS
    return [mint(environment, first + number, f"storm-{run}-{number}@example.com") for number in range(customers)]


def with_progress(console: Console, storm: Storm, *, seconds: float, each: int) -> list[Payment]:
    """Run the storm under a progress bar."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        begun = progress.add_task("begun  ", total=storm.size(seconds, each))
        ended = progress.add_task("settled", total=storm.size(seconds, each))

        def advance(word: str) -> None:
            progress.advance(begun if word == "begun" else ended)

        return storm.run(seconds=seconds, each=each, advance=advance)


def report(console: Console, payments: Sequence[Payment], books: Books) -> int:
    """Print both tables and every difference; the exit status."""
    console.print(outcome_table(payments))
    console.print(ledger_table(books))
    for entry in books.open:
        console.print(f"not at its end: {entry}", markup=False)
    wrong = [payment.complaint for payment in payments if payment.complaint]
    for sentence in [*wrong, *books.differences]:
        console.print(f"difference: {sentence}", style="red", markup=False)
    if wrong or books.differences:
        return 1
    console.print("Both ledgers agree to the minor unit, and every customer was told the truth.", style="green")
    return 0


def outcome_table(payments: Sequence[Payment]) -> Table:
    """How many payments of each outcome there were, and how their customers saw them end."""
    table = Table(title="What customers did, and what they were told in the end")
    for head in ("outcome", "M-Pesa", "PhonePe", "ordered or booked", "failed", "slowest"):
        table.add_column(head, justify="left" if head == "outcome" else "right")
    for outcome in OUTCOMES:
        mine = [payment for payment in payments if payment.outcome == outcome]
        gateways = Counter(payment.gateway for payment in mine)
        ends = Counter(payment.ended for payment in mine)
        slowest = max((payment.took_s for payment in mine), default=0.0)
        counts = (gateways["mpesa"], gateways["phonepe"], ends["paid"], ends["failed"])
        table.add_row(outcome, *map(str, counts), f"{slowest:.1f} s")
    return table


def ledger_table(books: Books) -> Table:
    """Each gateway's captures by what the shop made of them: how many, and how much in minor units."""
    gateways = sorted({line.gateway for line in books.lines})
    table = Table(title="What the gateways collected, and what it became")
    table.add_column("")
    for gateway in gateways:
        table.add_column(gateway, justify="right")
        table.add_column("minor units", justify="right")
    rows: dict[str, Callable[[Line], bool]] = {"collected": lambda _: True}
    rows |= {f"{word}s": partial(_is_right, word) for word in Became if word is not Became.NOTHING}
    rows["differences"] = lambda line: bool(line.differences)
    for head, holds in rows.items():
        cells: list[str] = []
        for gateway in gateways:
            found = [line.amount for line in books.lines if line.gateway == gateway and holds(line)]
            cells += [str(len(found)), str(sum(found))]
        table.add_row(head, *cells)
    returned = [[amount for line in books.lines if line.gateway == gateway for amount in line.returned] for gateway in gateways]
    table.add_row("given back", *(text for each in returned for text in (str(len(each)), str(sum(each)))))
    return table


def _is_right(became: Became, line: Line) -> bool:
    return line.became is became and not line.differences


if __name__ == "__main__":
    raise SystemExit(main())
