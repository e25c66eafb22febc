"""The commands for the person on the list: what is stuck, one payment's whole story, and what only people decide."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import sys
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Column
from rich.table import Table as Grid

from ops import panels, words
from ops.deployed import StackName, enter_stack
from ops.running import HOME, table_of
from ops.sentences import in_one_sentence
from payfirst.api import resources
from payfirst.domain.clock import Deadline, instant, utc_now
from payfirst.domain.ids import GivenId
from payfirst.domain.refund import parts_of_refund_id
from payfirst.domain.session import Session
from payfirst.settings import LatePayment, settings
from payfirst.storage import search
from payfirst.storage.table import Table
from payfirst.usecases import operate
from payfirst.usecases.settling import Settling

Home = Annotated[Path, typer.Option(help="Where the local stack keeps its state.", show_default=".local")]
Why = Annotated[str, typer.Option(help="The reason, kept in the payment's timeline.", prompt=True)]
By = Annotated[str, typer.Option(help="Who decides, kept in the timeline.", show_default="your login")]

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
    """List what needs a person.

    So does what has waited too long for a sweep. Exits with 1 if there is anything.
    """
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
    """Show one payment's whole story.

    Its session, its latest attempt with its refunds, and everything that happened.
    """
    with in_one_sentence():
        given = words.any_id(which)
        table = table_in(home, stack_name)
        found = operate.story(table, _session(table, which, given))
    session, console = found.session, Console()
    console.print(
        f"[bold]{session.kind} session {session.uuid}[/]  {session.status}  {session.amount} {session.amount.currency}"
    )
    console.print(f"made {instant(session.created_at)}, to be paid until {instant(session.expires_at)}")
    for attempt in found.attempts:
        console.print(f"attempt {attempt.ref} ({attempt.transaction}) through {attempt.gateway} is {attempt.status}")
    if session.outcome:
        console.print(f"became {session.outcome.code}")
    for refund in found.refunds:
        detail = f": {refund.detail}" if refund.detail else ""
        console.print(f"refund {refund.refund_id} of {refund.amount} is {refund.status}{detail}", markup=False)
    grid = Grid("#", Column("When", no_wrap=True), "What", "By", "Facts")
    for event in found.events:
        facts = ", ".join(f"{name}={value}" for name, value in event.facts.items())
        grid.add_row(str(event.sequence), instant(event.at), event.name, event.by, facts)
    console.print(grid)


def _session(table: Table, which: str, given: GivenId) -> Session:
    by_uuid = search.by_uuid(table, str(given.uuid)) if given.uuid else None
    return by_uuid or operate.find(table, which)


def refund_command(
    ref: Annotated[str, typer.Argument(help="The attempt: MT….")],
    why: Why,
    amount: Annotated[str, typer.Option(help="In whole units, e.g. 100.00.", show_default="all that is left")] = "",
    by: By = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Give a payment back, in full or in part.

    The next sweep sends it. Asking twice while it is under way is refused.
    """
    with in_one_sentence():
        wanted, said = words.attempt_ref(ref), words.reason(why)
        table = table_in(home, stack_name)
        currency = operate.case(table, wanted).attempt.amount.currency
        part = words.amount(amount, currency) if amount else None
        refund = operate.refund_payment(table, wanted, part, utc_now(), by=who(by), why=said)
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
    """Record what a person found out.

    The payment then goes on by itself. Safe to repeat.
    """
    with in_one_sentence():
        refund, said = parts_of_refund_id(which), words.reason(why)
        if refund is None:
            words.attempt_ref(which)
        table, now = table_in(home, stack_name), utc_now()
        if refund is not None:
            if not refunded:
                raise words.WrongInputError("Say --refunded once the money is on its way by hand.")
            done = operate.resolve_refund(table, *refund, now, by=who(by), why=said)
            print(f"{done.refund_id} is {done.status}.")
            return
        closed = operate.close_doubts(table, which, now, by=who(by), why=said)
        if closed and found is None:
            print(f"{which}: {closed} closed.")
            return
        if found is None:
            raise words.WrongInputError("Say --found paid or --found unpaid.")
        print(f"{which}: {_resolve(table, which, found, receipt, now, who(by), said)}")


def _resolve(table: Table, ref: str, found: Found, receipt: str, now: datetime, by: str, why: str) -> str:
    policy = LatePayment(os.environ.get("LATE_PAYMENT", LatePayment.HONOUR))
    work = Settling(Table(table.client, table.name, Deadline(lambda: PLENTY_S)), now, secrets.token_bytes, policy)
    paid = found is Found.PAID
    return str(operate.resolve_as_found(work, ref, paid=paid, receipt=receipt or None, by=by, why=why))


def replay_command(
    which: Annotated[str, typer.Argument(help="What `stuck` lists: MT…, R…, or the key of a stored notice, INBOX#….")],
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Take one attempt, refund or notice up again.

    It is taken up now as a sweep would. Safe to repeat.
    """
    with in_one_sentence():
        enter_stack(stack_name, home)
        desk = resources.desk(utc_now(), Deadline(lambda: PLENTY_S))
        with contextlib.redirect_stdout(sys.stderr):
            word = operate.replay(desk, which, no_answer_after=timedelta(seconds=settings().mpesa_no_answer_seconds))
    print(f"{which}: {word}")


def register(app: typer.Typer) -> None:
    """Make these commands of `app`."""
    app.command("stuck", rich_help_panel=panels.PAYMENTS)(stuck_command)
    app.command("show", rich_help_panel=panels.PAYMENTS)(show_command)
    app.command("refund", rich_help_panel=panels.PAYMENTS)(refund_command)
    app.command("resolve", rich_help_panel=panels.PAYMENTS)(resolve_command)
    app.command("replay", rich_help_panel=panels.PAYMENTS)(replay_command)
