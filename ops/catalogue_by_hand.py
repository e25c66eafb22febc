"""`payfirst catalogue show`, `change`, `set-stock` and `add-stock`: one entry, as whoever runs the day keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ops import words
from ops.catalogue import Difference, catalogue_app
from ops.catalogue_file import as_raw, as_yaml
from ops.deployed import Home, StackName
from ops.operate import By, table_in, who
from ops.printing import hand_over, hand_over_json, say
from ops.running import HOME
from ops.sentences import in_one_sentence
from payfirst.api.wire.by_hand import KeptListingOut, KeptServiceOut
from payfirst.domain.catalogue import Listing, Service
from payfirst.domain.clock import utc_now
from payfirst.storage.catalogue_edits import AS_IT_IS, Stock
from payfirst.usecases import catalogue
from payfirst.usecases.operators.edit_catalogue import Change, change_listing, change_service, version_of

__all__ = ["catalogue_app"]

What = Annotated[str, typer.Argument(help="A listing's number, or a service as PUJA-1.")]
Of = Annotated[str, typer.Argument(help="The listing's number.")]
Version = Annotated[
    str, words.option(help="The version that `show` printed: refused if somebody was faster.", show_default="as it is now")
]


@catalogue_app.command("show")
def show_command(what: What, as_json: words.AsJson = False, stack_name: StackName = None, home: Home = HOME) -> None:
    """Show a listing or a service, with its version."""
    with in_one_sentence():
        kind, number = words.catalogue_entry(what)
        table = table_in(home, stack_name)
        entry = catalogue.find_service(number, kind, table=table) if kind else catalogue.find_listing(number, table=table)
    if as_json:
        _hand_over(entry)
        return
    hand_over(as_yaml({**as_raw(entry), "version": version_of(entry)}))


@catalogue_app.command("change")
def change_command(
    what: What,
    price: Annotated[str | None, words.option(help="What it costs, as 160.00.", show_default=False)] = None,
    package: Annotated[list[str] | None, typer.Option(help="What a package costs, as 2=999.00.", show_default=False)] = None,
    name: Annotated[str | None, words.option(help="What it is called.", show_default=False)] = None,
    description: Annotated[str | None, words.option(help="What it is.", show_default=False)] = None,
    image_url: Annotated[str | None, words.option(help="The https address of a picture.", show_default=False)] = None,
    no_image: Annotated[bool, typer.Option("--no-image", help="Take its picture away.")] = False,
    active: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is sold.", show_default=False)] = None,
    version: Version = "",
    by: By = "",
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Change what an entry costs, says or shows.

    What a payment session has frozen stays as its customer was told.
    """
    with in_one_sentence():
        change = Change(
            name=None if name is None else words.description(name),
            description=None if description is None else words.description(description),
            image_url="" if no_image else None if image_url is None else words.picture(image_url),
            active=active,
            price=None if price is None else words.price(price),
            prices=dict(map(words.package_price, package or ())),
        )
        if change == Change():
            raise words.WrongInputError("Nothing is to be changed; --help says what can be.")
        before, after = _change(what, change, version, by, home, stack_name)
    if as_json:
        _hand_over(after)
    else:
        say(*(list(Difference(after, before).lines()) or [f"{what} is so already."]))


@catalogue_app.command("set-stock")
def set_stock_command(
    listing: Of,
    available: Annotated[str, typer.Argument(help="How much can be bought from now on, in its unit.")],
    version: Version = "",
    by: By = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Set how much of a listing can be bought.

    What is held or sold is not touched. With --version it is refused if some was bought since then.
    """
    with in_one_sentence():
        _restock(listing, Stock(to=words.quantity(available)), version, by, home, stack_name)


@catalogue_app.command("add-stock")
def add_stock_command(
    listing: Of,
    quantity: Annotated[str, typer.Argument(help="How much comes to what can be bought, in its unit.")],
    take_away: Annotated[bool, typer.Option("--take-away", help="It goes from there instead.")] = False,
    version: Version = "",
    by: By = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Add to what can be bought of a listing, or take from it."""
    with in_one_sentence():
        step = words.quantity(quantity) * (-1 if take_away else 1)
        if not step:
            raise words.WrongInputError("A quantity above zero is expected.")
        _restock(listing, Stock(by=step), version, by, home, stack_name)


def _restock(listing: str, stock: Stock, version: str, by: str, home: Path, stack_name: str | None) -> None:
    before, after = _change(listing, Change(stock=stock), version, by, home, stack_name)
    if isinstance(before, Listing) and isinstance(after, Listing):
        say(f"listing {listing}: {before.available.normalize():f} -> {after.available.normalize():f}")


def _change(
    what: str, change: Change, version: str, by: str, home: Path, stack_name: str | None
) -> tuple[Listing | Service, Listing | Service]:
    kind, number = words.catalogue_entry(what)
    acting, seen, now = who(by, stack_name), version or None, utc_now()
    if kind is None:
        if change.prices:
            raise words.WrongInputError("A listing has a price and no packages.")
        return change_listing(table_in(home, stack_name), number, change, version=seen, by=acting, now=now)
    if change.stock != AS_IT_IS:
        raise words.WrongInputError("A service has a calendar and no stock.")
    return change_service(table_in(home, stack_name), number, kind, change, version=seen, by=acting, now=now)


def _hand_over(entry: Listing | Service) -> None:
    shown = KeptListingOut.of(entry) if isinstance(entry, Listing) else KeptServiceOut.of(entry)
    hand_over_json(shown.model_dump(mode="json"))
