"""How far sessions came is counted once each, and read without looking at a single session."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from local.embedded_aws import EmbeddedAws
from payfirst.domain.clock import Deadline, instant
from payfirst.domain.fair_use import hour_of
from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Kind
from payfirst.observability import measure
from payfirst.settings import settings
from payfirst.storage import outbox
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import get, write
from payfirst.usecases.operators.funnel import Rate, Stage, funnel
from payfirst.usecases.sweeps.deliver_events import Delivery
from payfirst.usecases.sweeps.expire_sessions import expire_sessions
from tests.integration.payments.requests import counted
from tests.integration.payments.shop import LIFETIME, Shop, new_customer
from tests.unit.test_settings import LOCAL

BUS = "payfirst-funnel-tests"


@pytest.fixture
def bus(embedded_aws: EmbeddedAws) -> Any:
    client = embedded_aws.client("events")
    if BUS not in {each["Name"] for each in client.list_event_buses()["EventBuses"]}:
        client.create_event_bus(Name=BUS)
    return client


def _deliver(shop: Shop, bus: Any) -> dict[str, int]:
    return dict(Delivery(shop.table, bus, BUS, shop.now).all_due(Deadline(lambda: 60.0)).names)


def _counts(shop: Shop, kind: Kind | None = None) -> tuple[int, ...]:
    found = funnel(shop.table, shop.now, timedelta(hours=24), kind)
    return tuple(found.counts[stage] for stage in Stage)


def _now(shop: Shop) -> dict[str, int]:
    found = funnel(shop.table, shop.now, timedelta(hours=24))
    return {status.value: count for status, count in found.by_status.items() if count}


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
    before = funnel(shop.table, shop.now, timedelta(hours=24))
    assert outbox.mark_delivered(shop.table, waiting, shop.now, mailed=lambda _: False) == []
    assert _deliver(shop, bus) == {}
    assert funnel(shop.table, shop.now, timedelta(hours=24)) == before


def test_a_session_has_one_status_whatever_ways_it_took(shop: Shop, bus: Any) -> None:
    """Late money, money of another amount, money that cannot be used: each leaves the session under its last status alone."""
    declined = shop.initiate(shop.session(new_customer()))
    shop.tell(declined, shop.notice(declined, code=1032))
    _deliver(shop, bus)
    assert _now(shop) == {"failed": 1}
    shop.tell(declined)
    _deliver(shop, bus)
    assert _now(shop) == {"order_created": 1}
    wrong = shop.initiate(shop.session(new_customer()))
    shop.tell(wrong, shop.notice(wrong, amount="1.00"))
    _deliver(shop, bus)
    assert _now(shop) == {"order_created": 1, "failed": 1}


def test_of_a_batch_that_another_run_marked_in_part_the_rest_is_counted(shop: Shop, bus: Any) -> None:
    _live(shop)
    waiting = [item for item in shop.items() if item["sk"].startswith("E#")][:40]
    outbox.mark_delivered(shop.table, waiting[:5], shop.now, mailed=lambda _: False)
    rest = outbox.mark_delivered(shop.table, waiting, shop.now, mailed=lambda _: False)
    assert [keys.key_of(item) for item in rest] == [keys.key_of(item) for item in waiting[5:]]
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


def test_the_time_begins_with_the_minute_and_not_with_the_hour(shop: Shop, bus: Any) -> None:
    for minute in (10, 20, 30):
        shop.now = shop.now.replace(minute=minute, second=30)
        shop.session(new_customer())
    _deliver(shop, bus)

    def made(back: timedelta) -> int:
        return funnel(shop.table, shop.now, back).counts[Stage.CREATED]

    assert [made(timedelta(minutes=minutes)) for minutes in (5, 10, 11, 20, 60)] == [1, 2, 2, 3, 3]
    assert funnel(shop.table, shop.now, timedelta(minutes=10)).since == shop.now.replace(minute=20, second=0)


def test_what_an_earlier_release_counted_without_its_minute_belongs_to_the_hour(shop: Shop) -> None:
    key = {"pk": shop_keys.EVENT_COUNTS, "sk": f"{instant(shop.now.replace(minute=0))}#order#session.created"}
    write(shop.table, Update("count", key, add={"n": 7}))

    assert funnel(shop.table, shop.now + timedelta(minutes=30), timedelta(minutes=5)).counts[Stage.CREATED] == 7


def test_what_an_earlier_release_counted_by_hour_and_event_is_among_them(shop: Shop, bus: Any) -> None:
    _live(shop)
    _deliver(shop, bus)
    before, at = _counts(shop), hour_of(shop.now)
    for shard, name in (("", "session.created"), ("~2", "session.created"), ("", "status=pending")):
        key = {"pk": shop_keys.EVENT_COUNTS, "sk": f"{instant(at)}#order#{name}{shard}"}
        write(shop.table, Update("count", key, add={"n": 5, "m00": 2, "m59": 3}))

    assert _counts(shop) == (before[0] + 10, *before[1:])
    found = funnel(shop.table, at + timedelta(minutes=30), timedelta(minutes=20))
    assert (found.counts[Stage.CREATED], found.by_status[SessionStatus.PENDING]) == (6, 3)


def test_what_is_delivered_one_by_one_is_counted_in_shards_and_read_as_one(shop: Shop, bus: Any) -> None:
    _live(shop)
    for item in shop.items():
        if keys.is_event(item):
            Delivery(shop.table, bus, BUS, shop.now).these([keys.key_of(item)], Deadline(lambda: 60.0))
    shards = [item["sk"] for item in shop.items() if item["pk"] == shop_keys.EVENT_COUNTS]
    assert any("~" in each for each in shards)
    assert _counts(shop) == (5, 4, 3, 3, 1)
    assert _now(shop) == {status: count for status, count in _now(shop).items() if count > 0}
    hours = [hour_of(shop.now - timedelta(hours=back)) for back in range(3)]
    assert sum(outbox.counts_by_hour(shop.table, ["session.created"], hours)["session.created"]) == 5


def test_each_of_the_five_rates_has_its_numerator_and_its_denominator(shop: Shop, bus: Any) -> None:
    _live(shop)
    _deliver(shop, bus)

    rates = funnel(shop.table, shop.now, timedelta(hours=24)).rates

    assert {rate: (share.part, share.of) for rate, share in rates.items()} == {
        Rate.SESSION_CREATION: (5, 24 * 60),
        Rate.PAYMENT_INITIATION: (4, 5),
        Rate.PAYMENT_SUCCESS: (3, 4),
        Rate.SESSION_EXPIRY: (1, 5),
        Rate.ORDER_CREATION_SUCCESS: (3, 3),
    }


def test_the_funnel_of_a_day_is_one_request_however_many_sessions_there_are(shop: Shop, bus: Any) -> None:
    _live(shop)
    _deliver(shop, bus)
    with counted(shop.table) as seen:
        _counts(shop)
    assert seen.operations == ["Query"]


def test_nothing_is_a_rate_of_nothing(shop: Shop) -> None:
    assert funnel(shop.table, shop.now, timedelta(hours=1)).rate(Stage.FULFILLED) is None
    assert get(shop.table, shop_keys.event_counts(shop.now, "order", 0)) is None


BY_STATUS = "SELECT session_status, COUNT(*) FROM Payment_Sessions GROUP BY session_status"
SUCCESS_RATE = """
SELECT COUNT(CASE WHEN session_status = 'order_created' THEN 1 END) * 100.0 / COUNT(*) as success_rate
FROM Payment_Sessions WHERE created_at >= DATE_SUB(:now, 24)
"""
"""Document B's two queries; only `DATE_SUB(NOW(), INTERVAL 24 HOUR)` is written as SQLite reads it, by the tests' clock."""


@contextmanager
def payment_sessions(shop: Shop, kind: Kind) -> Iterator[sqlite3.Connection]:
    """Document B's table, filled with every session that the shop has."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.create_function("DATE_SUB", 2, lambda _, hours: instant(shop.now - timedelta(hours=hours)))
        database.execute("CREATE TABLE Payment_Sessions (session_status TEXT, created_at TEXT)")
        found = [item for item in shop.items() if "snapshot" in item and item.get("kind") == kind and "attempts" in item]
        rows = [(item["status"], item["created_at"]) for item in found]
        database.executemany("INSERT INTO Payment_Sessions VALUES (?, ?)", rows)
        yield database


@pytest.mark.parametrize("kind", list(Kind))
def test_each_rate_is_the_one_that_the_documents_queries_give(shop: Shop, bus: Any, kind: Kind) -> None:
    shop.session(new_customer())
    shop.now += timedelta(hours=25)
    _live(shop)
    names = _deliver(shop, bus)
    found = funnel(shop.table, shop.now, timedelta(hours=24), kind)

    with payment_sessions(shop, kind) as database:
        statuses = dict(database.execute(BY_STATUS).fetchall())
        [(rate,)] = database.execute(SUCCESS_RATE, {"now": instant(shop.now)}).fetchall()
        [(made,)] = database.execute("SELECT COUNT(*) FROM Payment_Sessions").fetchall()
    share = found.rate(Stage.FULFILLED)
    assert share is not None
    assert share * 100 == pytest.approx(rate)
    assert found.counts[Stage.FULFILLED] == statuses["order_created"] == names[f"{kind}.created"]
    now = {status.value: count for status, count in found.by_status.items() if count}
    if kind is Kind.ORDER:
        assert now == {**statuses, "expired": statuses["expired"] - 1}, "the session of the day before is not of these"
        assert found.counts[Stage.CREATED] == made - 1, "the session of the day before is not of these"
        assert statuses == {"order_created": 2, "failed": 1, "expired": 2}
        assert found.counts[Stage.EXPIRED] == statuses["expired"] - 1
    else:
        assert now == statuses
        assert found.counts[Stage.CREATED] == made == 1


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets how the shop is watched of which this process is a function."""

    def so(how: str) -> None:
        for name, value in {**LOCAL, "WATCHING": how, "AWS_LAMBDA_FUNCTION_NAME": "shop-DeliverEventsFunction-1"}.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    yield so
    settings.cache_clear()


def test_a_shop_that_is_watched_by_what_aws_counts_gives_no_metric(
    capsys: pytest.CaptureFixture[str], watched: Callable[[str], None]
) -> None:
    watched("small")
    measure(SessionsCreated=3)
    assert capsys.readouterr().out == ""


def test_a_count_is_a_cloudwatch_metric_of_its_function(
    capsys: pytest.CaptureFixture[str], watched: Callable[[str], None]
) -> None:
    watched("full")
    measure(SessionsCreated=3, OrdersCreated=0)
    [line] = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    [described] = told["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "PayFirst"
    assert described["Dimensions"] == [["service"]]
    assert {metric["Name"]: metric["Unit"] for metric in described["Metrics"]} == {
        "SessionsCreated": "Count",
        "OrdersCreated": "Count",
    }
    assert (told["service"], told["SessionsCreated"], told["OrdersCreated"]) == ("shop-DeliverEventsFunction-1", [3.0], [0.0])
