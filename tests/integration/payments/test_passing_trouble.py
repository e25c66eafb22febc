"""What cannot be reached, or is not configured, stays due and counts for nothing; what fails by itself waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from local.embedded_aws import EmbeddedAws
from local.resources import verify_senders
from payfirst.domain.errors import MisconfiguredError, TemporaryError
from payfirst.domain.moves import RefundStatus
from payfirst.domain.session import Kind
from payfirst.gateways.base import Gateway
from payfirst.gateways.circuit_breaker import CircuitBreaker
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.failures import StorageError
from payfirst.storage.dynamodb.schema import NewerItemError
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.operators.waiting import stuck
from payfirst.usecases.sweeps.reconcile import ReconcileReport, Run, reconcile
from payfirst.usecases.sweeps.retry_later import is_passing
from tests.integration.payments.postman import ORDERS, Postman
from tests.integration.payments.shop import Shop, new_customer
from tests.integration.payments.test_refunds import owed_by_phonepe

NO_ANSWER = timedelta(minutes=3)


def without_secrets(_: str) -> Gateway:
    raise MisconfiguredError("A secret of the shop cannot be read.")


def sweep(shop: Shop) -> ReconcileReport:
    return reconcile(shop.notice_context(), no_answer_after=NO_ANSWER)


def parked(shop: Shop) -> list[str]:
    return [entry.key for entry in stuck(shop.table, shop.now) if entry.what == "needs review"]


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "SendEmail")


@pytest.mark.parametrize(
    "error",
    [
        MisconfiguredError("no secret"),
        StorageError("away"),
        NewerItemError("newer"),
        TemporaryError("later"),
        ReadTimeoutError(endpoint_url="https://x.example"),
        TimeoutError(),
        *map(refused, ("AccessDeniedException", "ThrottlingException", "TooManyRequestsException", "SendingPausedException")),
        *map(
            refused,
            ("ResourceNotFoundException", "ExpiredTokenException", "LimitExceededException", "AccountSuspendedException"),
        ),
    ],
    ids=lambda error: error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__,
)
def test_what_says_nothing_about_the_item_passes(error: Exception) -> None:
    assert is_passing(error)


@pytest.mark.parametrize("error", [KeyError("x"), OverflowError(), refused("MessageRejected"), refused("ValidationException")])
def test_what_the_item_itself_brings_about_does_not_pass(error: Exception) -> None:
    assert not is_passing(error)


def test_two_days_without_secrets_park_nothing_and_all_is_done_when_they_are_back(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    owed = owed_by_phonepe(shop)
    paid = shop.initiate(shop.session(new_customer()))
    shop.decide(paid)
    before = shop.items()
    for pause in (*[timedelta(minutes=1)] * 20, *[timedelta(hours=6)] * 8):
        shop.now += pause
        report = reconcile(replace(shop.notice_context(), gateway=without_secrets), no_answer_after=NO_ANSWER)
        assert (report.examined, report.passed_over, report.failed, report.finished) == (2, 2, 0, True)
    assert shop.items() == before
    assert caplog.messages.count("gateway.misconfigured") == 2 * 28, "each gateway once a run"

    assert sweep(shop).settled == {"fulfilled": 1, "refund_accepted": 1}
    assert [refund["status"] for refund in shop.refunds(owed)] == [RefundStatus.ACCEPTED]
    assert parked(shop) == []


def test_a_refund_whose_keys_are_refused_waits_for_an_operator_however_long_that_takes(shop: Shop) -> None:
    owed = owed_by_phonepe(shop)
    working, base = shop.gateways["PHONEPE"], shop.simulators
    refused_keys = PhonePe(shop.phonepe_credentials, f"{base}/phonepe", f"{base}/nothing-is-here", None, "tests")
    shop.gateways["PHONEPE"] = refused_keys
    for _ in range(8):
        shop.now += timedelta(days=1)
        sweep(shop)
    assert [refund["status"] for refund in shop.refunds(owed)] == [RefundStatus.DUE]

    shop.gateways["PHONEPE"] = working
    shop.now += timedelta(days=1)
    sweep(shop)
    assert [refund["status"] for refund in shop.refunds(owed)] == [RefundStatus.ACCEPTED]


def test_the_queue_drops_what_cannot_be_asked_and_the_attempt_stays_due_as_it_was(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    shop.decide(started)
    shop.now += timedelta(seconds=11)
    before = shop.items()
    context = replace(shop.notice_context(), gateway=without_secrets)
    breaker = CircuitBreaker(context.deadline)
    for _ in range(3):
        Run(context, NO_ANSWER, breaker).take_message(started.attempt.ref)
    assert shop.items() == before
    assert sweep(shop).settled == {"fulfilled": 1}


def test_a_success_forgets_the_failures_before_it(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    write(shop.table, Update("attempt", keys.attempt(started.attempt.ref), set={"tries": 4}))
    shop.now += timedelta(seconds=11)

    assert sweep(shop).settled == {"pending": 1}

    [item] = [item for item in shop.items() if item["sk"] == "ATT"]
    assert "tries" not in item


def test_a_dead_letter_is_tried_once_an_hour_and_leaves_the_list_when_it_succeeds(shop: Shop) -> None:
    session = shop.session(new_customer())
    started = shop.initiate(session)
    shop.decide(started)
    place = keys.owned(session.customer.sub, keys.SESSION, session.number)
    kept = next(item for item in shop.items() if item["pk"] == place["pk"] and item["sk"] == place["sk"])
    write(shop.table, Update("session", place, remove=("snapshot",)))
    for _ in range(5):
        shop.now += timedelta(days=2)
        assert sweep(shop).failed == 1
    assert parked(shop) == [started.attempt.ref]
    assert sweep(shop).examined == 0
    shop.now += timedelta(days=1)
    assert sweep(shop).failed == 1, "it is tried, and stays on the list"
    assert parked(shop) == [started.attempt.ref]

    write(shop.table, Update("session", place, set={"snapshot": kept["snapshot"]}))
    shop.now += timedelta(days=1)
    assert sweep(shop).settled == {"fulfilled": 1}
    assert parked(shop) == []


@pytest.fixture
def postman(embedded_aws: EmbeddedAws, shop: Shop) -> Postman:
    verify_senders(embedded_aws.client("sesv2"), (ORDERS,))
    return Postman(embedded_aws, shop, {Kind.BOOKING: "", Kind.ORDER: ORDERS})


@contextmanager
def ses_says(postman: Postman, code: str) -> Iterator[None]:
    def refuse(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        http_response.status_code = 400
        parsed.clear()
        parsed |= {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}

    postman.client.meta.events.register("after-call.sesv2.SendEmail", refuse)
    try:
        yield
    finally:
        postman.client.meta.events.unregister("after-call.sesv2.SendEmail", refuse)


@pytest.mark.parametrize("code", ["TooManyRequestsException", "SendingPausedException", "MailFromDomainNotVerifiedException"])
def test_mail_that_is_throttled_or_off_parks_no_letter_and_is_told_once_a_run(
    shop: Shop, postman: Postman, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(4):
        started = shop.initiate(shop.session(new_customer()))
        shop.decide(started)
        shop.tell(started)
    postman.events()
    with ses_says(postman, code):
        for _ in range(8):
            report = postman.letters()
            assert (report.sent, report.failed, report.finished) == (0, 2, False), "two tries tell enough"
            shop.now += timedelta(minutes=10)
    assert caplog.messages.count("mail.away") == 8
    assert parked(shop) == []
    shop.now += timedelta(minutes=10)
    assert postman.letters().sent == 4
