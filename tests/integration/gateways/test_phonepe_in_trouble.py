"""PhonePe misbehaves in every way that is known of it: one booking, one charge, and the customer hears the truth throughout."""

from __future__ import annotations

import pytest

from tests.contract.walk import wait_until
from tests.integration.gateways.shoppers import (
    PHONEPE_WEBHOOK,
    BookingShopper,
    kill_tokens,
    post,
    post_at_once,
    webhook_header,
)

PENDING = {"success": False, "payment_status": "PENDING", "booking_created": False, "message": "Payment status: Pending"}


@pytest.mark.parametrize("answer", ["lost", "html_502", "internal_error"])
def test_an_answer_that_is_lost_after_the_order_was_made_ends_in_one_booking(a_booker: BookingShopper, answer: str) -> None:
    a_booker.rule(call="pay", answer=answer, done=True, times=1)

    told = a_booker.process()

    assert (told.status_code, told.json()["status"], told.json()["payment_url"]) == (201, "PENDING", None)
    assert a_booker.check() == PENDING
    again = a_booker.process()
    assert (again.status_code, again.json()["payment_url"]) == (200, None)
    assert again.json()["payment_id"] == told.json()["payment_id"]
    assert len(a_booker.refs) == 1
    a_booker.decide()
    a_booker.end_well()


def test_an_order_that_never_reached_phonepe_fails_when_it_is_looked_up_and_can_be_tried_again(
    a_booker: BookingShopper,
) -> None:
    bookers = [a_booker, BookingShopper(a_booker.stack)]
    for booker, answer in zip(bookers, ("html_502", "duplicate_order"), strict=True):
        booker.rule(call="pay", answer=answer, done=False, times=1)
        assert booker.process().status_code == 201
        assert booker.check() == PENDING

    for booker in bookers:
        failed = wait_until(booker.check, lambda answer: answer["payment_status"] != "PENDING", seconds=60)
        assert (failed["payment_status"], failed["booking_created"]) == ("FAILED", False)

        assert booker.process().status_code == 201
        assert len(booker.refs) == 2
        assert booker.check() == PENDING
        booker.decide()
        booker.end_well()


def test_a_webhook_before_the_response_is_the_payment(a_booker: BookingShopper) -> None:
    a_booker.rule(call="pay", outcome="pay", early=True, times=1)

    told = a_booker.process()

    assert told.status_code == 201
    assert told.json()["payment_url"]
    a_booker.end_well()


def test_a_webhook_that_never_comes_is_asked_for(a_booker: BookingShopper) -> None:
    a_booker.process()
    a_booker.decide(notices=0)

    assert a_booker.check() == PENDING  # nobody has told us yet
    a_booker.end_well()


def test_the_same_webhook_on_ten_connections_at_once_makes_one_booking(a_booker: BookingShopper) -> None:
    a_booker.process()
    a_booker.decide(notices=0)
    address = f"{a_booker.stack.base_url}{PHONEPE_WEBHOOK}"

    answers = post_at_once(address, a_booker.notice(), webhook_header(a_booker.stack), times=10)

    assert {status for status, _ in answers} == {200}
    a_booker.end_well()


def test_a_true_header_with_a_false_success_books_nothing(a_booker: BookingShopper) -> None:
    a_booker.process()

    answer = post(a_booker.stack, PHONEPE_WEBHOOK, a_booker.notice(), webhook_header(a_booker.stack))

    assert answer.status_code == 200
    assert a_booker.check() == PENDING
    assert a_booker.bookings() == []
    a_booker.decide("cancel")
    wait_until(a_booker.check, lambda told: told["payment_status"] == "FAILED")
    assert a_booker.charges() == []


def test_a_token_that_dies_between_two_calls_is_replaced_and_nothing_is_sent_twice(a_booker: BookingShopper) -> None:
    kill_tokens(a_booker.stack)
    assert a_booker.process().json()["payment_url"]
    kill_tokens(a_booker.stack)
    a_booker.decide()
    a_booker.end_well()


def test_a_definite_refusal_fails_the_payment_and_leaves_the_cart(a_booker: BookingShopper) -> None:
    a_booker.rule(call="pay", answer="rate_limit", times=1)

    told = a_booker.process()

    assert (told.status_code, told.json()["error"]) == (502, "Payment processing failed")
    assert a_booker.customer.get(f"/api/cart/carts/{a_booker.cart['id']}")["status"] == "ACTIVE"
    assert a_booker.process().status_code == 201
    a_booker.decide()
    a_booker.end_well()


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b'{"event": "' + b"x" * (64 * 1024) + b'"}', "application/json"),
        (b"not JSON at all", "application/json"),
        (b'{"event": "\xff\xfe"}', "application/json"),
        (b"\x00\x01\x02", "application/octet-stream"),
    ],
    ids=["over 64 KB", "not JSON", "not UTF-8", "base64"],
)
def test_a_notice_that_nobody_can_read_changes_nothing(a_booker: BookingShopper, raw: bytes, content_type: str) -> None:
    a_booker.process()
    too_large = len(raw) > 64 * 1024

    forged = post(a_booker.stack, PHONEPE_WEBHOOK, raw, {"Content-Type": content_type})
    header = {**webhook_header(a_booker.stack), "Content-Type": content_type}
    true = post(a_booker.stack, PHONEPE_WEBHOOK, raw, header)

    assert forged.status_code == 401
    assert true.status_code == (401 if too_large else 200)
    assert a_booker.check() == PENDING
    a_booker.decide()
    a_booker.end_well()
