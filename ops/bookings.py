"""`payfirst bookings`: the bookings of a day, and what the shop does with one of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from rich.table import Column

from ops import words
from ops.deployed import Home, StackName
from ops.operate import By, table_in, who
from ops.printing import hand_over_json, say, show_table
from ops.running import HOME
from ops.sentences import in_one_sentence
from payfirst.api.wire.operators_bookings import BookingDetailOut, ShopBookingOut
from payfirst.domain.booking import Actor, Booking
from payfirst.domain.clock import BOOKINGS_ZONE, utc_now
from payfirst.domain.moves import BookingStatus
from payfirst.settings import settings
from payfirst.usecases.fulfilment.bookings import Standing, cancel, reschedule
from payfirst.usecases.operators import appointments

bookings_app: Final = typer.Typer(name="bookings", help="See, complete, move and cancel bookings.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="The booking: BK-….")]
ALL: Final = 100_000
_ABOUT: Final = ("What", "Who", "Where", "Paid")


@bookings_app.command("list")
def list_command(
    day: Annotated[str, words.option(help="The first day, YYYY-MM-DD.", show_default="today in India")] = "",
    days: Annotated[int, typer.Option(min=1, max=92, help="How many days from that one on.")] = 1,
    status: Annotated[
        BookingStatus | None, typer.Option(case_sensitive=False, help="Only bookings of this status.", show_default="all")
    ] = None,
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """List the bookings of some days.

    By their time on their services' clocks: who comes, for what, and where.
    """
    with in_one_sentence():
        first = words.day(day, utc_now()) if day else datetime.now(ZoneInfo(BOOKINGS_ZONE)).date()
        table, wanted = table_in(home, stack_name), [first + timedelta(days=ahead) for ahead in range(days)]
        found = [booking for each in wanted for booking in appointments.of_day(each, status, table=table, most=ALL).bookings]
    if as_json:
        hand_over_json([_json(booking) for booking in found])
        return
    if not found:
        say(f"No {f'{status} ' if status else ''}bookings from {wanted[0]} to {wanted[-1]}.")
        return
    columns = [*(Column(title, no_wrap=True) for title in ("When", "Booking", "Status")), *map(Column, _ABOUT)]
    show_table(columns, ((_when(booking), booking.code, booking.status, *_about(booking)) for booking in found))


def _json(booking: Booking) -> dict[str, Any]:
    return ShopBookingOut.of(booking).model_dump(mode="json")


def _when(booking: Booking) -> str:
    return f"{booking.content.day} {booking.content.at:%H:%M}"


def _about(booking: Booking) -> tuple[str, str, str, str]:
    """What is booked, by whom, where it takes place, and what was paid."""
    content, address = booking.content, booking.content.address
    what = ", ".join(filter(None, (content.service_name, content.package_name)))
    whom = ", ".join(filter(None, (content.customer_name, content.phone_number or booking.email)))
    where = address if isinstance(address, str) else ", ".join((address or {}).values())
    return what, whom, where, f"{booking.amount} {booking.amount.currency}"


@bookings_app.command("show")
def show_command(code: Code, as_json: words.AsJson = False, stack_name: StackName = None, home: Home = HOME) -> None:
    """Show a booking.

    With its payment, and what cancelling it now would give back.
    """
    with in_one_sentence():
        found = appointments.show(table_in(home, stack_name), words.booking_code(code), utc_now())
    if as_json:
        hand_over_json(BookingDetailOut.of_standing(found).model_dump(mode="json"))
        return
    booking, (what, whom, where, paid) = found.booking, _about(found.booking)
    say(f"{booking.code} is {booking.status}: {what}, {_when(booking)} ({booking.content.zone})")
    said = (("who", whom), ("where", where), ("paid", f"{paid}, {found.session.payment_status}"), ("receipt", booking.receipt))
    say(*(f"{label}: {text}" for label, text in said if text))
    say(*(f"refund {refund.refund_id} of {refund.amount} is {refund.status}" for refund in found.refunds))
    if found.gives:
        say(f"cancelling gives back {found.gives.by_rule} by its rule, {found.gives.in_full} in full")


@bookings_app.command("index")
def index_command(stack_name: StackName = None, home: Home = HOME) -> None:
    """List the bookings of an earlier release too.

    Once after upgrading from one that kept no lists by day. Safe to repeat.
    """
    with in_one_sentence():
        entered = appointments.enter_earlier(table_in(home, stack_name), utc_now())
    say(f"{entered} bookings that are to come are listed by their day.")


@bookings_app.command("complete")
def complete_command(
    codes: Annotated[list[str], typer.Argument(help="The bookings that took place: BK-…")],
    by: By = "",
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Record that bookings took place.

    They can neither move nor be cancelled afterwards. Safe to repeat.
    """
    with in_one_sentence():
        wanted, acting, table = [words.booking_code(code) for code in codes], who(by, stack_name), table_in(home, stack_name)
        done = []
        for code in wanted:
            done.append(appointments.complete_by_code(table, code, utc_now(), by=acting))
            if not as_json:
                say(f"{done[-1].code}: {done[-1].status}")
    if as_json:
        hand_over_json([_json(booking) for booking in done])


@bookings_app.command("move")
def move_command(
    code: Code,
    day: Annotated[str, typer.Argument(help="The new day, YYYY-MM-DD.")],
    time: Annotated[str, typer.Argument(help="The new time on the service's clock: 14:30 or 2:30 PM.")],
    why: Annotated[str, words.option(help="A reason for the shop's own people, kept in the timeline.")] = "",
    by: By = "",
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Move a booking to another day and time.

    Its customer is written to. Nothing is charged, and a slot that cannot be had leaves the old one. Safe to repeat.
    """
    with in_one_sentence():
        wanted, at, now = words.booking_code(code), words.time_of_day(time), utc_now()
        to, actor = words.day(day, now), Actor(who(by, stack_name), words.reason(why) if why else None)
        table = table_in(home, stack_name)
        found = appointments.find(table, wanted)
        moved = reschedule(found, to, at, None, table=table, now=now, days=settings().days, actor=actor)
    if as_json:
        hand_over_json(_json(moved))
        return
    say(f"{moved.code} is on {_when(moved)} ({moved.content.zone}).")


@bookings_app.command("cancel")
def cancel_command(
    code: Code,
    why: Annotated[str, typer.Option(help="The reason, for the shop's own people.", prompt=True)],
    in_full: Annotated[bool, typer.Option("--in-full", help="Give back all that is left, whatever its rule says.")] = False,
    refund: Annotated[
        str, words.option(help="What goes back, as `show` says it; without it you are told and asked.", show_default=False)
    ] = "",
    by: By = "",
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Cancel a booking and give its money back.

    What goes back is said first; if that has changed when you agree, nothing happens. The next sweep asks the gateway to pay.
    """
    with in_one_sentence():
        wanted, actor = words.booking_code(code), Actor(who(by, stack_name), words.reason(why))
        if as_json and not refund:
            raise words.WrongInputError("With --json nobody is asked: say by --refund what goes back.")
        table = table_in(home, stack_name)
        found = appointments.show(table, wanted, utc_now())
        said = words.amount_or_nothing(refund, found.booking.amount.currency) if refund else None
        if said is None and found.gives is not None:
            said = found.gives.in_full if in_full else found.gives.by_rule
            _agree(found, f"{said} {said.currency}")
        done = cancel(found.booking, None, table=table, now=utc_now(), actor=actor, in_full=in_full, said=said)
    if as_json:
        hand_over_json(_json(done))
        return
    say(f"{done.code} is cancelled; {done.refund or 'nothing'} goes back.")


def _agree(found: Standing, back: str) -> None:
    what, whom, _, paid = _about(found.booking)
    say(f"{found.booking.code}: {what}, {_when(found.booking)}, {whom}. Of {paid} that were paid, {back} go back.")
    typer.confirm("Cancel it?", abort=True, err=True)
