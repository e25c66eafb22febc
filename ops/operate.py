"""The commands for the person on the list: what is stuck, one payment's whole story, and what only people decide."""

from __future__ import annotations

import getpass
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Column

from ops import words
from ops.deployed import Home, StackName, caller, enter_stack
from ops.printing import hand_over_json, say, show_table
from ops.running import HOME, table_of
from ops.sentences import in_one_sentence
from ops.times import local, zone_of
from payfirst.api import resources
from payfirst.domain.clock import Deadline, read_instant, utc_now
from payfirst.domain.event import Event
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency, Money
from payfirst.domain.refund import parts_of_refund_id
from payfirst.domain.session import Session
from payfirst.gateways.registry import no_answer_after
from payfirst.settings import settings
from payfirst.storage import lookup
from payfirst.storage.dynamodb import due_index
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.context import SettlementContext
from payfirst.usecases.operators import review, waiting

Why = Annotated[str, typer.Option(help="The reason, kept in the payment's timeline.", prompt=True)]
By = Annotated[str, words.option(help="A note on who decides, kept in the timeline beside who you are.")]

PLENTY_S: Final = 60.0


class Found(StrEnum):
    """What a person found an attempt under review to be."""

    PAID = "paid"
    UNPAID = "unpaid"


def table_in(home: Path, stack_name: str | None = None) -> Table:
    """The table of the deployed stack `stack_name`, else of the local one in `home`, which this process enters."""
    return table_of(enter_stack(stack_name, home))


def who(by: str, stack_name: str | None) -> str:
    """Who acts, as timelines name it: the login, or whom AWS knows where it is a deployed stack; beside it the note `by`.

    WrongInputError for a `by` that is no name, botocore's errors where AWS knows nobody.
    """
    note, login = [words.name(by)] if by else [], getpass.getuser()
    identity, beside = (login, note) if stack_name is None else (caller(), [login, *note])
    return f"operator:{identity} ({', '.join(beside)})" if beside else f"operator:{identity}"


def stuck_command(as_json: words.AsJson = False, stack_name: StackName = None, home: Home = HOME) -> None:
    """List what needs a person.

    So does what has waited too long for a sweep. Exits with 1 if there is anything.
    """
    with in_one_sentence():
        found = list(waiting.stuck(table_in(home, stack_name), utc_now()))
    if as_json:
        from payfirst.api.wire.operators import WaitingOut  # noqa: PLC0415 - the wire models take a while to load

        hand_over_json([WaitingOut.of(entry).model_dump() for entry in found])
    elif not found:
        say("Nothing is stuck.")
    else:
        show_table(("What", "Which", "Since"), ((entry.what, entry.key, local(entry.since)) for entry in found))
    if found:
        raise typer.Exit(1)


def show_command(
    which: Annotated[str, typer.Argument(help="A session's UUID, or TXN…, MT…, BK-…, ORD-…, R….")],
    notices: Annotated[bool, typer.Option("--notices", help="What its gateway sent too, without what says who paid.")] = False,
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Show one payment's whole story.

    Its session, its latest attempt, the one that was asked for, their refunds, and everything that happened.
    """
    with in_one_sentence():
        given = words.any_id(which)
        table = table_in(home, stack_name)
        found = review.story(table, _session(table, which, given), which)
        sent = review.notices_of(table, found) if notices else None
    if as_json:
        from payfirst.api.wire.operators import StoryOut  # noqa: PLC0415 - the wire models take a while to load

        hand_over_json(StoryOut.of(found, sent).model_dump())
        return
    session, zone = found.session, zone_of(found.session)
    currency = session.amount.currency
    say(f"{session.kind} session {session.uuid}  {session.status}  {session.amount} {currency}")
    say(f"made {local(session.created_at, zone)}, to be paid until {local(session.expires_at, zone)}")
    for attempt in found.attempts:
        say(f"attempt {attempt.ref} ({attempt.transaction}) through {attempt.gateway} is {attempt.status}")
    if session.outcome:
        say(f"became {session.outcome.code}")
    for refund in found.refunds:
        detail = f": {refund.detail}" if refund.detail else ""
        say(f"refund {refund.refund_id} of {refund.amount} {currency} is {refund.status}{detail}")
        if refund.to_do:
            say(f'{refund.to_do}, then record it: payfirst resolve {refund.refund_id} --refunded --why "…"')
    columns = ("#", Column("When", no_wrap=True), "What", "By", "Facts")
    show_table(
        columns,
        (
            (str(event.sequence), local(event.at, zone), event.name, event.by, _facts(event, currency, zone))
            for event in found.events
        ),
    )
    for notice in sent[0] if sent else ():
        settled = f"settled {local(notice.settled_at, zone)}" if notice.settled_at else "not settled yet"
        say(f"{notice.attempt}, {notice.size} bytes, received {local(notice.received_at, zone)}, {settled}:")
        say(*notice.body.splitlines())
    if sent and sent[1]:
        say("There are more than these.")


def _facts(event: Event, currency: Currency, zone: str) -> str:
    return ", ".join(f"{name}={_fact(name, value, currency, zone)}" for name, value in event.facts.items())


def _fact(name: str, value: object, currency: Currency, zone: str) -> str:
    """A fact as the shop writes it: amounts are kept in minor units, instants in UTC."""
    if name == "amount":
        return f"{Money(int(str(value)), currency)} {currency}"
    return local(read_instant(str(value)), zone) if name == "expires_at" else str(value)


def _session(table: Table, which: str, given: GivenId) -> Session:
    by_uuid = lookup.by_uuid(table, str(given.uuid)) if given.uuid else None
    return by_uuid or review.find(table, which)


def refund_command(
    ref: Annotated[str, typer.Argument(help="The payment: MT…, ORD-… or BK-….")],
    why: Why,
    amount: Annotated[str, words.option(help="In whole units, e.g. 100.00.", show_default="all that is left")] = "",
    by: By = "",
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Give a payment back, in full or in part.

    The next sweep sends it. Asking twice while it is under way is refused.
    """
    with in_one_sentence():
        wanted, said, acting = words.payment(ref), words.reason(why), who(by, stack_name)
        table = table_in(home, stack_name)
        wanted = review.attempt_of(table, wanted)
        currency = review.case(table, wanted).attempt.amount.currency
        part = words.amount(amount, currency) if amount else None
        refund = review.refund_payment(table, wanted, part, utc_now(), by=acting, why=said)
    if as_json:
        from payfirst.api.wire.operators import GivenBackOut  # noqa: PLC0415 - the wire models take a while to load

        hand_over_json(GivenBackOut.of(refund).model_dump())
        return
    say(f"{refund.refund_id}: {refund.amount} {refund.amount.currency} goes back; the next sweep asks the gateway to pay it.")


def resolve_command(
    which: Annotated[str, typer.Argument(help="What needs review: MT…, R…, or what `stuck` calls it.")],
    why: Why,
    found: Annotated[Found | None, typer.Option(help="What an attempt turned out to be.")] = None,
    receipt: Annotated[str, words.option(help="The gateway's receipt of a payment that was found.")] = "",
    refunded: Annotated[bool, typer.Option("--refunded", help="A refund was paid back by hand.")] = False,
    by: By = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Record what a person found out.

    The payment then goes on by itself. A notice, an event or an e-mail that is on the list (INBOX#… or 'U#… E#…') is closed:
    nobody tries it any more. Safe to repeat.
    """
    with in_one_sentence():
        refund, said, acting, seen = parts_of_refund_id(which), words.reason(why), who(by, stack_name), words.receipt(receipt)
        if due_index.is_like_a_key(which):
            closed = waiting.close(table_in(home, stack_name), which, utc_now(), by=acting, why=said)
            say(f"{which}: {closed}.")
            return
        if refund is None:
            words.attempt_ref(which)
        if seen and found is not Found.PAID:
            raise words.WrongInputError("A receipt belongs to a payment that was found: say --found paid.")
        table, now = table_in(home, stack_name), utc_now()
        if refund is not None:
            if not refunded:
                raise words.WrongInputError("Say --refunded once the money is on its way by hand.")
            done = review.resolve_refund(table, *refund, now, by=acting, why=said)
            say(
                f"{done.refund_id} is {done.status}."
                if done.by_hand
                else f"{done.detail}. `payfirst stuck` lists it until it is closed."
            )
            return
        context = SettlementContext(
            table=table, now=now, entropy=secrets.token_bytes, late_payment=settings().late_payment, days=settings().days
        )
        paid = None if found is None else found is Found.PAID
        became = review.resolve(context, which, paid=paid, receipt=seen, by=acting, why=said)
    words_of = [] if paid is None else [became.result]
    say(f"{which}: {', '.join([*words_of, *([f'{became.doubts_closed} closed'] if became.doubts_closed else [])])}.")


def replay_command(
    which: Annotated[str, typer.Argument(help="What `stuck` lists: MT…, R…, INBOX#…, or 'U#… …' in quotes.")],
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Take what `stuck` lists up again.

    An attempt, a refund or a notice is taken up now as a sweep would, anything else by the next sweep. Safe to repeat.
    """
    with in_one_sentence():
        enter_stack(stack_name, home)
        context = resources.notice_context(utc_now(), Deadline(lambda: PLENTY_S))
        word = waiting.replay(context, which, no_answer_after=no_answer_after())
    say(f"{which}: {word}")
