"""Nothing rests for ever: each state of the table in `docs/guarantees.md` is walked to its end, by command and by route."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from ops.main import app
from payfirst.domain.clock import instant
from payfirst.domain.moves import AttemptStatus, BookingStatus, OrderStatus, RefundStatus, SessionStatus
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import captures
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.table import Key
from tests.faults import counter
from tests.faults.attacks.meanwhile import has
from tests.faults.attacks.registry import declined
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.operators import ordered
from tests.faults.flows.sweeps import surplus
from tests.faults.model_table import ModelTable
from tests.faults.seam import Fault, Killed
from tests.faults.world import World, at_work

PAGE: Final = (Path(__file__).parents[2] / "docs" / "guarantees.md").read_text(encoding="utf-8")
SECTION: Final = PAGE.partition("## Where something may rest")[2].partition("\n## ")[0]
ROWS: Final = [
    [cell.strip() for cell in line.strip("| ").split(" | ")] for line in SECTION.splitlines() if line.startswith("| ")
][1:]
NAMES: Final = re.compile(r"(MT…|R…|INBOX#…|U#… [ES]#…|BK-…|ORD-…)")
WHY: Final = "seen in the portal"

Prepare = Callable[[World], str]
STATES: Final[dict[str, Prepare]] = {}


def state(*names: str) -> Callable[[Prepare], Prepare]:
    def written(prepare: Prepare) -> Prepare:
        STATES.update(dict.fromkeys(names, prepare))
        return prepare

    return written


def dead_letter(world: World, key: Key, **values: object) -> None:
    has(key, **due_index.due(due_index.REVIEW, dict(key), world.now), tries=5, **values)(world)


WORK: Final = {
    "ATT": due_index.SETTLE,
    "INBOX": due_index.SETTLE,
    "R": due_index.REFUND,
    "S": due_index.EXPIRE,
    "B": due_index.COMPLETE,
}


def as_dead_letters(world: World) -> None:
    """A dead letter stands where this release puts it; `dead_letter` puts it where earlier ones have left it."""
    for item in world.items():
        if item.get("tries") == 5:
            of_event = due_index.MAIL if "delivered_at" in item else due_index.OUTBOX
            kind = WORK.get(item["sk"].partition("#")[0], of_event)
            later = instant(world.now + timedelta(hours=1))
            has(place(item), due_pk=due_index.dead_letters(kind), due_sk=later, dead_since=instant(world.now))(world)


def place(item: dict[str, object]) -> Key:
    return {"pk": str(item["pk"]), "sk": str(item["sk"])}


def an_open_attempt(status: str, *, pays: bool = False) -> Prepare:
    def prepare(world: World) -> str:
        ref = world.initiate(world.session(world.customer())).attempt.ref
        if pays:
            world.ledger.pay(ref)
            world.ledger.notices.clear()
        dead_letter(world, keys.attempt(ref), status=status)
        return ref

    return prepare


state("an attempt that is created, a dead letter")(an_open_attempt("created"))
state("an attempt that is sent, a dead letter")(an_open_attempt("sent", pays=True))
state("an attempt that is unknown, a dead letter")(an_open_attempt("unknown"))


@state("an attempt that is failed, a dead letter")
def a_failed_attempt(world: World) -> str:
    ref = declined(world, world.initiate(world.session(world.customer())))
    dead_letter(world, keys.attempt(ref), next_check_at="2026-03-02T09:00:00Z")
    return ref


@state("an attempt that needs review")
def an_attempt_under_review(world: World) -> str:
    started = paid_order(world)
    payment = world.ledger.payments[started.attempt.ref]
    world.confirm = ConfirmWithQuery.STRICT
    payment.state = "declined"
    world.deliver_all()
    payment.state = "paid"
    return payment.ref


@state("an attempt that needs review with its money")
def money_of_which_nothing_can_be_made(world: World) -> str:
    ref = paid_order(world).attempt.ref
    world.seam.for_good = True
    world.deliver_all()
    return ref


@state("the same, once its cause has gone")
def money_of_which_something_can_be_made_again(world: World) -> str:
    ref = money_of_which_nothing_can_be_made(world)
    world.seam.for_good = False
    return ref


@state("an attempt that is succeeded, a dead letter")
def recorded_money(world: World) -> str:
    ref = paid_order(world).attempt.ref
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.KILLED_AFTER if boundary.operation == "TransactWriteItems" else None
    with pytest.raises(Killed):
        world.deliver(world.ledger.notices.pop(0))
    world.seam.active, world.seam.plan = False, lambda _: None
    dead_letter(world, keys.attempt(ref))
    return ref


@state("a doubt beside an attempt")
def a_doubt(world: World) -> str:
    ref = paid_order(world).attempt.ref
    world.deliver_all()
    session = world.read(world.started[ref].session)
    captures.contradiction(world.table, session, ref, "its gateway took it back", world.now)
    return ref


def a_refund(status: str, **values: object) -> Prepare:
    def prepare(world: World) -> str:
        ref = surplus(world).attempt.ref
        dead_letter(world, keys.refund(ref, 1), status=status, **values)
        return f"R{ref}-1"

    return prepare


state("a refund that is due, a dead letter")(a_refund("due"))
state("a refund that is sending, a dead letter")(a_refund("sending", sent_at="2026-03-02T08:00:00Z"))
state("a refund that needs review")(a_refund("needs_review"))


@state("a refund that is accepted, a dead letter")
def an_accepted_refund(world: World) -> str:
    ref = surplus(world).attempt.ref
    world.now += timedelta(minutes=1)
    world.reconcile()
    dead_letter(world, keys.refund(ref, 1))
    return f"R{ref}-1"


@state("a stored notice, a dead letter", "a stored notice that stays a dead letter")
def a_notice(world: World) -> str:
    paid_order(world)
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.LOST_REQUEST if boundary.operation == "TransactWriteItems" else None
    world.deliver(world.ledger.notices.pop(0))
    world.seam.active, world.seam.plan = False, lambda _: None
    [notice] = [item for item in world.items() if item["sk"].startswith(keys.NOTICES)]
    dead_letter(world, place(notice))
    return due_index.name_of(notice)


@state("an event, a dead letter", "an event that stays a dead letter")
def an_event(world: World) -> str:
    paid_booking(world)
    event = next(item for item in world.items() if item["sk"].startswith("E#"))
    dead_letter(world, place(event))
    return f"{event['pk']} {event['sk']}"


@state("an e-mail, a dead letter", "an e-mail that stays a dead letter")
def a_letter(world: World) -> str:
    world.writes_letters = True
    paid_booking(world)
    world.deliver_all()
    world.post.refuse = True
    world.deliver_events()
    world.post.refuse = False
    letter = next(item for item in world.items() if item.get("event") == "booking.created")
    dead_letter(world, place(letter))
    return f"{letter['pk']} {letter['sk']}"


@state("a booking whose time is over, a dead letter")
def a_booking(world: World) -> str:
    customer = world.customer()
    started = world.process(world.booking_cart(customer, day="2026-03-02"), customer)
    world.ledger.pay(started.attempt.ref)
    world.deliver_all()
    [booking] = [item for item in world.items() if "book_id" in item]
    world.now += timedelta(days=2)
    dead_letter(world, place(booking))
    return str(booking["book_id"])


@state("a session that is pending, a dead letter")
def a_session(world: World) -> str:
    session = world.session(world.customer())
    world.now += timedelta(hours=1)
    key = keys.owned(session.customer.sub, keys.SESSION, session.number)
    dead_letter(world, key)
    return f"{key['pk']} {key['sk']}"


def an_order(*steps: str) -> Prepare:
    def prepare(world: World) -> str:
        number = ordered(world)
        for step in steps:
            world.operate("POST", f"/api/operators/orders/{number}/move/", {"status": step})
        return number

    return prepare


state("an order that is confirmed", "an order that cannot be delivered")(an_order())
state("an order that is packed")(an_order("packed"))
state("an order that is out for delivery")(an_order("packed", "out_for_delivery"))


def by_command(world: World, name: str, cell: str) -> None:
    typed = NAMES.sub(lambda _: name, cell.strip("`")).replace('"…"', f'"{WHY}"')
    done = []
    counter.run(world, lambda: done.append(CliRunner().invoke(app, shlex.split(typed)[1:], input="y\n")))
    assert done[0].exit_code == 0, done[0].output


def by_route(world: World, name: str, cell: str) -> None:
    found = re.fullmatch(r"`POST (\S+)` `(\{.*\})`", cell)
    assert found is not None, cell
    path, body = (NAMES.sub(lambda _: name, part) for part in found.groups())
    status, _ = world.operate("POST", f"/api/operators/{path}", json.loads(body.replace('"…"', f'"{WHY}"')))
    assert status == 200


def listed(world: World) -> list[str]:
    """What waits for a person; a refund or a doubt has its attempt's key."""
    return [item["pk"] for item in world.items() if str(item.get("due_pk", "")).startswith(f"{due_index.REVIEW}#")]


@pytest.mark.parametrize("form", ["dead letter", "as earlier releases parked it"])
@pytest.mark.parametrize("end", [by_command, by_route], ids=["command", "route"])
@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_rests_is_ended(row: list[str], end: Callable[[World, str, str], None], form: str) -> None:
    what, *cells = row
    world = World(ModelTable(), seed=7)
    with at_work(world):
        world.stock()
        name = STATES[what](world)
        if form == "dead letter":
            as_dead_letters(world)
        before = {place(item)["pk"]: item.get("status") for item in world.items() if name in (item.get("order_number"), "")}
        assert before or listed(world), "it is on no list"
        end(world, name, cells[end is by_route])
        for pause in (timedelta(0), timedelta(minutes=2), timedelta(days=4)):
            world.now += pause
            world.sweep()
        assert listed(world) == []
        after = {place(item)["pk"]: item.get("status") for item in world.items() if name in (item.get("order_number"), "")}
        assert not before or before != after


ENDS: Final = frozenset({"refunded", "COMPLETED", "CANCELLED", "delivered", "cancelled", "expired", "order_created"})
"""What nothing follows, or only money that comes late."""


def test_every_status_is_an_end_or_in_the_section() -> None:
    assert {row[0] for row in ROWS} == set(STATES)
    every = {*AttemptStatus, *RefundStatus, *OrderStatus, *SessionStatus, *BookingStatus} - ENDS
    said = SECTION.replace("a booking", "a CONFIRMED booking")
    assert [status for status in every if status not in said and status.replace("_", " ") not in said] == []


@pytest.mark.parametrize("command", ["refund {} --why", "resolve {} --found paid --why", "replay {}", "show {}"])
def test_no_command_ends_in_a_traceback_whatever_it_meets(command: str) -> None:
    """Here an attempt that nobody can read."""
    world = World(ModelTable(), seed=7)
    with at_work(world):
        world.stock()
        ref = paid_order(world).attempt.ref
        has(keys.attempt(ref), status="lost")(world)
        typed = [*command.format(ref).split(), *([WHY] if command.endswith("--why") else [])]
        done = []
        counter.run(world, lambda: done.append(CliRunner().invoke(app, typed)))
    assert done[0].exit_code == 1
    assert isinstance(done[0].exception, SystemExit)
    assert "This is a fault of ours: ValueError" in done[0].output
    assert "Traceback" not in done[0].output
