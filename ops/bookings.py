"""`payfirst bookings`: what only the shop knows about a booking."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from ops import words
from ops.deployed import StackName, enter_stack
from ops.running import HOME, table_of
from ops.sentences import in_one_sentence
from payfirst.domain.booking import Booking
from payfirst.domain.clock import utc_now
from payfirst.domain.errors import NotFoundError
from payfirst.storage import bookings, keys
from payfirst.storage.attempts import read_pointer
from payfirst.storage.table import Table
from payfirst.usecases.bookings import complete

bookings_app = typer.Typer(name="bookings", help="Tell what became of bookings.", no_args_is_help=True)

Home = Annotated[Path, typer.Option(help="Where the local stack keeps its state.", show_default=".local")]


@bookings_app.callback()
def bookings_command() -> None:
    """Tell what became of bookings."""


@bookings_app.command("complete")
def complete_command(
    codes: Annotated[list[str], typer.Argument(help="The bookings that took place: BK-…")],
    by: Annotated[str, typer.Option(help="Who says so, kept in the timeline.", show_default="your login")] = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Record that bookings took place.

    They can neither move nor be cancelled afterwards. Safe to repeat.
    """
    with in_one_sentence():
        wanted = [words.booking_code(code) for code in codes]
        table = table_of(enter_stack(stack_name, home))
        for code in wanted:
            done = complete(by_code(table, code), table=table, now=utc_now(), by=f"operator:{by or getpass.getuser()}")
            print(f"{done.code}: {done.status}")


def by_code(table: Table, code: str) -> Booking:
    """The booking `BK-…`, whoever owns it; NotFoundError."""
    pointer = read_pointer(table, code)
    found = None
    if pointer is not None and pointer.get("what") == keys.BOOKING:
        found = bookings.read(table, pointer["owner"], int(pointer["number"]))
    if found is None:
        raise NotFoundError(f"There is no booking {code}.")
    return found
