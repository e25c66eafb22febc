"""The commands for the person on the list: what is stuck, one payment's whole story, and what only people decide."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import secrets
import sys
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Column
from rich.table import Table as Grid

from local.books import Became, compare, read_captures, read_items
from ops.deployed import StackName, enter_stack
from ops.running import HOME, enter, table_of
from ops.sentences import fail, in_one_sentence
from ops.tick import Sweep, tick
from payfirst.api import resources
from payfirst.domain.clock import Deadline, instant, utc_now
from payfirst.domain.errors import NotFoundError, RefusedError
from payfirst.domain.ids import read_id
from payfirst.domain.money import Money
from payfirst.domain.session import Session
from payfirst.gateways.base import Captured, Declined
from payfirst.settings import LatePayment, settings
from payfirst.storage import refunds, search, timeline
from payfirst.storage.table import Table
from payfirst.usecases import operate
from payfirst.usecases.settlement import Settling

Home = Annotated[Path, typer.Option(help="Where the local stack keeps its state.", show_default=".local")]
Why = Annotated[str, typer.Option(help="The reason, kept in the payment's timeline.", prompt=True)]
By = Annotated[str, typer.Option(help="Who decides, kept in the timeline.", show_default="your login")]

_REFUND: Final = re.compile(r"R(MT[0-9a-f]{13})-([0-9]{1,3})")
PLENTY_S: Final = 60.0


class Found(StrEnum):
    """What a person found an attempt under review to be."""

    PAID = "paid"
    UNPAID = "unpaid"


def table_in(home: Path, stack_name: str | None = None) -> Table:
    """The table of the deployed stack `stack_name`, else of the local one in `home`, which this process enters."""
    return table_of(enter_stack(stack_name, home))


def who(by: str) -> str:
    """Who acts, as timelines name it: `by`, else the login."""
    return f"operator:{by or getpass.getuser()}"


def stuck_command(stack_name: StackName = None, home: Home = HOME) -> None:
    """List what needs a person, and what has waited too long for a sweep; exit with 1 if there is anything."""
    with in_one_sentence():
        found = list(operate.stuck(table_in(home, stack_name), utc_now()))
    if not found:
        print("Nothing is stuck.")
        return
    grid = Grid("What", "Which", "Since")
    for entry in found:
        grid.add_row(entry.what, entry.key, instant(entry.since))
    Console().print(grid)
    raise typer.Exit(1)


def show_command(
    which: Annotated[str, typer.Argument(help="A session's UUID, or TXN…, MT…, BK-…, ORD-…, R….")],
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Show one payment's whole story: its session, its attempts and refunds, and everything that happened."""
    with in_one_sentence():
        table = table_in(home, stack_name)
        session = _session(table, which)
        events = timeline.read(table, session)
        paid_back = refunds.of_attempt(table, session.latest.ref) if session.latest else ()
    console = Console()
    console.print(
        f"[bold]{session.kind} session {session.uuid}[/]  {session.status}  {session.amount} {session.amount.currency}"
    )
    console.print(f"made {instant(session.created_at)}, to be paid until {instant(session.expires_at)}")
    if session.latest:
        console.print(f"latest attempt {session.latest.ref} ({session.latest.transaction}) through {session.latest.gateway}")
    if session.outcome:
        console.print(f"became {session.outcome.code}")
    for refund in paid_back:
        detail = f": {refund.detail}" if refund.detail else ""
        console.print(f"refund {refund.refund_id} of {refund.amount} is {refund.status}{detail}", markup=False)
    grid = Grid("#", Column("When", no_wrap=True), "What", "By", "Facts")
    for event in events:
        facts = ", ".join(f"{name}={value}" for name, value in event.facts.items())
        grid.add_row(str(event.sequence), instant(event.at), event.name, event.by, facts)
    console.print(grid)


def _session(table: Table, which: str) -> Session:
    refund = _REFUND.fullmatch(which)
    given = read_id(refund.group(1) if refund else which)
    session = None
    if given is not None and given.code is not None:
        session = search.by_code(table, given.code)
    elif given is not None and given.uuid is not None:
        session = search.by_uuid(table, str(given.uuid))
    if session is None:
        raise NotFoundError(f"There is nothing under {which}.")
    return session


def refund_command(
    ref: Annotated[str, typer.Argument(help="The attempt: MT….")],
    why: Why,
    amount: Annotated[str, typer.Option(help="In whole units, e.g. 100.00.", show_default="all that is left")] = "",
    by: By = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Give a payment back, in full or in part; the next sweep sends it. Asking twice while it is under way is refused."""
    with in_one_sentence():
        table = table_in(home, stack_name)
        currency = operate.case(table, ref).attempt.amount.currency
        wanted = Money.of(Decimal(amount), currency) if amount else None
        refund = operate.refund_payment(table, ref, wanted, utc_now(), by=who(by), why=why)
    print(f"{refund.refund_id}: {refund.amount} {refund.amount.currency} will be sent by the next sweep.")


def resolve_command(
    which: Annotated[str, typer.Argument(help="An attempt (MT…) or a refund (R…) that needs review.")],
    why: Why,
    found: Annotated[Found | None, typer.Option(help="What an attempt turned out to be.")] = None,
    receipt: Annotated[str, typer.Option(help="The gateway's receipt of a payment that was found.")] = "",
    refunded: Annotated[bool, typer.Option("--refunded", help="A refund was paid back by hand.")] = False,
    by: By = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Record what a person found out; the payment then goes on by itself. Safe to repeat."""
    with in_one_sentence():
        table, now = table_in(home, stack_name), utc_now()
        refund = _REFUND.fullmatch(which)
        if refund is not None:
            if not refunded:
                raise RefusedError("Say --refunded once the money is on its way by hand.")
            done = operate.resolve_refund(table, refund.group(1), int(refund.group(2)), now, by=who(by), why=why)
            print(f"{done.refund_id} is {done.status}.")
            return
        closed = operate.close_doubts(table, which, now, by=who(by), why=why)
        if closed and found is None:
            print(f"{which}: {closed} closed.")
            return
        if found is None:
            raise RefusedError("Say --found paid or --found unpaid.")
        print(f"{which}: {_resolve(table, which, found, receipt, now, who(by), why)}")


def _resolve(table: Table, ref: str, found: Found, receipt: str, now: datetime, by: str, why: str) -> str:
    amount = operate.case(table, ref).attempt.amount
    decision = (
        Captured(amount, receipt or None)
        if found is Found.PAID
        else Declined("found_unpaid", "The payment was not made; nothing was charged.", retryable=True)
    )
    policy = LatePayment(os.environ.get("LATE_PAYMENT", LatePayment.HONOUR))
    work = Settling(Table(table.client, table.name, Deadline(lambda: PLENTY_S)), now, secrets.token_bytes, policy)
    return str(operate.resolve_attempt(work, ref, decision, by=by, why=why))


def reconcile_command(
    check: Annotated[bool, typer.Option("--check", help="Compare the gateways' ledger with ours; change nothing.")] = False,
    home: Home = HOME,
) -> None:
    """Compare what the gateways collected with what the shop made of it, to the minor unit; exit with 1 on a difference.

    Without --check it settles what is due first, as the schedule does.
    """
    with in_one_sentence():
        stack = enter(home)
        if not check:
            print(json.dumps(tick(Sweep.RECONCILE)))
        captures = read_captures(stack.environment["PAYFIRST_SIMULATOR_URL"])
        books = compare(captures, read_items(stack.environment))
    became = Counter(line.became for line in books.lines)
    grid = Grid("Became", "Captures")
    for word in Became:
        grid.add_row(word, str(became[word]))
    Console().print(grid)
    if books.differences:
        fail("\n".join(books.differences))
    print(f"{len(books.lines)} captures, no difference.")


def replay_command(
    which: Annotated[str, typer.Argument(help="What `stuck` lists: MT…, R…, or the key of a stored notice, INBOX#….")],
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Take one attempt, refund or stored notice up again now, as a sweep would. Safe to repeat."""
    with in_one_sentence():
        enter_stack(stack_name, home)
        desk = resources.desk(utc_now(), Deadline(lambda: PLENTY_S))
        with contextlib.redirect_stdout(sys.stderr):
            word = operate.replay(desk, which, no_answer_after=timedelta(seconds=settings().mpesa_no_answer_seconds))
    print(f"{which}: {word}")


def register(app: typer.Typer) -> None:
    """Make these commands of `app`."""
    app.command("stuck")(stuck_command)
    app.command("show")(show_command)
    app.command("refund")(refund_command)
    app.command("resolve")(resolve_command)
    app.command("reconcile")(reconcile_command)
    app.command("replay")(replay_command)
