"""No call to a gateway can outlast its function: what is left when it ends is enough for the writes that follow it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from local.embedded_aws import TEMPLATE
from ops.template import load_template
from payfirst.api.resources import ANSWER_NOTICES_IN_S, GATEWAY_CALL_S
from payfirst.domain.clock import Deadline
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.gateways.base import (
    NoAnswer,
    PayBack,
    Push,
    PushAnswer,
    RefundQuery,
    RefundStatusAnswer,
    StatusAnswer,
    StatusQuery,
    Unknown,
)
from payfirst.gateways.mpesa.terms import MPESA
from payfirst.gateways.phonepe.terms import PHONEPE
from payfirst.settings import ConfirmWithQuery
from payfirst.storage.dynamodb.table import dynamodb
from payfirst.storage.queue import sqs
from payfirst.usecases.checkout import start_attempt
from payfirst.usecases.refunds import send_refund
from payfirst.usecases.settlement import check_status, take_notice
from payfirst.usecases.sweeps import reconcile
from tests.contract.walk import wait_until
from tests.integration.gateways.shoppers import (
    PHONEPE_WEBHOOK,
    BookingShopper,
    ProduceShopper,
    add_rule,
    kill_tokens,
    post,
    webhook_header,
)
from tests.integration.payments.shop import Shop, new_customer
from tests.integration.payments.test_refunds import owed_by_phonepe

HTTP_API_GIVES_UP_S = 30.0
ON_THE_WAY_S = 0.5
"""What the local front and a busy test machine may add to a function's own time."""
PHONEPE_WAITS_S = 3.0


def timeout(function: str) -> float:
    return float(load_template(TEMPLATE)["Resources"][function]["Properties"]["Timeout"])


def one_lost_packet_s() -> float:
    """The longest that one request to the table takes when its first packet is lost and its repetition is answered."""
    return patience(dynamodb.__wrapped__())


def patience(client: Any) -> float:
    config = client.meta.config
    return float(config.connect_timeout) + float(config.read_timeout)


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the Lambda service sets, so that clients can be made and looked at; they send nothing."""
    for name, value in {"DEFAULT_REGION": "us-east-1", "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)


def test_each_function_gives_its_gateways_less_time_than_it_has() -> None:
    assert GATEWAY_CALL_S + start_attempt.WRITES_S < timeout("InitiatePaymentFunction") < HTTP_API_GIVES_UP_S
    assert timeout("ReconcilePaymentsFunction") > check_status.CALL_S + check_status.WRITES_S
    assert timeout("ReconcilePaymentsFunction") > send_refund.CALL_S + send_refund.WRITES_S
    assert ANSWER_NOTICES_IN_S < PHONEPE_WAITS_S < timeout("WebhookFunction")
    assert take_notice.WRITES_S < ANSWER_NOTICES_IN_S


def test_what_is_kept_back_outlasts_a_lost_packet_to_the_table() -> None:
    for kept in (start_attempt.WRITES_S, check_status.WRITES_S, send_refund.WRITES_S):
        assert one_lost_packet_s() < kept
    assert reconcile.SPARE_S > check_status.WRITES_S
    assert patience(sqs.__wrapped__()) < one_lost_packet_s()


class Watch:
    """A gateway that uses up every second it is given, on a clock that moves with it."""

    merchant = None

    def __init__(self, left: float, terms: GatewayTerms = MPESA) -> None:
        self.terms = terms
        self.left = left
        self.left_after: list[float] = []

    @property
    def deadline(self) -> Deadline:
        return Deadline(lambda: self.left)

    def _hang(self, timeout_s: float) -> None:
        self.left -= max(timeout_s, 0.0)
        self.left_after.append(self.left)

    def push(self, push: Push, *, now: Any, timeout_s: float) -> PushAnswer:
        del push, now
        self._hang(timeout_s)
        return Unknown("no answer in time")

    def status(self, query: StatusQuery, *, now: Any, timeout_s: float) -> StatusAnswer:
        del query, now
        self._hang(timeout_s)
        return NoAnswer("no answer in time")

    def refund(self, wanted: PayBack, *, now: Any, timeout_s: float) -> PushAnswer:
        del wanted, now
        self._hang(timeout_s)
        return Unknown("no answer in time")

    def refund_status(self, query: RefundQuery, *, now: Any, timeout_s: float) -> RefundStatusAnswer:
        del query, now
        self._hang(timeout_s)
        return NoAnswer("no answer in time")


@pytest.mark.parametrize("left", [28.0, 20.0, 12.0, 9.0, 6.0])
def test_a_push_that_hangs_leaves_time_for_its_writes_however_late_it_begins(shop: Shop, left: float) -> None:
    watch = Watch(left)
    context = replace(shop.payment_context(), gateway=lambda _: watch, deadline=watch.deadline, longest_call_s=GATEWAY_CALL_S)
    session = shop.session(new_customer())
    attempt, token = start_attempt.new_attempt(session, MPESA, start_attempt.payer(session, MPESA, None), context)
    assert start_attempt.claim(context, session, attempt, is_new=False).written

    assert start_attempt.push(context, session, attempt, token).lost

    assert watch.left_after == [max(left - GATEWAY_CALL_S, start_attempt.WRITES_S)]


@pytest.mark.parametrize("left", [60.0, 30.0, 11.0])
def test_a_look_that_hangs_leaves_time_for_its_writes(shop: Shop, left: float) -> None:
    started = shop.initiate(shop.session(new_customer()))
    due = shop.attempt(started).next_check_at
    assert due is not None
    shop.now = due
    watch = Watch(left)
    context = replace(shop.notice_context(), gateway=lambda _: watch, deadline=watch.deadline)

    check_status.check_status(context, started.attempt.ref, no_answer_after=due - started.attempt.created_at)

    assert watch.left_after
    assert min(watch.left_after) >= check_status.WRITES_S


def test_a_notice_leaves_time_for_its_writes_when_the_gateway_hangs(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    watch = Watch(ANSWER_NOTICES_IN_S)
    shop.confirm = ConfirmWithQuery.ADVISORY
    context = replace(shop.notice_context(), gateway=lambda _: watch, deadline=watch.deadline)

    taken = take_notice.take_callback(context, shop.address(started), shop.notice(started))

    assert taken is take_notice.Taken.SETTLED
    assert watch.left_after == [pytest.approx(take_notice.WRITES_S)]


@pytest.mark.parametrize("left", [60.0, 12.0, 6.0])
def test_a_refund_that_hangs_leaves_time_for_its_writes(shop: Shop, left: float) -> None:
    started = owed_by_phonepe(shop)
    watch = Watch(left, PHONEPE)
    context = replace(shop.notice_context(), gateway=lambda _: watch, deadline=watch.deadline)

    send_refund.pursue(context, started.attempt.ref, 1)
    send_refund.pursue(context, started.attempt.ref, 1)

    after_sending = max(left - send_refund.CALL_S, send_refund.WRITES_S)
    assert watch.left_after == [
        after_sending,
        max(after_sending - send_refund.CALL_S, min(send_refund.WRITES_S, after_sending)),
    ]


def answered_within(seconds: float, send: Any) -> Any:
    started = time.monotonic()
    answer = send()
    took = time.monotonic() - started
    assert took < seconds + ON_THE_WAY_S, f"answered after {took:.2f} s"
    return answer


def test_mpesa_has_its_answer_in_time_while_its_own_query_hangs(a_buyer: ProduceShopper) -> None:
    a_buyer.initiate()
    a_buyer.decide(notices=0)
    raw, address = a_buyer.notice(), a_buyer.address()
    a_buyer.rule(call="query", answer_delay_s=8, times=3)

    answer = answered_within(ANSWER_NOTICES_IN_S, lambda: post(a_buyer.stack, address, raw))

    assert answer.json()["ResultCode"] == 0
    a_buyer.end_well()  # the right token is believed where the query does not answer


def test_mpesa_has_its_answer_in_time_while_its_tokens_hang(a_buyer: ProduceShopper) -> None:
    a_buyer.initiate()
    a_buyer.decide(notices=0)
    raw, address = a_buyer.notice(), a_buyer.address()
    kill_tokens(a_buyer.stack)
    add_rule(a_buyer.stack, gateway="mpesa", call="token", answer_delay_s=8, times=1)

    answer = answered_within(ANSWER_NOTICES_IN_S, lambda: post(a_buyer.stack, address, raw))

    assert answer.json()["ResultCode"] == 0
    a_buyer.end_well()


def test_phonepe_has_its_answer_in_time_while_its_own_status_hangs(a_booker: BookingShopper) -> None:
    a_booker.process()
    a_booker.decide(notices=0)
    header = webhook_header(a_booker.stack)
    a_booker.rule(call="status", answer_delay_s=8, times=1)

    answer = answered_within(ANSWER_NOTICES_IN_S, lambda: post(a_booker.stack, PHONEPE_WEBHOOK, a_booker.notice(), header))

    assert answer.status_code == 200
    assert a_booker.check()["payment_status"] == "PENDING"  # a notice alone is not believed
    wait_until(a_booker.check, lambda told: told["booking_created"])
    a_booker.end_well()
