"""`payfirst bookings`: what only the shop knows about a booking."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ops import words
from ops.deployed import StackName, enter_stack
from ops.operate import who
from ops.printing import say
from ops.running import HOME, table_of
from ops.sentences import in_one_sentence
from payfirst.domain.clock import utc_now
from payfirst.usecases.fulfilment.bookings import complete_by_code

bookings_app = typer.Typer(name="bookings", help="Tell what became of bookings.", no_args_is_help=True)

Home = Annotated[Path, typer.Option(help="Where the local stack keeps its state.", show_default=".local")]


@bookings_app.callback()
def bookings_command() -> None:
    """Tell what became of bookings."""


@bookings_app.command("complete")
def complete_command(
    codes: Annotated[list[str], typer.Argument(help="The bookings that took place: BK-…")],
    by: Annotated[str, words.option(help="Who says so, kept in the timeline.", show_default="your login")] = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Record that bookings took place.

    They can neither move nor be cancelled afterwards. Safe to repeat.
    """
    with in_one_sentence():
        wanted, acting = [words.booking_code(code) for code in codes], who(by, stack_name)
        table = table_of(enter_stack(stack_name, home))
        for code in wanted:
            done = complete_by_code(table, code, utc_now(), by=acting)
            say(f"{done.code}: {done.status}")
