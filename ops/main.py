"""`payfirst`: what an operator does from a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from ops import cost, erase, funnel, operate, orders, panels, reconcile
from ops.backup import backup_app
from ops.bookings import bookings_app
from ops.catalogue import catalogue_app
from ops.credentials import credentials_app
from ops.deployed import StackName, enter_stack
from ops.running import HOME, ROOT, table_of
from ops.seed import seed
from ops.sentences import fail, in_one_sentence
from ops.tick import Sweep, tick
from ops.token import mint

app = typer.Typer(
    name="payfirst",
    help="Work with a PayFirst stack: the local one that `make run` starts, or a deployed one with --stack-name.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.add_typer(orders.orders_app, rich_help_panel=panels.SHOP)
app.add_typer(bookings_app, rich_help_panel=panels.SHOP)
app.add_typer(catalogue_app, rich_help_panel=panels.SHOP)
app.add_typer(backup_app, rich_help_panel=panels.SHOP)
funnel.register(app)
erase.register(app)
cost.register(app)
operate.register(app)
reconcile.register(app)
app.add_typer(credentials_app, rich_help_panel=panels.SETTING_UP)

Home = Annotated[Path, typer.Option(help="Where the local stack keeps its state.", show_default=".local")]

SEEDED_CUSTOMER: Final = 1


@app.command("token", rich_help_panel=panels.SETTING_UP)
def token_command(
    user_id: Annotated[int, typer.Option(min=1, max=2**53 - 1, help="The customer's number in the shop.")] = SEEDED_CUSTOMER,
    email: Annotated[
        str, typer.Option(help="The customer's address.", show_default="user@example.com or userN@example.com")
    ] = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Print an ID token of a customer of a stack.

    Nothing else is printed. The customer is signed up if need be; the same address is the same customer. On a deployed stack
    nobody who has signed up before is touched. The token is good for an hour:

    export TOKEN=$(payfirst token --user-id 7)
    """
    with in_one_sentence():
        entered = enter_stack(stack_name, home)
        print(mint(entered.environment, user_id, email or _address_of(user_id), only_new=stack_name is not None))


@app.command("tick", rich_help_panel=panels.SETTING_UP)
def tick_command(
    sweep: Annotated[Sweep, typer.Argument(help="expire: unpaid sessions. reconcile: open payments. deliver: events.")],
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Run a scheduled function now and print its report.

    It runs in this process, against the local stack or a deployed one; the report is JSON. The function's log goes to
    standard error.
    """
    with in_one_sentence():
        enter_stack(stack_name, home)
        print(json.dumps(tick(sweep)))


@app.command("seed", rich_help_panel=panels.SETTING_UP)
def seed_command(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Catalogues in YAML.", show_default="docs/catalogue/*.yaml", exists=True, dir_okay=False),
    ] = None,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Add what the catalogue lacks; nothing that is there is changed.

    Stock and prices of what the local stack or a deployed one holds stay as they are.
    """
    with in_one_sentence():
        report = seed(table_of(enter_stack(stack_name, home)), files)
    print(f"{report.added} added, {report.kept} left as they were.")


@app.command("openapi", rich_help_panel=panels.DEVELOPING)
def openapi_command(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 and a diff if it is out of date.")
    ] = False,
) -> None:
    """Write the API's description (openapi.json) from the code."""
    from ops.reference import WRITTEN, difference, write_reference  # noqa: PLC0415 - the wire models take a while to load

    if not check:
        write_reference()
        print(f"Wrote {WRITTEN.relative_to(ROOT)}.")
        return
    lines = difference()
    if lines:
        print("\n".join(lines))
        fail("The API's description is out of date: run `make openapi` and look at what changed.")


@app.command("events", rich_help_panel=panels.DEVELOPING)
def events_command(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit with 1 if a file is out of date.")] = False,
) -> None:
    """Write the events' JSON Schemas (docs/events) from the code."""
    from ops.event_schemas import outdated, write_schemas  # noqa: PLC0415 - the models take a while to load

    if not check:
        write_schemas()
        print("Wrote docs/events.")
    elif names := outdated():
        fail(f"Out of date in docs/events: {', '.join(names)}. Run `make openapi` and look at what changed.")


def _address_of(user_id: int) -> str:
    return "user@example.com" if user_id == SEEDED_CUSTOMER else f"user{user_id}@example.com"


if __name__ == "__main__":
    app()
