"""Several workers at once, as real threads: one table, one client of each gateway, one access token, one log."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from functions.reconcile_payments.app import CREW
from payfirst import clients
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.gateways.registry import GATEWAYS
from payfirst.storage.dynamodb.signed import MOST_CONNECTIONS
from payfirst.usecases.sweeps.reconcile import reconcile
from payfirst.usecases.sweeps.workers import Crew
from tests.integration.payments.shop import Shop, new_customer
from tests.integration.payments.test_silent_gateway import booking

NO_ANSWER = timedelta(minutes=3)


def script(shop: Shop, **rule: Any) -> None:
    assert requests.post(f"{shop.simulators}/control/script", json=rule, timeout=10).ok


def test_eight_workers_settle_each_payment_once_with_one_token_of_each_gateway(shop: Shop) -> None:
    paid = [shop.initiate(shop.session(new_customer())) for _ in range(8)] + [booking(shop) for _ in range(8)]
    for started in paid:
        shop.decide(started)
    real = shop.gateways["PHONEPE"]
    assert isinstance(real, PhonePe)
    cold = replace(real, token_store=None)
    shop.gateways["PHONEPE"] = cold
    shop.now += timedelta(seconds=30)

    report = reconcile(shop.notice_context(), no_answer_after=NO_ANSWER, crew=Crew(size=8))

    assert report.settled == {"fulfilled": 16}
    assert (report.examined, report.failed, report.finished) == (16, 0, True)
    assert cold._tokens.fetches == 1  # noqa: SLF001 - how often is nobody else's business
    shop.now += timedelta(minutes=5)
    again = reconcile(shop.notice_context(), no_answer_after=NO_ANSWER, crew=Crew(size=8))
    assert again.settled == {}


def test_no_gateway_can_take_all_workers_and_each_worker_has_its_connection_to_the_table() -> None:
    assert max(gateway.terms.at_once for gateway in GATEWAYS) < CREW.size <= MOST_CONNECTIONS


def test_two_runs_of_workers_that_overlap_settle_each_payment_once(shop: Shop) -> None:
    paid = [shop.initiate(shop.session(new_customer())) for _ in range(10)]
    for started in paid:
        shop.decide(started)
    shop.now += timedelta(seconds=11)

    with ThreadPoolExecutor(2) as threads:
        runs = [
            threads.submit(reconcile, shop.notice_context(), no_answer_after=NO_ANSWER, crew=Crew(size=4)) for _ in range(2)
        ]
        reports = [run.result() for run in runs]

    assert sum(report.settled.get("fulfilled", 0) for report in reports) == 10
    assert sum(report.failed for report in reports) == 0


@pytest.mark.parametrize(
    ("gateway", "answer"), [("mpesa", "spike_arrest"), ("mpesa", "spike_arrest_fault"), ("phonepe", "rate_limit")]
)
def test_a_check_that_is_turned_away_for_load_is_made_again_in_a_minute(shop: Shop, gateway: str, answer: str) -> None:
    started = booking(shop) if gateway == "phonepe" else shop.initiate(shop.session(new_customer()))
    shop.now += timedelta(hours=2)
    shop.decide(started)
    script(shop, gateway=gateway, call="status" if gateway == "phonepe" else "query", answer=answer, times=1)

    assert reconcile(shop.notice_context(), no_answer_after=NO_ANSWER).settled == {"pending": 1}

    assert shop.attempt(started).next_check_at == shop.now + timedelta(minutes=1), "its schedule would be hours later"
    shop.now += timedelta(minutes=1)
    assert reconcile(shop.notice_context(), no_answer_after=NO_ANSWER).settled == {"fulfilled": 1}


def test_clients_of_aws_are_made_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DEFAULT_REGION": "us-east-1", "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    clients._session.cache_clear()  # noqa: SLF001 - a container that has made none yet
    arrived = threading.Barrier(8)

    def make(service: str) -> str:
        arrived.wait()
        return str(clients.client(service, connect_s=1, read_s=1).meta.service_model.service_name)

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(make, ["sqs", "events"] * 4)) == ["events"] * 4 + ["sqs"] * 4
