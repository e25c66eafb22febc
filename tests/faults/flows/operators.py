"""What the shop's people do: about what no rule can settle, and with orders until they are at the door."""

from __future__ import annotations

import json
from datetime import timedelta

from ops.funnel import funnel_command
from ops.operate import replay_command
from payfirst.domain.clock import instant
from payfirst.domain.totals import day_of
from payfirst.settings import ConfirmWithQuery
from payfirst.storage.due import MOST_TRIES
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.operators import totals
from payfirst.usecases.operators.deliveries import of_days
from tests.faults import counter
from tests.faults.flows.base import Act, flow, paid_booking, paid_order
from tests.faults.flows.sweeps import surplus
from tests.faults.told import Notice
from tests.faults.world import World

_PAYMENTS = "/api/operators/payments"


def _reviewed(world: World) -> Started:
    """A payment that M-Pesa contradicts itself about, so that a person has to decide."""
    started = paid_order(world)
    payment = world.ledger.payments[started.attempt.ref]
    world.confirm = ConfirmWithQuery.STRICT
    payment.state = "declined"
    world.deliver_all()
    payment.state = "paid"
    world.disputed.add(payment.ref)
    return started


@flow
def a_person_finds_that_money_came(world: World) -> Act:
    path = f"{_PAYMENTS}/{_reviewed(world).attempt.ref}/resolve/"
    return lambda there: there.operate("POST", path, {"found": "paid", "why": "the statement has it"})


@flow
def a_person_finds_that_no_money_came(world: World) -> Act:
    ref = _reviewed(world).attempt.ref
    world.ledger.payments[ref].state = "declined"
    return lambda there: there.operate(
        "POST", f"{_PAYMENTS}/{ref}/resolve/", {"found": "unpaid", "why": "not on the statement"}
    )


@flow
def a_person_closes_a_doubt(world: World) -> Act:
    started = paid_order(world)
    first, world.ledger.notices = world.ledger.notices[0], []
    world.now += timedelta(minutes=1)
    world.reconcile()
    body = json.loads(first.raw)
    for receipt in (first.raw, None):
        if receipt is None:
            body["Body"]["stkCallback"]["CallbackMetadata"]["Item"][1]["Value"] = "N999"
        world.deliver(Notice("stk", first.token, json.dumps(body).encode()))
    ref = started.attempt.ref
    world.disputed.add(ref)
    return lambda there: there.operate("POST", f"{_PAYMENTS}/{ref}/resolve/", {"why": "N999 is another shop's"})


@flow
def a_person_gives_money_back(world: World) -> Act:
    started = paid_booking(world)
    world.deliver_all()
    ref = started.attempt.ref
    world.given_back.add(ref)
    code = next(item["book_id"] for item in world.items() if "book_id" in item)
    return lambda there: there.operate("POST", f"{_PAYMENTS}/{code}/refund/", {"amount": "1.00", "why": "a gesture"})


@flow
def a_person_records_a_refund_by_hand(world: World) -> Act:
    started = surplus(world)
    world.now += timedelta(minutes=1)
    world.ledger.refuse_reversals = True
    world.reconcile()
    ref = started.attempt.ref
    world.by_hand.add(ref)
    path = f"/api/operators/refunds/R{ref}-1/resolve/"
    return lambda there: there.operate("POST", path, {"why": "paid back in the portal"})


@flow
def a_person_takes_an_attempt_up_again(world: World) -> Act:
    started = paid_order(world)
    world.ledger.notices.clear()
    world.now += timedelta(minutes=1)
    ref = started.attempt.ref
    return lambda there: counter.run(there, lambda: replay_command(ref))


@flow
def an_operator_looks_at_what_is_stuck(world: World) -> Act:
    ref = _reviewed(world).attempt.ref

    def look(there: World) -> None:
        there.operate("GET", "/api/operators/stuck/")
        there.operate("GET", f"{_PAYMENTS}/{ref}/", query="notices=true")

    return look


@flow
def a_person_takes_an_overdue_session_up_again(world: World) -> Act:
    session = world.session(world.customer())
    world.now += timedelta(hours=1)
    place = keys.owned(session.customer.sub, keys.SESSION, session.number)
    body = {"which": f"{place['pk']} {place['sk']}"}
    return lambda there: there.operate("POST", "/api/operators/stuck/replay/", body)


@flow
def a_person_closes_a_letter_that_nobody_takes(world: World) -> Act:
    world.writes_letters = True
    world.ledger.decline(world.initiate(world.session(world.customer())).attempt.ref)
    world.deliver_all()
    world.deliver_events()
    letter = next(item for item in world.items() if item.get("event") == "payment.failed")
    place = {"pk": letter["pk"], "sk": letter["sk"]}
    again = {"due_pk": due_index.dead_letters(due_index.MAIL), "due_sk": instant(world.now + timedelta(hours=1))}
    dead = {"mailed_at": None, "mail": None, "tries": MOST_TRIES, "dead_since": instant(world.now), **again}
    write(world.table, Update("letter", place, set=dead))
    body = {"which": f"{letter['pk']} {letter['sk']}", "why": "there is no such address"}
    return lambda there: there.operate("POST", "/api/operators/stuck/close/", body)


@flow
def a_person_says_that_a_booking_took_place(world: World) -> Act:
    customer = world.customer()
    started = world.process(world.booking_cart(customer, day="2026-03-02"), customer)
    world.ledger.pay(started.attempt.ref)
    world.deliver_all()
    world.now += timedelta(days=1)
    [code] = [item["book_id"] for item in world.items() if "book_id" in item]
    return lambda there: there.operate("POST", f"/api/operators/bookings/{code}/complete/")


# Orders on their way


def ordered(world: World) -> str:
    """A confirmed order's number."""
    started = paid_order(world)
    world.deliver_all()
    listed = of_days(world.now.date(), world.now.date(), table=world.table, most=100)
    return next(order.code for order in listed.orders if order.owner == started.session.customer.sub)


@flow
def an_order_reaches_its_customer(world: World) -> Act:
    path = f"/api/operators/orders/{ordered(world)}/move/"

    def bring(there: World) -> None:
        for status in ("packed", "out_for_delivery", "delivered"):
            there.operate("POST", path, {"status": status})

    return bring


@flow
def a_step_of_an_order_is_taken_back(world: World) -> Act:
    path = f"/api/operators/orders/{ordered(world)}"

    def bring(there: World) -> None:
        there.operate("POST", f"{path}/move/", {"status": "packed"})
        there.operate("POST", f"{path}/undo/", {"step": "packed"})

    return bring


@flow
def an_order_is_cancelled_and_its_customer_looks(world: World) -> Act:
    order = ordered(world)
    world.given_back.update(world.started)
    ((_, started),) = world.started.items()

    def cancel(there: World) -> None:
        there.http("GET", f"/api/orders/{order}/", started.session.customer, query="cancellation=true")
        there.operate("POST", f"/api/operators/orders/{order}/move/", {"status": "cancelled", "why": "rotten"})
        there.http("GET", f"/api/orders/{order}/", started.session.customer)

    return cancel


@flow
def the_orders_of_a_day_are_listed(world: World) -> Act:
    ordered(world)
    return _listed


def _listed(world: World) -> None:
    _, listed = world.operate("GET", "/api/operators/orders/", query="status=confirmed")
    world.operate("GET", f"/api/operators/orders/{listed['orders'][0]['order_number']}/")


@flow
def a_customer_cancels_an_order_before_it_is_packed(world: World) -> Act:
    order = ordered(world)
    world.given_back.update(world.started)
    ((_, started),) = world.started.items()
    path = f"/api/orders/{order}/cancel/"
    return lambda there: there.http("POST", path, started.session.customer, {"reason": "I am away"})


@flow
def an_operator_finds_a_payment_by_all_its_names(world: World) -> Act:
    ordered(world)
    ((ref, started),) = world.started.items()
    attempt = world.attempt(ref)
    asked = (attempt.phone, (attempt.phone or "")[-4:], started.session.customer.email, attempt.receipt, ref)

    def look(there: World) -> None:
        for each in asked:
            _, found = there.operate("GET", "/api/operators/search/", query=f"q={each}")
            assert [known["kind"] for known in found["found"]] == ["order"], each

    return look


@flow
def the_money_of_a_day_is_looked_at(world: World) -> Act:
    surplus(world)
    world.now += timedelta(minutes=1)
    world.reconcile()
    world.deliver_all()
    day = day_of(world.now)

    def look(there: World) -> None:
        there.operate("GET", "/api/operators/totals/")
        assert [str(paid.attempt.collected) for paid in totals.payments_of_day(there.table, day)] == ["100.00"]
        assert [back.refund.number for back in totals.refunds_of_day(there.table, day)] == [1]

    return look


@flow
def the_funnel_is_looked_at(world: World) -> Act:
    paid_order(world)
    world.deliver_all()
    world.deliver_events()

    def look(there: World) -> None:
        counter.run(there, lambda: funnel_command("24h", None))
        there.operate("GET", "/api/operators/funnel/", query="since=90m&kind=order")

    return look
