"""Each captured payment ends as exactly one order, one booking or one refund."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from payfirst.domain.errors import (
    NotFoundError,
    PaymentInProgressError,
    RefusedError,
    SessionExpiredError,
    TooSoonError,
)
from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.gateways.base import Captured
from payfirst.storage.dynamodb import due_index, keys
from payfirst.usecases.settlement.settle import settle
from payfirst.usecases.settlement.take_notice import Taken
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import Shop, new_customer, new_phone, new_receipt


def test_a_paid_prompt_becomes_one_order_and_empties_the_cart(shop: Shop) -> None:
    customer = new_customer()
    session = shop.session(customer)
    started = shop.initiate(session)
    shop.decide(started)

    assert shop.tell(started) is Taken.SETTLED

    paid = shop.read(session)
    assert paid.status is SessionStatus.ORDER_CREATED
    [order] = shop.of_kind(customer, keys.ORDER)
    assert order["order_number"] == "ORD-20260302-001"
    assert order["amount"] == 35000
    assert shop.listing()["available"] == 9998
    assert shop.listing()["sold"] == 2
    [cart] = [item for item in shop.items() if item["sk"] == "CART"]
    assert cart["lines"] == []
    assert shop.due() == {}


def test_the_same_notice_twice_makes_one_order_and_writes_nothing_more(shop: Shop) -> None:
    customer = new_customer()
    started = shop.initiate(shop.session(customer))
    raw, token = shop.notice(started), shop.address(started)
    shop.tell(started, raw, token=token)
    before = shop.items()

    assert shop.tell(started, raw, token=token) is Taken.DUPLICATE

    assert shop.items() == before


def test_the_same_notice_on_ten_threads_at_once_makes_one_order(shop: Shop) -> None:
    customer = new_customer()
    started = shop.initiate(shop.session(customer))
    raw, token = shop.notice(started), shop.address(started)
    barrier = threading.Barrier(10)

    def post(_: int) -> Taken:
        barrier.wait()
        return shop.tell(started, raw, token=token)

    with ThreadPoolExecutor(10) as pool:
        taken = list(pool.map(post, range(10)))

    assert set(taken) <= {Taken.SETTLED, Taken.DUPLICATE, Taken.STORED}
    assert len(shop.of_kind(customer, keys.ORDER)) == 1
    assert shop.listing()["sold"] == 2
    assert shop.refunds(started) == []


def test_a_notice_with_a_wrong_token_changes_nothing(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    raw, token = shop.notice(started), shop.address(started)
    before = shop.items()
    wrong = token[:13] + ("0" if token[13] != "0" else "1") + token[14:]

    assert shop.tell(started, raw, token=wrong) is Taken.REFUSED

    assert shop.items() == before


def test_a_cancelled_prompt_fails_the_session_which_may_be_tried_again(shop: Shop) -> None:
    customer, phone = new_customer(), new_phone()
    session = shop.session(customer, phone=phone)
    first = shop.initiate(session)
    shop.decide(first, "cancel")
    shop.tell(first, shop.notice(first, code=1032))
    failed = shop.read(session)
    assert failed.status is SessionStatus.FAILED
    assert failed.failure is not None
    assert failed.failure.retryable

    second = shop.initiate(session)
    shop.tell(second)

    assert shop.read(session).status is SessionStatus.ORDER_CREATED
    assert shop.attempt(first).status is AttemptStatus.FAILED
    assert shop.due() == {due_index.SETTLE: [keys.attempt(first.attempt.ref)["pk"]]}, "M-Pesa is asked whether it failed"
    shop.now += timedelta(seconds=10)
    reconcile(shop.notice_context(), no_answer_after=timedelta(minutes=3))
    assert shop.due() == {}


def test_a_late_failure_of_the_first_attempt_does_not_touch_the_success_of_the_second(shop: Shop) -> None:
    session = shop.session(new_customer())
    first = shop.initiate(session)
    shop.decide(first, "cancel")
    shop.tell(first, shop.notice(first, code=1032))
    second = shop.initiate(session)
    shop.tell(second)

    shop.tell(first, shop.notice(first, code=1037))

    assert shop.read(session).status is SessionStatus.ORDER_CREATED
    assert shop.attempt(second).status is AttemptStatus.SUCCEEDED


def test_a_late_success_of_the_first_attempt_is_refunded_when_the_second_was_paid(shop: Shop) -> None:
    customer = new_customer()
    session = shop.session(customer)
    first = shop.initiate(session)
    shop.decide(first, "cancel")
    shop.tell(first, shop.notice(first, code=1032))
    second = shop.initiate(session)
    shop.tell(second)

    shop.tell(first, shop.notice(first))

    assert len(shop.of_kind(customer, keys.ORDER)) == 1
    [refund] = shop.refunds(first)
    assert (refund["amount"], refund["status"], refund["reason"]) == (35000, "due", "surplus")
    assert shop.attempt(first).status is AttemptStatus.REFUND_DUE
    assert shop.read(session).status is SessionStatus.ORDER_CREATED


def test_a_late_success_is_honoured_while_the_session_and_its_cart_are_free(shop: Shop) -> None:
    customer = new_customer()
    session = shop.session(customer)
    started = shop.initiate(session)
    shop.decide(started, "cancel")
    shop.tell(started, shop.notice(started, code=1037))
    shop.now += timedelta(hours=1)

    shop.tell(started, shop.notice(started))

    assert shop.read(session).status is SessionStatus.ORDER_CREATED
    assert len(shop.of_kind(customer, keys.ORDER)) == 1


def test_another_amount_is_refunded_in_full_and_never_fulfilled(shop: Shop) -> None:
    customer = new_customer()
    session = shop.session(customer)
    started = shop.initiate(session)

    shop.tell(started, shop.notice(started, amount="349.00"))

    assert shop.of_kind(customer, keys.ORDER) == []
    [refund] = shop.refunds(started)
    assert (refund["amount"], refund["reason"]) == (34900, "wrong_amount")
    assert shop.read(session).status is SessionStatus.FAILED
    assert shop.listing()["available"] == 10000


def test_a_success_notice_without_an_amount_orders_nothing_until_mpesa_was_asked(shop: Shop) -> None:
    customer = new_customer()
    started = shop.initiate(shop.session(customer))
    told = json.loads(shop.notice(started))
    items = told["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
    told["Body"]["stkCallback"]["CallbackMetadata"]["Item"] = [item for item in items if item["Name"] != "Amount"]

    assert shop.tell(started, json.dumps(told).encode()) is Taken.ASKED

    assert shop.of_kind(customer, keys.ORDER) == []


def test_a_receipt_serves_one_attempt(shop: Shop) -> None:
    receipt = new_receipt()
    first, second = (shop.initiate(shop.session(new_customer())) for _ in range(2))
    shop.tell(first, shop.notice(first, receipt=receipt))

    shop.tell(second, shop.notice(second, receipt=receipt))

    assert shop.attempt(second).status is AttemptStatus.NEEDS_REVIEW
    assert len([item for item in shop.items() if item["sk"].startswith("O#0")]) == 1
    assert list(shop.due()) == [due_index.REVIEW]


def test_money_for_what_was_sold_out_meanwhile_is_refunded(shop: Shop) -> None:
    customer = new_customer()
    session = shop.session(customer)
    started = shop.initiate(session)
    shop.stock(listing=123, price=15000, available="1")

    shop.tell(started)

    failed = shop.read(session)
    assert failed.status is SessionStatus.FAILED
    assert failed.failure is not None
    assert failed.failure.code == "out_of_stock"
    [refund] = shop.refunds(started)
    assert refund["amount"] == 35000
    assert shop.listing()["available"] == 1
    assert list(shop.due()) == [due_index.REFUND]


def test_two_tabs_with_the_same_cart_cannot_both_be_paid(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer)
    first, second = shop.session_from_cart(customer), shop.session_from_cart(customer)
    started = shop.initiate(first)

    with pytest.raises(PaymentInProgressError):
        shop.initiate(second)
    shop.tell(started)
    with pytest.raises(RefusedError, match="paid for"):
        shop.initiate(second)

    assert len(shop.of_kind(customer, keys.ORDER)) == 1


def test_ten_clicks_at_once_make_one_attempt(shop: Shop) -> None:
    session = shop.session(new_customer())
    barrier = threading.Barrier(10)

    def click(_: int) -> str:
        barrier.wait()
        try:
            shop.initiate(session)
        except (PaymentInProgressError, TooSoonError) as error:
            return error.code
        return "started"

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(click, range(10)))

    assert sorted(answers) == ["PAYMENT_IN_PROGRESS"] * 9 + ["started"]
    assert len([item for item in shop.items() if item["sk"] == "ATT"]) == 1


def test_an_expired_session_is_not_initiated(shop: Shop) -> None:
    session = shop.session(new_customer())
    shop.now += timedelta(minutes=15)

    with pytest.raises(SessionExpiredError):
        shop.initiate(session)


def test_one_phone_has_one_prompt(shop: Shop) -> None:
    phone = new_phone()
    shop.initiate(shop.session(new_customer(), phone=phone))

    with pytest.raises(TooSoonError):
        shop.initiate(shop.session(new_customer(), phone=phone))


def test_what_a_killed_function_left_after_the_money_is_fulfilled_by_the_next_look(shop: Shop) -> None:
    from payfirst.storage import captures  # noqa: PLC0415

    customer = new_customer()
    session = shop.session(customer)
    started = shop.initiate(session)
    captures.money(
        shop.table,
        shop.read(session),
        shop.attempt(started),
        captures.Collected(session.amount, new_receipt()),
        shop.now,
    )
    assert shop.read(session).status is SessionStatus.PAID

    settle(shop.notice_context(), shop.attempt(started), None)

    assert shop.read(session).status is SessionStatus.ORDER_CREATED
    assert len(shop.of_kind(customer, keys.ORDER)) == 1
    assert shop.due() == {}


def test_a_puja_is_paid_through_phonepe_and_booked(shop: Shop) -> None:
    customer = new_customer()
    cart = shop.booking_cart(customer)
    started = shop.process(cart, customer)
    again = shop.process(cart, customer)
    assert again.attempt.ref == started.attempt.ref
    assert not again.is_new
    shop.decide(started)

    assert shop.tell_phonepe(started) is Taken.SETTLED

    [booking] = shop.of_kind(customer, keys.BOOKING)
    assert booking["status"] == "CONFIRMED"
    [converted] = shop.of_kind(customer, keys.CART)
    assert converted["converted_by"] == booking["book_id"]
    assert shop.due() == {}


def test_a_phonepe_notice_that_the_order_status_does_not_confirm_books_nothing(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)

    assert shop.tell_phonepe(started) is Taken.ASKED

    assert shop.of_kind(customer, keys.BOOKING) == []


def test_a_phonepe_notice_without_the_right_header_changes_nothing(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    before = shop.items()

    assert shop.tell_phonepe(started, header="0" * 64) is Taken.REFUSED
    assert shop.tell_phonepe(started, header="") is Taken.REFUSED

    assert shop.items() == before


def test_a_failed_payment_of_a_cart_is_tried_again_under_the_same_payment_id(shop: Shop) -> None:
    customer = new_customer()
    cart = shop.booking_cart(customer)
    first = shop.process(cart, customer)
    shop.decide(first, "fail")
    shop.tell_phonepe(first, state="FAILED")

    second = shop.process(cart, customer)

    assert second.is_new
    assert second.session.number == first.session.number
    assert second.attempt.ref != first.attempt.ref
    shop.decide(second)
    shop.tell_phonepe(second)
    assert len(shop.of_kind(customer, keys.BOOKING)) == 1


def test_a_deleted_cart_is_not_paid_for_and_its_late_money_goes_back(shop: Shop) -> None:
    customer = new_customer()
    cart = shop.booking_cart(customer)
    started = shop.process(cart, customer)
    shop.decide(started, "fail")
    shop.tell_phonepe(started, state="FAILED")
    key = {name: {"S": value} for name, value in keys.owned(customer.sub, keys.CART, cart.number).items()}
    shop.table.client.delete_item(TableName=shop.table.name, Key=key)

    with pytest.raises(NotFoundError, match="Active cart not found"):
        shop.process(cart, customer)
    settle(shop.notice_context(), shop.attempt(started), Captured(started.attempt.amount, "OMO1"))

    assert shop.of_kind(customer, keys.BOOKING) == []
    [refund] = shop.refunds(started)
    assert refund["amount"] == 51000


def test_money_that_another_merchant_collected_is_put_before_a_person(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    ours = replace(shop.phonepe_credentials, merchant_id="OURS")

    shop.tell_phonepe(started, merchant="SOMEBODY_ELSE", credentials=ours)

    assert shop.attempt(started).status is AttemptStatus.NEEDS_REVIEW
    assert shop.of_kind(customer, keys.BOOKING) == []


def test_a_notice_about_another_merchant_decides_nothing_where_phonepe_has_collected_nothing(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    ours = replace(shop.phonepe_credentials, merchant_id="OURS")

    assert shop.tell_phonepe(started, merchant="SOMEBODY_ELSE", credentials=ours) is Taken.ASKED
    assert shop.attempt(started).status is AttemptStatus.SENT

    shop.decide(started)
    shop.tell_phonepe(started, merchant="OURS", credentials=ours)
    assert len(shop.of_kind(customer, keys.BOOKING)) == 1


def test_money_for_this_merchant_is_booked(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    ours = replace(shop.phonepe_credentials, merchant_id="OURS")

    shop.tell_phonepe(started, merchant="OURS", credentials=ours)

    assert len(shop.of_kind(customer, keys.BOOKING)) == 1
