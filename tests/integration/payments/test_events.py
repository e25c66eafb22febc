"""What happens to a session leaves for the event bus, at least once each, as its schema says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Any

import pytest

from local.embedded_aws import EmbeddedAws
from payfirst.api.wire.events import EVENTS
from payfirst.domain.booking import Booking
from payfirst.domain.clock import Deadline
from payfirst.domain.ids import GivenId
from payfirst.domain.moves import OrderStatus
from payfirst.domain.refund import refund_id
from payfirst.domain.times import GivenTime
from payfirst.usecases.checkout.create_session import extend_session
from payfirst.usecases.fulfilment import bookings
from payfirst.usecases.fulfilment.orders import cancel_order, move_order
from payfirst.usecases.operators.review import refund_payment, resolve_refund
from payfirst.usecases.refunds.send_refund import pursue
from payfirst.usecases.sweeps.deliver_events import Delivery, DeliveryReport
from payfirst.usecases.sweeps.expire_sessions import expire_sessions
from tests.integration.payments.shop import LIFETIME, Shop, new_customer

BUS = "payfirst-tests"


@pytest.fixture
def taken(embedded_aws: EmbeddedAws) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """A real bus, and every entry that was sent to it."""
    bus = embedded_aws.client("events")
    if BUS not in {each["Name"] for each in bus.list_event_buses()["EventBuses"]}:
        bus.create_event_bus(Name=BUS)
    entries: list[dict[str, Any]] = []

    def keep(params: dict[str, Any], **_: Any) -> None:
        entries.extend(params["Entries"])

    bus.meta.events.register("provide-client-params.events.PutEvents", keep)
    yield bus, entries
    bus.meta.events.unregister("provide-client-params.events.PutEvents", keep)


def _deliver(shop: Shop, bus: Any) -> DeliveryReport:
    return Delivery(shop.table, bus, BUS, shop.now).all_due(Deadline(lambda: 60.0))


def _live_through_everything(shop: Shop) -> None:
    paid = shop.session(new_customer())
    extend_session(GivenId(paid.number), customer=paid.customer, table=shop.table, now=shop.now, step=LIFETIME)
    shop.tell(shop.initiate(paid))
    outcome = shop.read(paid).outcome
    assert outcome is not None
    for to in (OrderStatus.PACKED, OrderStatus.OUT_FOR_DELIVERY, OrderStatus.DELIVERED):
        move_order(shop.table, outcome.code, to, shop.now, by="operator:amina")
    unwanted = shop.session(new_customer())
    shop.tell(shop.initiate(unwanted))
    cancelled = shop.read(unwanted).outcome
    assert cancelled is not None
    cancel_order(shop.table, cancelled.code, shop.now, by="operator:amina", why="The van broke down.")
    failed = shop.initiate(shop.session(new_customer()))
    shop.decide(failed, "cancel")
    shop.tell(failed, shop.notice(failed, code=1032))
    shop.tell(failed, shop.notice(failed, amount="1.00"))
    pursue(shop.notice_context(), failed.attempt.ref, 1)
    resolve_refund(shop.table, failed.attempt.ref, 1, shop.now, by="operator:amina", why="paid by hand")
    customer = new_customer()
    booked = shop.process(shop.booking_cart(customer), customer)
    shop.decide(booked)
    shop.tell_phonepe(booked)
    refund = refund_payment(shop.table, booked.attempt.ref, None, shop.now, by="operator:amina", why="a kindness")
    pursue(shop.notice_context(), booked.attempt.ref, refund.number)
    shop.end_refund(refund.refund_id, "fail")
    shop.now += timedelta(seconds=91)
    pursue(shop.notice_context(), booked.attempt.ref, refund.number)
    pursue(shop.notice_context(), booked.attempt.ref, refund.number + 1)
    shop.end_refund(refund_id(booked.attempt.ref, refund.number + 1))
    shop.now += timedelta(seconds=91)
    pursue(shop.notice_context(), booked.attempt.ref, refund.number + 1)
    resolve_refund(shop.table, booked.attempt.ref, refund.number + 1, shop.now, by="operator:amina", why="paid by hand")
    shop.session(new_customer())
    shop.now += LIFETIME * 3
    expire_sessions(shop.table, now=shop.now, deadline=Deadline(lambda: 60.0), grace=timedelta(0))


def _live_through_bookings(shop: Shop) -> None:
    held, given_up = _booked(shop), _booked(shop)
    day, nine = date(2026, 7, 21), GivenTime(time(9), "9:00 AM")
    moved = bookings.reschedule(held, day, nine, "rain", table=shop.table, now=shop.now)
    bookings.cancel(given_up, "ill", table=shop.table, now=shop.now)
    bookings.complete(moved, table=shop.table, now=moved.starts_at, by="operator:amina")
    shop.now = moved.starts_at


def _live_through_orders(shop: Shop) -> None:
    delivered, given_up = _ordered(shop), _ordered(shop)
    for step in (OrderStatus.PACKED, OrderStatus.OUT_FOR_DELIVERY, OrderStatus.DELIVERED):
        move_order(shop.table, delivered, step, shop.now, by="operator:amina")
    cancel_order(shop.table, given_up, shop.now, by="operator:amina", why="no tomatoes")


def _ordered(shop: Shop) -> str:
    started = shop.initiate(shop.session(new_customer()))
    shop.tell(started)
    outcome = shop.read(started.session).outcome
    assert outcome is not None
    return outcome.code


def _booked(shop: Shop) -> Booking:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    shop.tell_phonepe(started)
    return bookings.list_bookings(customer, table=shop.table, size=1, position=None).bookings[0]


def test_every_event_leaves_as_its_schema_says(shop: Shop, taken: tuple[Any, list[dict[str, Any]]]) -> None:
    bus, entries = taken
    _live_through_everything(shop)
    _live_through_orders(shop)
    _live_through_bookings(shop)

    report = _deliver(shop, bus)

    assert (report.delivered, report.failed) == (len(entries), 0)
    for entry in entries:
        EVENTS[entry["DetailType"]].model_validate(json.loads(entry["Detail"]))
    names = {entry["DetailType"] for entry in entries}
    payments = {name for name in EVENTS if name.startswith(("session.", "payment.", "refund."))}
    assert payments - names <= {"payment.needs_review", "refund.failed"}
    assert {"order.created", "booking.created"} <= names


def test_ids_are_stable_and_sequences_have_no_gaps(shop: Shop, taken: tuple[Any, list[dict[str, Any]]]) -> None:
    bus, entries = taken
    _live_through_everything(shop)
    _live_through_orders(shop)
    _live_through_bookings(shop)
    _deliver(shop, bus)

    details = [json.loads(entry["Detail"]) for entry in entries]
    assert len({detail["id"] for detail in details}) == len(details)
    for session in {detail["session"] for detail in details}:
        sequences = sorted(detail["sequence"] for detail in details if detail["session"] == session)
        assert sequences == list(range(len(sequences)))


def test_a_delivered_event_leaves_once_and_an_undelivered_one_again(
    shop: Shop, taken: tuple[Any, list[dict[str, Any]]]
) -> None:
    bus, entries = taken
    shop.session(new_customer())

    def refuse(parsed: dict[str, Any], **_: Any) -> None:
        parsed["Entries"] = [{"ErrorCode": "ThrottlingException"} for _ in parsed["Entries"]]

    bus.meta.events.register("after-call.events.PutEvents", refuse)
    try:
        assert _deliver(shop, bus).failed == 1
    finally:
        bus.meta.events.unregister("after-call.events.PutEvents", refuse)
    assert _deliver(shop, bus).delivered == 1
    assert _deliver(shop, bus).delivered == 0

    first, second = (json.loads(entry["Detail"])["id"] for entry in entries)
    assert first == second
