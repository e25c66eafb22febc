"""How fast a run asks a gateway, and when it stops: by what the gateway itself answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import pytest

from payfirst.domain.clock import Deadline
from payfirst.domain.errors import MisconfiguredError
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Gateway, NoAnswer, Pending, PushAnswer, StatusAnswer, StatusQuery, Unknown
from payfirst.gateways.circuit_breaker import BREATH_S, About, CircuitBreaker
from payfirst.gateways.mpesa.terms import MPESA

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUERY = StatusQuery("MT0123456789abc", "ws_CO_1", Money(100, Currency.KES))
BUSY = NoAnswer("answered 500.003.02", busy=True)


@dataclass(slots=True)
class Time:
    """Seconds that pass where somebody waits."""

    now: float = 0.0

    def pause(self, seconds: float) -> None:
        self.now += seconds


@dataclass(slots=True)
class Answering:
    """M-Pesa as far as it is asked about a payment; each question takes `takes` seconds, and is given `timeouts`."""

    time: Time
    says: Callable[[], StatusAnswer] = Pending
    takes: float = 0.0
    timeouts: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    terms: GatewayTerms = MPESA
    merchant: str | None = None

    def status(self, query: StatusQuery, *, now: datetime, timeout_s: float) -> StatusAnswer:
        del query, now
        self.asked.append(self.time.now)
        self.timeouts.append(timeout_s)
        self.time.now += self.takes
        return self.says()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def mpesa(time: Time) -> Answering:
    return Answering(time)


@pytest.fixture
def breaker(time: Time) -> CircuitBreaker:
    return CircuitBreaker(Deadline(lambda: 60.0 - time.now), lambda: time.now, time.pause)


def ask(breaker: CircuitBreaker, mpesa: Answering, times: int = 1) -> StatusAnswer:
    guarded = breaker.guarding(lambda _: cast("Gateway", mpesa))("MPESA")
    for _ in range(times):
        answer = guarded.status(QUERY, now=NOON, timeout_s=10.0)
    return answer


def test_calls_begin_as_far_apart_as_the_gateway_declares(breaker: CircuitBreaker, mpesa: Answering) -> None:
    ask(breaker, mpesa, 3 * MPESA.per_second + 1)

    assert mpesa.asked[-1] == pytest.approx(3.0)
    assert min(later - sooner for sooner, later in zip(mpesa.asked, mpesa.asked[1:], strict=False)) > 0.99 / MPESA.per_second


def test_what_a_call_waited_for_its_turn_is_taken_off_its_time(breaker: CircuitBreaker, mpesa: Answering) -> None:
    ask(breaker, mpesa, 2)

    assert mpesa.timeouts == [10.0, pytest.approx(10.0 - 1 / MPESA.per_second)]


def test_each_answer_allows_one_more_at_once_up_to_what_is_declared(breaker: CircuitBreaker, mpesa: Answering) -> None:
    assert breaker.at_once("MPESA") == 1
    ask(breaker, mpesa, 4)
    assert breaker.at_once("MPESA") == 5
    ask(breaker, mpesa, 2 * MPESA.at_once)
    assert breaker.at_once("MPESA") == MPESA.at_once


def test_a_gateway_that_turns_calls_away_gets_half_as_many_and_a_breath_and_is_not_silent(
    breaker: CircuitBreaker, mpesa: Answering
) -> None:
    ask(breaker, mpesa, 9)
    mpesa.says = lambda: BUSY
    ask(breaker, mpesa, 2)
    assert mpesa.asked[-1] - mpesa.asked[-2] == pytest.approx(BREATH_S)
    assert breaker.at_once("MPESA") == 2
    ask(breaker, mpesa, 8)
    assert breaker.at_once("MPESA") == 1
    assert not breaker.is_open("MPESA", About.PAYMENTS)


def test_a_gateway_that_kept_two_waiting_is_asked_no_more_and_one_that_answers_between_is(
    breaker: CircuitBreaker, mpesa: Answering
) -> None:
    mpesa.takes, mpesa.says = 10.0, lambda: NoAnswer("no answer in time")
    ask(breaker, mpesa)
    assert breaker.is_open("MPESA", About.REFUNDS)
    assert not breaker.is_open("MPESA", About.PAYMENTS)
    mpesa.takes, mpesa.says = 0.1, Pending
    ask(breaker, mpesa)
    mpesa.takes, mpesa.says = 10.0, lambda: NoAnswer("no answer in time")
    assert ask(breaker, mpesa, 2) == NoAnswer("no answer in time")
    asked = len(mpesa.asked)
    ask(breaker, mpesa)
    assert len(mpesa.asked) == asked


def test_a_lost_reversal_stops_refunds_for_the_run_whatever_is_answered_about_payments(
    breaker: CircuitBreaker, mpesa: Answering
) -> None:
    def lost(_: float) -> PushAnswer:
        mpesa.time.now += 10.0
        return Unknown("no answer in time")

    breaker.call(MPESA, About.REFUNDS, lost)
    ask(breaker, mpesa, 3)
    assert breaker.is_open("MPESA", About.REFUNDS)
    assert not breaker.is_open("MPESA", About.PAYMENTS)


def test_an_answer_that_comes_late_does_not_undo_that_a_gateway_was_silent(breaker: CircuitBreaker, mpesa: Answering) -> None:
    asked = threading.Barrier(2)
    silent = threading.Event()

    def late(_: float) -> StatusAnswer:
        asked.wait()
        assert silent.wait(10)
        return Pending()

    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(breaker.call, MPESA, About.PAYMENTS, late)
        asked.wait()
        mpesa.takes, mpesa.says = 10.0, lambda: NoAnswer("no answer in time")
        ask(breaker, mpesa, 2)
        silent.set()
        assert answer.result() == Pending()
    assert breaker.is_open("MPESA", About.PAYMENTS)
    assert breaker.is_open("MPESA", About.REFUNDS)


def test_while_a_client_waits_for_its_secret_other_gateways_are_asked(breaker: CircuitBreaker, mpesa: Answering) -> None:
    begun, answered = threading.Event(), threading.Event()
    others = breaker.guarding(lambda _: cast("Gateway", mpesa))("MPESA")

    def waits_for_its_secret(_: str) -> Gateway:
        begun.set()
        assert answered.wait(10), "nobody is answered meanwhile"
        return cast("Gateway", mpesa)

    with ThreadPoolExecutor(2) as threads:
        made = threads.submit(breaker.guarding(waits_for_its_secret), "PHONEPE")
        assert begun.wait(10)
        threads.submit(others.status, QUERY, now=NOON, timeout_s=10.0).add_done_callback(lambda _: answered.set())
        made.result()


def test_workers_that_need_a_client_at_once_make_it_one_after_the_other(breaker: CircuitBreaker, mpesa: Answering) -> None:
    arrived, inside, most = threading.Barrier(8), 0, 0

    def made(_: str) -> Gateway:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        threading.Event().wait(0.005)
        inside -= 1
        return cast("Gateway", mpesa)

    guarded = breaker.guarding(made)

    def work() -> None:
        arrived.wait()
        guarded("MPESA")

    with ThreadPoolExecutor(8) as threads:
        for each in [threads.submit(work) for _ in range(8)]:
            each.result()
    assert most == 1


def test_a_secret_that_is_missing_is_told_once_however_many_workers_need_it(
    breaker: CircuitBreaker, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(_: str) -> Gateway:
        raise MisconfiguredError("There is no secret.")

    guarded = breaker.guarding(missing)

    def work(_: int) -> None:
        with pytest.raises(MisconfiguredError):
            guarded("MPESA")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(40)))
    assert caplog.messages.count("gateway.misconfigured") == 1
