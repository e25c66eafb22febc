"""What customers read about their money, by what has become of it: it is true in every state, in answers, lists and mail."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final, cast

import pytest

from ops.api_reference import samples
from payfirst.api.wire.payments import CheckedOut, PaymentOut
from payfirst.api.wire.sessions import SessionListed, SessionOut, StatusOut
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import OrderStatus, RefundStatus, SessionStatus
from payfirst.domain.paid_back import NOTHING, PaidBack, PaymentStatus
from payfirst.domain.refund import WHY_MONEY_GOES_BACK, failure_sentence, refund_sentence
from payfirst.domain.session import Failure, RefundShown, Session
from payfirst.gateways.mpesa.results import STK_RESULTS, UNRECOGNISED
from payfirst.gateways.registry import why_not_paid_back
from payfirst.mail.messages import write_message
from payfirst.mail.occasion import Occasion
from payfirst.usecases.sweeps.send_mail import OVERTAKEN_BY

NOW: Final = datetime(2026, 11, 21, 21, 30, tzinfo=UTC)
WHOLE, CENTS, PAISA = Money(35000, Currency.KES), Money(1250, Currency.KES), Money(99, Currency.INR)
HAND: Final = "The shop pays this back by hand."
PENDING: Final = "You get this amount back; the shop sees to it."
UNSURE: Final = "The shop looks into this refund by hand."
DONE: Final = "This amount was sent back to you."
A_TIME: Final = re.compile(r"\b(soon|shortly|immediately|today|tomorrow|within|minutes?|hours?|days?|weeks?)\b", re.IGNORECASE)
GONE_BACK: Final = re.compile(r"\b(sent back|has been sent|went back|has paid it back)\b", re.IGNORECASE)
ON_ITS_WAY: Final = re.compile(r"\b(sending|on its way|is sent|once it has been sent)\b", re.IGNORECASE)


@dataclass(frozen=True)
class State:
    """A refund as its session shows it, and the sentence that belongs to it."""

    status: RefundStatus
    amount: Money
    sentence: str
    by_hand: bool = False

    @property
    def shown(self) -> RefundShown:
        return RefundShown(self.amount, self.status.value, "order_cancelled", self.by_hand)


STATES: Final = (
    State(RefundStatus.DUE, WHOLE, PENDING),
    State(RefundStatus.DUE, CENTS, HAND),
    State(RefundStatus.DUE, PAISA, HAND),
    State(RefundStatus.SENDING, WHOLE, PENDING),
    State(RefundStatus.ACCEPTED, WHOLE, PENDING),
    State(RefundStatus.FAILED, WHOLE, PENDING),  # the next number is due in the same write
    State(RefundStatus.NEEDS_REVIEW, WHOLE, HAND, by_hand=True),
    State(RefundStatus.NEEDS_REVIEW, CENTS, HAND, by_hand=True),
    State(RefundStatus.NEEDS_REVIEW, WHOLE, UNSURE),
    State(RefundStatus.REFUNDED, WHOLE, DONE),
    State(RefundStatus.REFUNDED, WHOLE, DONE, by_hand=True),
    State(RefundStatus.REFUNDED, PAISA, DONE, by_hand=True),
)


def test_every_state_of_a_refund_has_its_row() -> None:
    assert {state.status for state in STATES} == set(RefundStatus)


@pytest.mark.parametrize("state", STATES, ids=str)
def test_a_refunds_sentence_is_true_in_its_state(state: State) -> None:
    said = refund_sentence(state.shown, by_hand=why_not_paid_back(state.shown.amount) is not None)
    assert said == state.sentence
    assert bool(GONE_BACK.search(said)) is (state.status is RefundStatus.REFUNDED)
    assert not ON_ITS_WAY.search(said)
    assert not A_TIME.search(said)


@pytest.mark.parametrize(("state", "status"), list(product(STATES, SessionStatus)))
def test_the_same_sentence_stands_in_every_answer(state: State, status: SessionStatus) -> None:
    for session in (samples.ORDERED, samples.BOOKED):
        there = replace(session, status=status, refund=state.shown)
        for answer in (
            SessionListed.of(there, NOW),
            StatusOut.of(there, NOW),
            SessionOut.of(there, NOW),
            PaymentOut.of(there, NOW),
            CheckedOut.of(there, None, NOW),
        ):
            assert answer.refund is not None
            assert (answer.refund.status, answer.refund.message) == (state.status.value, state.sentence)


@pytest.mark.parametrize(
    ("back", "word"),
    [
        (NOTHING, PaymentStatus.PAID),
        (PaidBack(owed=1), PaymentStatus.REFUND_DUE),
        (PaidBack(returned=34999, owed=1), PaymentStatus.REFUND_DUE),
        (PaidBack(returned=35000), PaymentStatus.REFUNDED),
        (PaidBack(returned=34999), PaymentStatus.PARTIALLY_REFUNDED),
        (NOTHING.owing(WHOLE).returning(WHOLE), PaymentStatus.REFUNDED),
        (NOTHING.owing(CENTS).returning(CENTS), PaymentStatus.PARTIALLY_REFUNDED),
    ],
)
@pytest.mark.parametrize("order", OrderStatus)
def test_the_payment_status_of_an_order_in_any_status_is_what_its_refunds_come_to(
    back: PaidBack, word: PaymentStatus, order: OrderStatus
) -> None:
    outcome = samples.ORDERED.outcome
    assert outcome is not None
    there = replace(samples.ORDERED, paid_back=back, outcome=replace(outcome, status=order.value))
    for answer in (StatusOut.of(there, NOW), SessionOut.of(there, NOW)):
        assert answer.order is not None
        assert (answer.order.order_status, answer.order.payment_status) == (order.value, word)


@pytest.mark.parametrize("why", WHY_MONEY_GOES_BACK.values(), ids=lambda why: why.code)
def test_why_money_goes_back_holds_however_far_its_refund_has_got(why: Failure) -> None:
    assert "you get your money back" in why.message
    assert not GONE_BACK.search(why.message)
    assert not ON_ITS_WAY.search(why.message)
    older = replace(why, message="This was sold out meanwhile; your money is sent back.")
    assert failure_sentence(older) == why.message
    failed = replace(samples.ORDERED, status=SessionStatus.FAILED, outcome=None, failure=older)
    shown = StatusOut.of(failed, NOW).failure
    assert shown is not None
    assert shown.message == PaymentOut.of(failed, NOW).message == why.message


def written(event: str, session: Session, **facts: Any) -> str:
    known = {"order_number": "ORD-20261122-001", "book_id": "BK-449034CB", "refund": "RMT7a8b9c0d1e2f3-1", "why": "No van."}
    letter = write_message(Occasion(event, NOW, known | facts, session, session.snapshot, "Shop"))
    return " ".join(f"{letter.subject}. {letter.text}".split())


MESSAGES: Final[tuple[tuple[str, dict[str, Any], str, str | None], ...]] = (
    ("refund.due", {}, "You get {} back", None),
    ("refund.due", {"reason": "out_of_stock"}, "You get {} back", None),
    ("refund.needs_review", {"by_hand": True}, "The shop pays {} back by hand", None),
    ("refund.needs_review", {}, "We are looking into your refund of {}", None),
    ("order.cancelled", {}, "You get {} back.", None),
    ("booking.cancelled", {}, "You get {} back.", None),
    ("refund.refunded", {}, "We have sent back {}", "Your bank or mobile money account may take a few days to show it."),
    ("refund.refunded", {"by_hand": True}, "We have sent back {}", "The shop has paid it back by hand."),
)


@pytest.mark.parametrize(("event", "facts", "says", "besides"), MESSAGES)
def test_a_letter_promises_what_is_known_when_it_is_written(
    event: str, facts: dict[str, Any], says: str, besides: str | None
) -> None:
    session = samples.BOOKED if event.startswith("booking.") else samples.ORDERED
    amount = "₹350.00" if event.startswith("booking.") else "Ksh350.00"
    text = written(event, session, amount=35000, **facts)
    assert says.format(amount) in text
    if besides is not None:
        assert besides in text
        return
    assert not GONE_BACK.search(text)
    assert not ON_ITS_WAY.search(text)
    assert not A_TIME.search(text.replace("Sunday, 20 July", ""))
    assert "We write again when it is done." in text
    assert ("by hand" in text) is (event == "refund.needs_review")


@pytest.mark.parametrize("event", ["refund.due", "order.cancelled"])
def test_cents_are_paid_back_by_hand_and_the_first_letter_says_so(event: str) -> None:
    text = written(event, samples.ORDERED, amount=CENTS.minor, by_hand=True)
    assert re.search("the shop pays (this|Ksh12.50) back by hand", text, re.IGNORECASE)
    assert not GONE_BACK.search(text)


def test_a_cancellation_that_gives_nothing_back_says_what_is_known() -> None:
    assert "An earlier refund covers what you paid." in written("order.cancelled", samples.ORDERED, amount=0)
    assert "By its terms nothing is paid back." in written("booking.cancelled", samples.BOOKED, amount=0)
    partly = replace(samples.BOOKED, paid_back=PaidBack(returned=100))
    assert "Nothing is paid back beside your earlier refund." in written("booking.cancelled", partly, amount=0)


def test_an_end_that_only_m_pesa_s_notice_tells_does_not_say_that_nothing_was_charged() -> None:
    """A notice can be contradicted by the query; what the gateway never took is known not to have been charged."""
    for meaning in (*STK_RESULTS.values(), UNRECOGNISED):
        assert "charged" not in meaning.message


ORDERS_MESSAGES: Final = ("order.created", "order.packed", "order.out_for_delivery", "order.delivered")
WAYS: Final = re.compile(r"\b(packed|on its way|has left|delivered|handed over)\b", re.IGNORECASE)
TRUE_OF: Final[dict[str, frozenset[str]]] = {
    "order.created": frozenset(),
    "order.packed": frozenset({"packed"}),
    "order.out_for_delivery": frozenset({"on its way", "has left"}),
    "order.delivered": frozenset({"delivered", "handed over"}),
}
"""How far on its way a message may say that an order is: as far as the event that it follows has brought it."""


def test_every_status_that_an_order_reaches_has_its_message() -> None:
    reached = {f"order.{status.value}" for status in OrderStatus} - {"order.confirmed", "order.cancelled"}
    assert {*ORDERS_MESSAGES} == reached | {"order.created"} == set(TRUE_OF)


@pytest.mark.parametrize("event", ORDERS_MESSAGES)
def test_a_message_says_of_an_order_only_what_has_happened_and_never_when_it_comes(event: str) -> None:
    text = written(event, samples.ORDERED)
    assert {word.lower() for word in WAYS.findall(text)} == TRUE_OF[event]
    assert not A_TIME.search(text)
    assert "write again" not in text


@pytest.mark.parametrize(("event", "status"), list(product(ORDERS_MESSAGES[1:], OrderStatus)))
def test_a_message_about_an_order_s_way_is_written_in_that_status_alone(event: str, status: OrderStatus) -> None:
    outcome = samples.ORDERED.outcome
    assert outcome is not None
    now = replace(samples.ORDERED, outcome=replace(outcome, status=status.value))
    newest = {"event": event, "sk": f"E#1#{now.sequence:06d}", "facts": {}}
    skipped = OVERTAKEN_BY[event](cast("Any", None), now, newest)
    assert skipped is (event != f"order.{status.value}")


def test_the_receipt_stands_in_the_message_that_something_was_bought_where_it_is_known() -> None:
    for event, session in (("order.created", samples.ORDERED), ("booking.created", samples.BOOKED)):
        about = Occasion(event, NOW, {"order_number": "ORD-1", "book_id": "BK-1"}, session, session.snapshot, "Shop")
        assert "Receipt" not in write_message(about).text
        for form in (known := write_message(replace(about, receipt="NLJ7RT61SV"))).text, known.html:
            assert "NLJ7RT61SV" in form
        assert "<b" not in write_message(replace(about, receipt="<b>")).html.partition("Receipt")[2].partition("</tr>")[0]
