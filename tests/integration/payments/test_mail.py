"""Customers are written to about what happened: once, in their money and on their service's clock; no event waits for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from payfirst.domain.clock import instant
from payfirst.domain.refund import refund_sentence
from payfirst.domain.session import Customer
from payfirst.storage import attempts
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.fulfilment.orders import cancel_order
from payfirst.usecases.operators.review import refund_payment, resolve_refund
from payfirst.usecases.refunds.send_refund import pursue
from payfirst.usecases.sweeps.send_mail import MailReport
from tests.integration.payments.postman import BOOKINGS, ORDERS, Postman, booked, code_of, ordered, subjects_after_the_first
from tests.integration.payments.shop import Shop

AMINA = "operator:amina"


def test_an_order_is_confirmed_once_in_shillings_and_on_nairobi_s_clock(
    shop: Shop, postman: Postman, customer: Customer
) -> None:
    started = ordered(shop, customer)
    assert postman.both() == MailReport(sent=1, skipped=0, failed=0, finished=True)
    assert postman.both() == MailReport(sent=0, skipped=0, failed=0, finished=True)

    [letter] = postman.mail_of(customer)
    assert letter["Source"] == ORDERS
    assert letter["Subject"] == f"Your order {code_of(shop, started)} is confirmed"
    for form in (letter["BodyText"], letter["BodyHtml"]):
        for said in ("Fresh Tomatoes", "2 kg", "Ksh300.00", "Ksh50.00", "Ksh350.00", "Likoni, Mombasa", "11:00", "Kenya Time"):
            assert said in form, said
    assert "Otieno" not in letter["BodyHtml"] + letter["BodyText"]  # a name with anything but letters greets nobody
    assert "Hello," in letter["BodyText"]
    assert "<" not in letter["BodyText"]


def test_a_booking_is_confirmed_in_rupees_and_on_the_service_s_clock(shop: Shop, postman: Postman, customer: Customer) -> None:
    started = booked(shop, customer)
    postman.both()

    [letter] = postman.mail_of(customer)
    assert (letter["Source"], letter["Subject"]) == (BOOKINGS, f"Your booking {code_of(shop, started)} is confirmed")
    for form in (letter["BodyText"], letter["BodyHtml"]):
        for said in ("Ganesh Puja", "Monday, 20 July 2026 at 10:30", "India Time", "₹510.00"):
            assert said in form, said


def test_a_payment_that_failed_is_told_unless_the_customer_has_paid_meanwhile(
    shop: Shop, postman: Postman, customer: Customer
) -> None:
    started = shop.initiate(shop.session(customer))
    shop.decide(started, "cancel")
    shop.tell(started, shop.notice(started, code=1032))
    postman.both()
    [letter] = postman.mail_of(customer)
    assert letter["Subject"] == "Your payment did not go through"
    assert "Nothing was booked or ordered." in letter["BodyText"]

    again = shop.initiate(shop.read(started.session))
    shop.decide(again, "cancel")
    shop.tell(again, shop.notice(again, code=1032))
    paid = shop.initiate(shop.read(started.session))
    shop.decide(paid)
    shop.tell(paid)
    assert postman.both() == MailReport(sent=1, skipped=1, failed=0, finished=True)
    assert [letter["Subject"][:10] for letter in postman.mail_of(customer)] == ["Your payme", "Your order"]


def test_a_failure_of_before_the_payment_that_could_not_be_used_is_not_written_about(
    shop: Shop, postman: Postman, customer: Customer
) -> None:
    first = shop.initiate(shop.session(customer))
    shop.decide(first, "cancel")
    shop.tell(first, shop.notice(first, code=1032))
    paid = shop.initiate(shop.read(first.session))
    shop.stock(listing=123, price=15000, available="0")
    shop.tell(paid)
    postman.both()
    [letter] = postman.mail_of(customer)
    assert letter["Subject"] == "You get Ksh350.00 back"


def test_what_a_refunds_letter_says_is_about_that_money(shop: Shop, postman: Postman, customer: Customer) -> None:
    """The session had failed because nobody had answered; then its customer paid another amount after all."""
    started = shop.initiate(shop.session(customer))
    shop.tell(started, shop.notice(started, code=1037))
    postman.both()
    shop.tell(started, shop.notice(started, amount="100.00"))
    postman.both()

    _, owed = postman.mail_of(customer)
    assert "not the one that was asked for" in owed["BodyText"]
    failure = shop.read(started.session).failure
    assert failure is not None
    assert (failure.code, failure.retryable) == ("wrong_amount", True)


def test_a_refund_is_told_when_it_is_owed_and_when_it_was_sent(shop: Shop, postman: Postman, customer: Customer) -> None:
    session = shop.session(customer)
    started = shop.initiate(session)
    shop.decide(started)
    shop.stock(listing=123, price=15000, available="0")
    shop.tell(started)
    postman.both()
    ref = started.attempt.ref
    pursue(shop.notice_context(), ref, 1)
    postman.both()
    if shop.refunds(started)[0]["status"] == "accepted":
        pytest.fail("the simulator ended the refund by itself")
    resolve_refund(shop.table, ref, 1, shop.now, by=AMINA, why="paid by hand")
    postman.both()

    owed, by_hand, sent = postman.mail_of(customer)
    assert owed["Subject"] == "You get Ksh350.00 back"
    assert "sold out" in owed["BodyText"]
    assert by_hand["Subject"] == "The shop pays Ksh350.00 back by hand"
    assert sent["Subject"] == "We have sent back Ksh350.00"
    assert "paid by hand" not in sent["BodyText"] + sent["BodyHtml"]


def test_a_cancelled_order_is_one_letter_that_says_what_goes_back_and_not_what_operators_wrote(
    shop: Shop, postman: Postman, customer: Customer
) -> None:
    started = ordered(shop, customer)
    cancel_order(shop.table, code_of(shop, started), shop.now, by=AMINA, why="The van broke down.")
    postman.both()
    subjects = sorted(letter["Subject"] for letter in postman.mail_of(customer))
    assert subjects == [f"Your order {code_of(shop, started)} is {word}" for word in ("cancelled", "confirmed")]
    [told] = [letter for letter in postman.mail_of(customer) if letter["Subject"].endswith("cancelled")]
    assert "The shop had to cancel this order." in told["BodyText"]
    assert "van" not in told["BodyText"] + told["BodyHtml"]
    assert "You get Ksh350.00 back." in told["BodyText"]


def test_a_refund_that_turns_out_to_need_a_person_is_told_so_once_and_once_more_when_it_was_made(
    shop: Shop, postman: Postman, customer: Customer
) -> None:
    """M-Pesa reverses nothing without an initiator."""
    started = ordered(shop, customer)
    postman.both()
    code, ref = code_of(shop, started), started.attempt.ref
    cancel_order(shop.table, code, shop.now, by=AMINA, why="The van broke down.")
    for _ in range(2):
        postman.both()
    assert subjects_after_the_first(postman, customer) == [f"Your order {code} is cancelled"]
    for _ in range(2):
        pursue(shop.notice_context(), ref, 1)
        postman.both()
    assert subjects_after_the_first(postman, customer)[1:] == ["The shop pays Ksh350.00 back by hand"]
    for _ in range(2):
        resolve_refund(shop.table, ref, 1, shop.now, by=AMINA, why="from the till")
        postman.both()
    assert subjects_after_the_first(postman, customer)[2:] == ["We have sent back Ksh350.00"]
    assert "The shop has paid it back by hand." in postman.mail_of(customer)[-1]["BodyText"]


def test_a_refund_that_a_person_has_made_meanwhile_is_not_said_to_be_still_to_come(
    shop: Shop, postman: Postman, customer: Customer
) -> None:
    started = ordered(shop, customer)
    cancel_order(shop.table, code_of(shop, started), shop.now, by=AMINA, why="The van broke down.")
    pursue(shop.notice_context(), started.attempt.ref, 1)
    resolve_refund(shop.table, started.attempt.ref, 1, shop.now, by=AMINA, why="from the till")
    assert postman.both() == MailReport(sent=3, skipped=1, failed=0, finished=True)
    assert not [subject for subject in subjects_after_the_first(postman, customer) if "by hand" in subject]


def test_of_cents_the_first_letter_says_that_a_person_pays_and_no_second_one_repeats_it(
    shop: Shop, postman: Postman, customer: Customer
) -> None:
    started = shop.initiate(shop.session(customer))
    shop.decide(started)
    shop.tell(started, shop.notice(started, amount="100.50"))
    postman.both()
    pursue(shop.notice_context(), started.attempt.ref, 1)
    postman.both()
    [owed] = postman.mail_of(customer)
    assert "The shop pays this back by hand." in owed["BodyText"]
    shown = shop.read(started.session).refund
    assert shown is not None
    assert (shown.status, shown.by_hand) == ("needs_review", True)


def test_a_refund_that_its_gateway_makes_is_two_letters(shop: Shop, postman: Postman, customer: Customer) -> None:
    started = booked(shop, customer)
    postman.both()
    refund_payment(shop.table, started.attempt.ref, None, shop.now, by=AMINA, why="a kindness")
    postman.both()
    pursue(shop.notice_context(), started.attempt.ref, 1)
    postman.both()
    assert subjects_after_the_first(postman, customer) == ["You get ₹510.00 back"]
    shop.end_refund(f"R{started.attempt.ref}-1")
    shop.now += timedelta(minutes=2)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    postman.both()
    assert subjects_after_the_first(postman, customer)[1:] == ["We have sent back ₹510.00"]


def test_a_reversal_whose_answer_was_lost_is_looked_into_and_not_said_to_be_paid_by_hand(
    shop: Shop, postman: Postman, customer: Customer
) -> None:
    started = ordered(shop, customer)
    postman.both()
    refund_payment(shop.table, started.attempt.ref, None, shop.now, by=AMINA, why="a kindness")
    postman.both()
    sent = {"status": "sending", "sent_at": instant(shop.now), "token_hash": "0" * 64}
    write(shop.table, Update("refund", keys.refund(started.attempt.ref, 1), set=sent))
    shop.now += timedelta(minutes=16)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    postman.both()
    assert subjects_after_the_first(postman, customer) == [
        "You get Ksh350.00 back",
        "We are looking into your refund of Ksh350.00",
    ]
    shown = shop.read(started.session).refund
    assert shown is not None
    assert refund_sentence(shown, by_hand=False) == "The shop looks into this refund by hand."


def test_an_operator_s_own_words_about_a_refund_stay_with_the_operators(
    shop: Shop, postman: Postman, customer: Customer
) -> None:
    started = ordered(shop, customer)
    refund_payment(shop.table, started.attempt.ref, None, shop.now, by=AMINA, why="rude but right")
    postman.both()
    assert not [letter for letter in postman.mail_of(customer) if "rude" in letter["BodyText"] + letter["BodyHtml"]]
    assert len(postman.mail_of(customer)) == 2


def test_a_confirmation_carries_the_gateway_s_receipt(shop: Shop, postman: Postman, customer: Customer) -> None:
    started = ordered(shop, customer)
    postman.both()
    attempt = attempts.read(shop.table, started.attempt.ref)
    assert attempt is not None
    assert attempt.receipt
    [letter] = postman.mail_of(customer)
    assert f"Receipt: {attempt.receipt}" in letter["BodyText"]
