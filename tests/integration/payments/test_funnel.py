"""How far sessions came is counted once each, and read without looking at a single session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from local.embedded_aws import EmbeddedAws
from payfirst.domain.clock import Deadline
from payfirst.domain.session import Kind
from payfirst.storage import keys, outbox
from payfirst.storage.table import get
from payfirst.usecases.deliver_events import deliver_events
from payfirst.usecases.expire_sessions import expire_sessions
from payfirst.usecases.funnel import Stage, funnel
from tests.integration.payments.requests import counted
from tests.integration.payments.shop import LIFETIME, Shop, new_customer

BUS = "payfirst-funnel-tests"


@pytest.fixture
def bus(embedded_aws: EmbeddedAws) -> Any:
    client = embedded_aws.client("events")
    if BUS not in {each["Name"] for each in client.list_event_buses()["EventBuses"]}:
        client.create_event_bus(Name=BUS)
    return client


def _deliver(shop: Shop, bus: Any) -> dict[str, int]:
    return dict(deliver_events(shop.table, bus, BUS, now=shop.now, deadline=Deadline(lambda: 60.0)).names)


def _counts(shop: Shop, kind: Kind | None = None) -> tuple[int, ...]:
    found = funnel(shop.table, shop.now, timedelta(hours=24), kind)
    return tuple(found.counts[stage] for stage in Stage)


def _live(shop: Shop) -> None:
    """Four orders' sessions: one paid, one paid at the second try, one refused, one left alone; and a booking that is paid."""
    shop.tell(shop.initiate(shop.session(new_customer())))
    for again in (True, False):
        started = shop.initiate(shop.session(new_customer()))
        shop.decide(started, "cancel")
        shop.tell(started, shop.notice(started, code=1032))
        if again:
            shop.tell(shop.initiate(shop.read(started.session)))
    shop.session(new_customer())
    customer = new_customer()
    booked = shop.process(shop.booking_cart(customer), customer)
    shop.decide(booked)
    shop.tell_phonepe(booked)
    shop.now += LIFETIME * 2
    expire_sessions(shop.table, now=shop.now, deadline=Deadline(lambda: 60.0), grace=timedelta(0))


def test_the_funnel_counts_each_session_once_at_each_stage(shop: Shop, bus: Any) -> None:
    _live(shop)
    names = _deliver(shop, bus)

    assert _counts(shop) == (5, 4, 3, 3, 1)
    assert _counts(shop, Kind.ORDER) == (4, 3, 2, 2, 1)
    assert _counts(shop, Kind.BOOKING) == (1, 1, 1, 1, 0)
    found = funnel(shop.table, shop.now, timedelta(hours=24))
    assert found.rate(Stage.FULFILLED) == 3 / 5
    assert (names["session.created"], names["payment.initiated"], names["order.created"]) == (5, 5, 2)


def test_events_that_are_delivered_twice_are_counted_once(shop: Shop, bus: Any) -> None:
    _live(shop)
    waiting = [item for item in shop.items() if item["sk"].startswith("E#")][:40]
    _deliver(shop, bus)
    before = _counts(shop)
    assert outbox.mark_delivered(shop.table, waiting, shop.now, mailed=lambda _: False) == []
    assert _deliver(shop, bus) == {}
    assert _counts(shop) == before


def test_of_a_batch_that_another_run_marked_in_part_the_rest_is_counted(shop: Shop, bus: Any) -> None:
    _live(shop)
    waiting = [item for item in shop.items() if item["sk"].startswith("E#")][:40]
    outbox.mark_delivered(shop.table, waiting[:5], shop.now, mailed=lambda _: False)
    rest = outbox.mark_delivered(shop.table, waiting, shop.now, mailed=lambda _: False)
    assert rest == waiting[5:]
    assert _counts(shop) == (5, 4, 3, 3, 1)
    assert _deliver(shop, bus) == {}


def test_a_session_belongs_to_the_hour_in_which_it_was_made(shop: Shop, bus: Any) -> None:
    session = shop.session(new_customer())
    shop.now += timedelta(hours=30)
    shop.tell(shop.initiate(shop.session(new_customer())))
    expire_sessions(shop.table, now=shop.now, deadline=Deadline(lambda: 60.0), grace=timedelta(0))
    _deliver(shop, bus)
    assert shop.read(session).status == "expired"
    assert _counts(shop) == (1, 1, 1, 1, 0)


def test_the_funnel_of_a_day_is_one_request_however_many_sessions_there_are(shop: Shop, bus: Any) -> None:
    _live(shop)
    _deliver(shop, bus)
    with counted(shop.table) as seen:
        _counts(shop)
    assert seen.operations == ["Query"]


def test_nothing_is_a_rate_of_nothing(shop: Shop) -> None:
    assert funnel(shop.table, shop.now, timedelta(hours=1)).rate(Stage.FULFILLED) is None
    assert get(shop.table, keys.event_count(shop.now, "order", "session.created")) is None
