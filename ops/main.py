"""`payfirst`: what an operator does from a terminal."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from ops import logs, operate, orders, words
from ops.backup import backup_app
from ops.bookings import bookings_app
from ops.catalogue_by_hand import catalogue_app
from ops.cost import cost_command
from ops.credentials import credentials_app
from ops.deployed import Home, StackName, enter_stack
from ops.erase import erase_command
from ops.export import export_app
from ops.find import find_command
from ops.funnel import funnel_command
from ops.printing import hand_over, hand_over_json, say
from ops.reconcile.command import reconcile_command
from ops.running import HOME, ROOT, table_of
from ops.seed import seed
from ops.sentences import Sentences, fail, in_one_sentence
from ops.tick import Sweep, in_words, tick
from ops.token import mint
from ops.totals import totals_command
from payfirst.api import resources

SHOP: Final = "The shop's day"
PAYMENTS: Final = "Payments that need a person"
SETTING_UP: Final = "Setting up and trying out"
DEVELOPING: Final = "For developers"
"""The headings under which `payfirst --help` lists its commands."""

app = typer.Typer(
    name="payfirst",
    help="Work with a PayFirst stack: the local one that `make run` starts, or a deployed one with --stack-name.",
    cls=Sentences,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(orders.orders_app, rich_help_panel=SHOP)
app.add_typer(bookings_app, rich_help_panel=SHOP)
app.add_typer(export_app, rich_help_panel=SHOP)
app.add_typer(catalogue_app, rich_help_panel=SHOP)
app.add_typer(backup_app, rich_help_panel=SHOP)
app.command("find", rich_help_panel=SHOP)(find_command)
app.command("funnel", rich_help_panel=SHOP)(funnel_command)
app.command("totals", rich_help_panel=SHOP)(totals_command)
app.command("erase", rich_help_panel=SHOP)(erase_command)
app.command("cost", rich_help_panel=SETTING_UP)(cost_command)
app.command("stuck", rich_help_panel=PAYMENTS)(operate.stuck_command)
app.command("show", rich_help_panel=PAYMENTS)(operate.show_command)
app.command("refund", rich_help_panel=PAYMENTS)(operate.refund_command)
app.command("resolve", rich_help_panel=PAYMENTS)(operate.resolve_command)
app.command("replay", rich_help_panel=PAYMENTS)(operate.replay_command)
app.command("reconcile", rich_help_panel=PAYMENTS)(reconcile_command)
app.add_typer(credentials_app, rich_help_panel=SETTING_UP)

SEEDED_CUSTOMER: Final = 1
FIRST_OPERATOR: Final = 1000
"""Nobody's number in the examples, so that the customer of the documents stays one."""


def _version(asked: bool) -> None:
    if asked:
        say(f"payfirst {version('payfirst')}")
        raise typer.Exit


@app.callback()
def payfirst(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the log on standard error (PAYFIRST_LOG=1).")] = False,
    _: Annotated[bool, typer.Option("--version", help="Say which release this is.", callback=_version, is_eager=True)] = False,
    region: Annotated[str | None, words.option("--region", help="The region of --stack-name.")] = None,
) -> None:
    """Decide where the log goes, and which region is meant, before any command runs."""
    if region is not None:
        os.environ["AWS_DEFAULT_REGION"] = region
    context.with_resource(logs.aside(shown=logs.asked_for(verbose=verbose)))


@app.command("token", rich_help_panel=SETTING_UP)
def token_command(
    user_id: Annotated[
        int | None,
        typer.Option(min=1, max=2**53 - 1, help="The customer's number in the shop.", show_default="1; 1000 of an operator"),
    ] = None,
    email: Annotated[
        str,
        words.option(help="The customer's address.", show_default="user@…, userN@… or operator@example.com"),
    ] = "",
    phone: Annotated[str, words.option(help="A phone number instead, as +254712345678: a customer without an address.")] = "",
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Nobody has verified the address: no mail goes there.")
    ] = False,
    operator: Annotated[bool, typer.Option("--operator", help="One of the shop's own people, for good.")] = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Print an ID token of a customer of a stack.

    Nothing else is printed. The customer is signed up if need be; the same address or number is the same customer. On a
    deployed stack nobody who has signed up before is touched. The token is good for an hour:

    export TOKEN=$(payfirst token --user-id 7)
    """
    with in_one_sentence():
        if email and phone:
            fail("Give --email or --phone: the customer signs in by one of them.", exit_code=2)
        name = words.phone(phone) if phone else email or _address_of(user_id, operator)
        number = user_id or (FIRST_OPERATOR if operator else SEEDED_CUSTOMER)
        entered = enter_stack(stack_name, home)
        hand_over(
            mint(
                entered.environment,
                number,
                name,
                groups=[resources.OPERATORS] if operator else [],
                only_new=stack_name is not None,
                verified=not unverified,
            )
        )


@app.command("tick", rich_help_panel=SETTING_UP)
def tick_command(
    sweep: Annotated[Sweep, typer.Argument(help="expire: unpaid sessions. reconcile: open payments. deliver: events.")],
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Run a scheduled function now and say what it did.

    It runs in this process, against the local stack or a deployed one.
    """
    with in_one_sentence():
        enter_stack(stack_name, home)
        report = tick(sweep)
    if as_json:
        hand_over_json(report)
    else:
        say(in_words(sweep, report))


@app.command("seed", rich_help_panel=SETTING_UP)
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
    say(f"{report.added} added, {report.kept} left as they were.")


@app.command("openapi", rich_help_panel=DEVELOPING)
def openapi_command(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 and a diff if it is out of date.")
    ] = False,
) -> None:
    """Write the API's description from the code."""
    from ops.api_reference.write import difference, write_reference  # noqa: PLC0415 - the wire models take a while to load

    if not check:
        say(f"Wrote {write_reference().relative_to(ROOT)}.")
        return
    lines = difference()
    if lines:
        hand_over("\n".join(lines))
        fail("The API's description is out of date: run `make openapi` and look at what changed.")


@app.command("events", rich_help_panel=DEVELOPING)
def events_command(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit with 1 if a file is out of date.")] = False,
) -> None:
    """Write the events' JSON Schemas (docs/events) from the code."""
    from ops.event_schemas import outdated, write_schemas  # noqa: PLC0415 - the models take a while to load

    if not check:
        write_schemas()
        say("Wrote docs/events.")
    elif names := outdated():
        fail(f"Out of date in docs/events: {', '.join(names)}. Run `make openapi` and look at what changed.")


def _address_of(user_id: int | None, operator: bool) -> str:
    who = "operator" if operator else "user"
    return (
        f"{who}@example.com"
        if user_id in (None, FIRST_OPERATOR if operator else SEEDED_CUSTOMER)
        else f"{who}{user_id}@example.com"
    )


if __name__ == "__main__":
    app(prog_name="payfirst")
