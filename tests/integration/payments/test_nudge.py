"""A waiting customer's question brings the open attempt's look forward, never past the gateway's pace."""

from __future__ import annotations

from datetime import timedelta

from payfirst.usecases.settlement.request_check import request_check
from tests.integration.payments.requests import counted
from tests.integration.payments.shop import Shop, new_customer


def test_an_open_attempt_is_put_on_the_queue_at_most_every_three_seconds(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    session = shop.read(started.session)
    moments = [session.created_at + timedelta(seconds=seconds) for seconds in (0, 9, 10, 11, 12, 13, 14)]
    with counted(shop.table) as requests:
        answers = [request_check(shop.queue, session, moment) for moment in moments]

    assert answers == [False, False, True, False, False, True, False]
    assert requests.operations == []


def test_a_session_that_waits_for_nothing_is_not(shop: Shop) -> None:
    pending = shop.session(new_customer())
    started = shop.initiate(shop.session(new_customer()))
    shop.tell(started)
    later = shop.now + timedelta(hours=1)

    assert not request_check(shop.queue, pending, later)
    assert not request_check(shop.queue, shop.read(started.session), later)
