"""What letters say, in both of their forms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from ops.api_reference import samples
from payfirst.api.wire.events import EVENTS
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import BookingSnapshot, Failure, OrderSnapshot, Session
from payfirst.mail.formats import amount_text, instant_text, slot_text
from payfirst.mail.messages import MESSAGES, Message, write_message
from payfirst.mail.occasion import Occasion

AT = datetime(2026, 11, 21, 21, 30, tzinfo=UTC)
FACTS = {
    "order_number": "ORD-20261122-001",
    "book_id": "BK-449034CB",
    "amount": 35000,
    "refund": "RMT7a8b9c0d1e2f3-1",
    "why": "The van broke down.",
    "reason": "a reason",
    "previous_date": "2025-07-19",
    "previous_time": "09:00:00",
}


def written(event: str, session: Session, **facts: Any) -> Message:
    return write_message(Occasion(event, AT, FACTS | facts, session, session.snapshot, "The <Shop>"))


def about(event: str) -> Session:
    return samples.BOOKED if event.startswith("booking.") else samples.ORDERED


@pytest.mark.parametrize("event", sorted(MESSAGES))
def test_every_letter_says_the_same_in_both_forms_and_escapes_in_html_alone(event: str) -> None:
    session = replace(about(event), customer=replace(about(event).customer, name="A & B <script>"))
    letter = written(event, session)
    assert "The <Shop>" in letter.text
    assert "The &lt;Shop&gt;" in letter.html
    assert "<Shop" not in letter.html
    assert "script" not in letter.text + letter.html, "such a name greets nobody"
    assert "None" not in letter.text
    assert "\n" not in letter.subject


def test_every_letter_follows_an_event_that_exists() -> None:
    assert set(MESSAGES) <= set(EVENTS)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(10000000, Currency.INR), "₹1,00,000.00"),
        (Money(-9990, Currency.INR), "-₹99.90"),
        (Money(1234550, Currency.KES), "Ksh12,345.50"),
    ],
)
def test_amounts_are_written_as_their_country_writes_them(amount: Money, text: str) -> None:
    assert amount_text(amount) == text


def test_an_instant_is_told_on_the_clock_of_its_zone_where_it_may_be_another_day() -> None:
    assert instant_text(AT, "Africa/Nairobi", Currency.KES) == "Sunday, 22 November 2026 at 00:30 (Kenya Time)"
    assert instant_text(AT, "Asia/Kolkata", Currency.INR).startswith("Sunday, 22 November 2026 at 3:00")


@pytest.mark.parametrize(("day", "zone"), [(date(2026, 7, 20), "Europe/Berlin"), (date(2026, 1, 20), "America/New_York")])
def test_a_slot_keeps_its_time_of_day_whatever_the_season(day: date, zone: str) -> None:
    assert " at 2:00\u202fpm (" in slot_text(day, time(14), zone, Currency.INR)


def test_a_promo_stands_between_the_price_and_what_was_paid() -> None:
    content = samples.BOOKED.snapshot
    assert isinstance(content, BookingSnapshot)
    booked = replace(samples.BOOKED, snapshot=replace(content, promo_code="PUJA10", discount=Money(9990, Currency.INR)))
    text = written("booking.created", booked).text
    assert text.index("₹999.00") < text.index("Promo PUJA10: -₹99.90") < text.index("Paid: ")


def test_rounding_and_half_kilos_are_shown() -> None:
    content = samples.ORDERED.snapshot
    assert isinstance(content, OrderSnapshot)
    line = replace(content.lines[0], quantity=Decimal("0.50"))
    ordered = replace(samples.ORDERED, snapshot=replace(content, lines=(line,), rounding=Money(50, Currency.KES)))
    text = written("order.created", ordered).text
    assert "0.5 kg at Ksh150.00" in text
    assert "Rounding: Ksh0.50" in text


def test_a_failure_that_trying_again_cannot_mend_does_not_ask_for_it() -> None:
    for retryable in (True, False):
        failed = replace(samples.ORDERED, failure=Failure("x", "The card was refused.", retryable))
        assert ("try again" in written("payment.failed", failed).text) is retryable


def test_a_cancellation_without_money_back_says_so() -> None:
    assert "nothing is paid back" in written("booking.cancelled", samples.BOOKED, amount=0).text
    assert "An earlier refund covers what you paid." in written("order.cancelled", samples.ORDERED, amount=0).text


def test_a_booking_that_moved_is_told_with_the_time_it_had_before() -> None:
    text = written("booking.rescheduled", samples.BOOKED).text
    assert "Before: Saturday, 19 July 2025 at 9:00" in text
    facts = {name: value for name, value in FACTS.items() if not name.startswith("previous_")}
    older = write_message(Occasion("booking.rescheduled", AT, facts, samples.BOOKED, samples.BOOKED.snapshot, "Shop"))
    assert "Before" not in older.text


def test_why_a_booking_was_cancelled_stands_among_its_facts_and_is_left_out_where_nobody_said() -> None:
    assert "Reason: a reason" in written("booking.cancelled", samples.BOOKED).text
    assert "Reason" not in written("booking.cancelled", samples.BOOKED, reason=None).text
