"""`payfirst find`: the payments that go by a receipt, a code, a phone number or its last four digits, or an address."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer
from rich.table import Column

from ops import words
from ops.deployed import Home, StackName
from ops.operate import By, table_in, who
from ops.printing import hand_over_json, say, show_table
from ops.running import HOME
from ops.sentences import in_one_sentence
from ops.times import local
from payfirst.api.resources import search_key
from payfirst.api.wire.search import SearchOut
from payfirst.domain.clock import utc_now
from payfirst.usecases.operators.search import search

_WHAT: str = "A receipt, TXN…, MT…, ORD-…, BK-…, R…, an e-mail address, a phone number or its last four digits."


def find_command(
    what: Annotated[str, typer.Argument(help=_WHAT)],
    before: Annotated[int | None, typer.Option(min=1, help="Go on behind an earlier page.", show_default="newest")] = None,
    size: Annotated[int, typer.Option(min=1, max=100, help="How many on a page.")] = 20,
    as_json: words.AsJson = False,
    by: By = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Find payments by what a customer has at hand.

    Newest first, with the code that `payfirst show` takes. Recorded with who searched, and limited to 120 in an hour.
    """
    with in_one_sentence():
        acting, table = who(by, stack_name), table_in(home, stack_name)
        found = search(table, search_key, what, utc_now(), by=acting, token=secrets.token_hex(8), size=size, before=before)
    if as_json:
        hand_over_json(SearchOut.of(found).model_dump(mode="json"))
        return
    if not found.found:
        say("Nothing goes by that name.")
        return
    columns = ("What", Column("Status", no_wrap=True), "Amount", Column("Made", no_wrap=True), Column("Look", no_wrap=True))
    show_table(
        columns,
        (
            (each.kind, each.status, f"{each.amount} {each.amount.currency}", local(each.at), f"payfirst show {each.code}")
            for each in found.found
        ),
    )
    if found.before is not None:
        say(f"There are more: --before {found.before} shows them.")
