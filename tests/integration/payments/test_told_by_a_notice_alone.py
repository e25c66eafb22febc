"""An end that only a notice told is asked about once more: what its gateway says then wins, or is put before a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.gateways.base import Captured, Gateway, NoAnswer, Pending, StatusAnswer
from payfirst.gateways.mpesa.results import STK_RESULTS, declined_by
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import timeline
from payfirst.storage.dynamodb import due_index, keys
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.operators.review import refund_payment, resolve
from payfirst.usecases.operators.waiting import stuck
from payfirst.usecases.settlement.check_status import TURNED_AWAY, check_status
from payfirst.usecases.settlement.evidence import Settled
from payfirst.usecases.settlement.take_notice import Taken
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import Shop, new_customer

NO_ANSWER = timedelta(minutes=3)
FIRST = timedelta(seconds=10)
WHO = {"by": "operator:amina", "why": "the statement shows it"}


class Answering:
    """A gateway that answers each question about a payment with the next of `answers`, and counts them."""

    def __init__(self, shop: Shop, *answers: StatusAnswer, name: str = "MPESA") -> None:
        self.gateway: Gateway = shop.gateways[name]
        self.answers = list(answers)
        self.asked = 0
        shop.gateways[name] = self  # type: ignore[assignment]

    def status(self, *_: object, **__: object) -> StatusAnswer:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def __getattr__(self, name: str) -> object:
        return getattr(self.gateway, name)


def sweep(shop: Shop, after: timedelta = timedelta(0)) -> dict[str, int]:
    shop.now += after
    return reconcile(shop.notice_context(), no_answer_after=NO_ANSWER).settled


def listed(shop: Shop) -> list[str]:
    return [entry.key for entry in stuck(shop.table, shop.now) if entry.what == "needs review"]


def unconfirmed(shop: Shop) -> list[str]:
    """The attempts whose success is still to be asked about."""
    return [item["pk"] for item in shop.items() if "confirm_at" in item]


def told(shop: Shop, started: Started) -> list[str]:
    events = timeline.read(shop.table, shop.read(started.session))
    return [str(event.facts["reason"]) for event in events if event.name == "payment.contradicted"]


@pytest.mark.parametrize("code", [*sorted(STK_RESULTS), "77777"])
@pytest.mark.parametrize("by", ["sweep", "queue"])
def test_a_failure_that_only_mpesas_notice_told_gives_way_to_its_query(shop: Shop, code: str, by: str) -> None:
    started = shop.initiate(shop.session(new_customer()))
    gateway = Answering(shop, Captured(None, None))
    assert shop.tell(started, shop.notice(started, code=code)) is Taken.SETTLED  # type: ignore[arg-type]
    assert shop.attempt(started).status is AttemptStatus.FAILED

    shop.now += FIRST
    if by == "sweep":
        assert sweep(shop) == {"fulfilled": 1}
    else:
        assert check_status(shop.notice_context(), started.attempt.ref, no_answer_after=NO_ANSWER) is Settled.FULFILLED

    assert shop.read(started.session).status is SessionStatus.ORDER_CREATED
    assert (gateway.asked, shop.due()) == (1, {})


def test_a_failure_is_confirmed_by_one_check_and_no_more(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    gateway = Answering(shop, declined_by("1032"))
    shop.tell(started, shop.notice(started, code=1032))
    for _ in range(4):
        sweep(shop, timedelta(hours=7))
    assert (gateway.asked, shop.due()) == (1, {})
    assert shop.attempt(started).status is AttemptStatus.FAILED


def test_silence_is_no_answer(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    gateway = Answering(shop, NoAnswer("away"), Pending(), declined_by("1037"))
    shop.tell(started, shop.notice(started, code=1037))
    asked_at = []
    while (due := shop.attempt(started).next_check_at) is not None:
        shop.now = due
        sweep(shop)
        asked_at.append(int((due - started.attempt.created_at).total_seconds()))
    assert (asked_at, gateway.asked) == ([10, 20, 40], 3)


def test_a_failure_of_which_its_gateway_never_says_anything_is_put_before_a_person(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    Answering(shop, NoAnswer("away"))
    shop.tell(started, shop.notice(started, code=1032))
    for _ in range(9):
        sweep(shop, timedelta(days=1))
    assert listed(shop) == [started.attempt.ref], "a gateway that cannot be asked at all is waited for a week"


@pytest.mark.parametrize("gateway", ["MPESA", "PHONEPE"])
def test_a_gateway_that_answers_in_words_that_say_nothing_is_waited_for_a_day_and_no_week(shop: Shop, gateway: str) -> None:
    customer = new_customer()
    if gateway == "MPESA":
        started = shop.initiate(shop.session(customer))
    else:
        started = shop.process(shop.booking_cart(customer), customer)
    asked = Answering(shop, NoAnswer("the transaction does not exist", heard=True), name=gateway)
    while (due := shop.attempt(started).next_check_at) is not None:
        shop.now = due
        sweep(shop)

    assert listed(shop) == [started.attempt.ref]
    assert shop.now - started.attempt.created_at <= timedelta(days=1, minutes=1)
    assert asked.asked < 120


def test_the_customer_may_try_again_before_the_check(shop: Shop) -> None:
    session = shop.session(new_customer())
    first = shop.initiate(session)
    shop.decide(first, "cancel")
    gateway = Answering(shop, Captured(None, None))
    shop.tell(first, shop.notice(first, code=1032))

    second = shop.initiate(shop.read(session))
    shop.tell(second, shop.notice(second))
    assert shop.read(session).status is SessionStatus.ORDER_CREATED

    sweep(shop, FIRST)
    assert shop.attempt(first).status is AttemptStatus.REFUND_DUE
    assert gateway.asked == 2


def test_a_notice_that_knows_what_the_lost_answer_would_have_said_leaves_something_to_ask_by(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    raw, token = shop.notice(started, code=1032), shop.address(started)
    shop.table.client.update_item(
        TableName=shop.table.name,
        Key={name: {"S": value} for name, value in keys.attempt(started.attempt.ref).items()},
        UpdateExpression="SET #s = :u REMOVE gateway_id, merchant_request_id",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":u": {"S": "unknown"}},
    )
    gateway = Answering(shop, Captured(None, None))
    shop.tell(started, raw, token=token)
    assert sweep(shop, FIRST) == {"fulfilled": 1}
    assert gateway.asked == 1


@pytest.mark.parametrize("confirm", [ConfirmWithQuery.ADVISORY, ConfirmWithQuery.OFF])
@pytest.mark.parametrize("amount", ["350.00", "100.00"])
@pytest.mark.parametrize("by", ["sweep", "queue"])
def test_a_success_that_only_a_notice_told_and_the_query_takes_back_is_put_before_a_person(
    shop: Shop, confirm: ConfirmWithQuery, amount: str, by: str
) -> None:
    shop.confirm = confirm
    started = shop.initiate(shop.session(new_customer()))
    answers = [Pending()] if confirm is ConfirmWithQuery.ADVISORY else []
    Answering(shop, *answers, declined_by("1032"))
    assert shop.tell(started, shop.notice(started, amount=amount)) is Taken.SETTLED
    became = AttemptStatus.SUCCEEDED if amount == "350.00" else AttemptStatus.REFUND_DUE
    assert (shop.attempt(started).status, listed(shop)) == (became, [])

    shop.now += FIRST
    if by == "sweep":
        sweep(shop)
    else:
        check_status(shop.notice_context(), started.attempt.ref, no_answer_after=NO_ANSWER)

    assert shop.attempt(started).status is became
    assert listed(shop).count(started.attempt.ref) == 1
    assert len(told(shop, started)) == 1
    assert (unconfirmed(shop), due_index.SETTLE in shop.due()) == ([], False)


def test_a_success_that_the_query_confirmed_is_not_asked_about_again(shop: Shop) -> None:
    shop.confirm = ConfirmWithQuery.ADVISORY
    started = shop.initiate(shop.session(new_customer()))
    gateway = Answering(shop, Captured(None, None))
    shop.tell(started)
    assert (gateway.asked, unconfirmed(shop), shop.due()) == (1, [], {})


def test_a_success_is_confirmed_by_one_check_and_no_more(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    gateway = Answering(shop, NoAnswer("away"), Pending(), Captured(None, None))
    shop.tell(started)
    asked_at = []
    for _ in range(12):
        before = gateway.asked
        sweep(shop, timedelta(seconds=5))
        if gateway.asked > before:
            asked_at.append(int((shop.now - started.attempt.created_at).total_seconds()))
    assert (asked_at, unconfirmed(shop), told(shop, started)) == ([10, 20, 40], [], [])
    assert shop.due() == {}


def test_a_success_of_which_its_gateway_never_says_anything_is_put_before_a_person(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    Answering(shop, Pending())
    shop.tell(started)
    for _ in range(12):
        sweep(shop, timedelta(hours=5))
    assert shop.due() == {due_index.REVIEW: [keys.attempt(started.attempt.ref)["pk"]]}
    assert resolve(shop.notice_context(), started.attempt.ref, paid=None, **WHO).doubts_closed == 1
    assert (unconfirmed(shop), shop.due()) == ([], {})


def test_a_success_whose_check_is_turned_away_for_load_is_asked_about_again_in_a_minute(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    gateway = Answering(shop, NoAnswer("busy", busy=True), Captured(None, None))
    shop.tell(started)
    sweep(shop, timedelta(hours=2))
    assert shop.attempt(started).confirm_at == shop.now + TURNED_AWAY
    sweep(shop, TURNED_AWAY)
    assert (gateway.asked, unconfirmed(shop), shop.due()) == (2, [], {})


def test_an_order_may_be_refunded_before_its_payment_was_confirmed(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    shop.tell(started)
    assert refund_payment(shop.table, started.attempt.ref, None, shop.now, **WHO).number == 1


# PhonePe


def _booked(shop: Shop) -> Started:
    customer = new_customer()
    return shop.process(shop.booking_cart(customer), customer)


def test_phonepes_success_that_its_status_calls_failed_is_put_before_a_person(shop: Shop) -> None:
    started = _booked(shop)
    shop.decide(started, "fail")
    assert shop.tell_phonepe(started, state="COMPLETED") is Taken.SETTLED
    assert listed(shop) == [started.attempt.ref]
    assert shop.attempt(started).status is AttemptStatus.NEEDS_REVIEW


def test_phonepes_success_after_a_failure_that_its_status_still_calls_failed_is_put_before_a_person(shop: Shop) -> None:
    started = _booked(shop)
    shop.decide(started, "fail")
    shop.tell_phonepe(started, state="FAILED")
    assert shop.attempt(started).status is AttemptStatus.FAILED
    shop.tell_phonepe(started, state="COMPLETED")
    assert listed(shop) == [started.attempt.ref]


def test_phonepes_failure_that_its_status_calls_completed_is_booked_and_put_before_a_person(shop: Shop) -> None:
    started = _booked(shop)
    shop.decide(started)
    for _ in range(2):
        shop.tell_phonepe(started, state="FAILED")
    assert shop.read(started.session).status is SessionStatus.ORDER_CREATED
    assert listed(shop) == [started.attempt.ref]
    assert len(told(shop, started)) == 1
    assert resolve(shop.notice_context(), started.attempt.ref, paid=None, **WHO).doubts_closed == 1
    assert listed(shop) == []


def test_phonepes_failure_after_the_booking_is_put_before_a_person(shop: Shop) -> None:
    started = _booked(shop)
    shop.decide(started)
    shop.tell_phonepe(started)
    assert listed(shop) == []
    shop.tell_phonepe(started, state="FAILED")
    assert listed(shop) == [started.attempt.ref]


def test_a_stored_notice_of_phonepes_is_held_against_its_status_as_well(shop: Shop) -> None:
    started = _booked(shop)
    shop.decide(started, "fail")
    phonepe = shop.gateways["PHONEPE"]
    Answering(shop, NoAnswer("away"), name="PHONEPE")
    assert shop.tell_phonepe(started, state="COMPLETED") is Taken.ASKED
    shop.gateways["PHONEPE"] = phonepe
    for _ in range(6):
        sweep(shop, timedelta(minutes=2))
    assert listed(shop) == [started.attempt.ref]
    assert due_index.SETTLE not in shop.due()
