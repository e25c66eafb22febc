"""Unpaid sessions end by themselves, whoever else is at work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from payfirst.domain.clock import Deadline
from payfirst.domain.ids import GivenId
from payfirst.domain.moves import SessionStatus
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.checkout.create_session import extend_session
from payfirst.usecases.sweeps.expire_sessions import ExpiryReport, expire_sessions
from tests.integration.payments.requests import counted
from tests.integration.payments.shop import LIFETIME, Shop, new_customer


def _sweep(shop: Shop, *, grace: timedelta = timedelta(0), left: float = 60.0) -> ExpiryReport:
    return expire_sessions(shop.table, now=shop.now, deadline=Deadline(lambda: left), grace=grace)


def test_an_overdue_session_is_expired_and_leaves_the_index(shop: Shop) -> None:
    session = shop.session(new_customer())
    shop.now += LIFETIME

    report = _sweep(shop)

    assert report == ExpiryReport(examined=1, expired=1, moved_on=0, failed=0, finished=True)
    assert shop.read(session).status is SessionStatus.EXPIRED
    assert shop.due() == {}


def test_a_session_reads_expired_before_any_sweep(shop: Shop) -> None:
    session = shop.session(new_customer())

    assert shop.read(session).status_at(shop.now + LIFETIME - timedelta(seconds=1)) is SessionStatus.PENDING
    assert shop.read(session).status_at(shop.now + LIFETIME) is SessionStatus.EXPIRED


def test_what_is_paid_or_being_paid_is_left_alone(shop: Shop) -> None:
    open_session = shop.session(new_customer())
    shop.initiate(open_session)
    paid = shop.session(new_customer())
    shop.tell(shop.initiate(paid))
    shop.now += LIFETIME * 2

    assert _sweep(shop).expired == 0

    assert shop.read(open_session).status is SessionStatus.PAYMENT_INITIATED
    assert shop.read(paid).status is SessionStatus.ORDER_CREATED


def test_an_extended_session_lives_longer(shop: Shop) -> None:
    session = shop.session(new_customer())
    extend_session(GivenId(session.number), customer=session.customer, table=shop.table, now=shop.now, step=LIFETIME)
    shop.now += LIFETIME

    assert _sweep(shop).expired == 0
    shop.now += LIFETIME
    assert _sweep(shop).expired == 1


def test_overlapping_sweeps_expire_each_session_once(shop: Shop) -> None:
    for _ in range(30):
        shop.session(new_customer())
    shop.now += LIFETIME

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: _sweep(shop), range(4)))

    assert sum(report.expired for report in reports) == 30
    timelines = [item for item in shop.items() if item.get("event") == "session.expired"]
    assert len(timelines) == 30


def test_a_sweep_that_runs_out_of_time_says_so_and_the_next_goes_on(shop: Shop) -> None:
    shop.session(new_customer())
    shop.now += LIFETIME

    assert not _sweep(shop, left=1.0).finished
    assert _sweep(shop).expired == 1


def test_a_sweep_of_many_takes_few_requests(shop: Shop) -> None:
    for _ in range(120):
        shop.session(new_customer())
    shop.now += LIFETIME

    with counted(shop.table) as requests:
        assert _sweep(shop).expired == 120

    assert "Scan" not in requests.counted
    shards = 8
    assert len(requests.operations) <= 120 / 20 + shards


def test_one_broken_session_stops_no_other_and_is_parked_for_a_person(shop: Shop) -> None:
    for _ in range(20):
        shop.session(new_customer())
    broken = shop.session(new_customer())
    key = keys.owned(broken.customer.sub, keys.SESSION, broken.number)
    write(shop.table, Update("session", key, remove=("snapshot",)))
    shop.now += LIFETIME

    report = _sweep(shop)
    assert (report.expired, report.failed) == (20, 1)
    for _ in range(4):
        shop.now += timedelta(hours=1)
        assert _sweep(shop).failed == 1

    assert dict(shop.due()) == {due_index.REVIEW: [key["pk"]]}
    assert _sweep(shop).examined == 0
