"""A customer is taken out of the table on request: what says who they are goes, what the books need stays as it was."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from ops.erase import blocking
from payfirst.domain.errors import ContentionError, RefusedError
from payfirst.domain.moves import AttemptStatus, OrderStatus, SessionStatus
from payfirst.domain.session import Customer
from payfirst.gateways.base import Captured
from payfirst.storage import decisions, due, erasing
from payfirst.storage.bookings import booking_from_item
from payfirst.storage.decisions import Decision
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Put, Update
from payfirst.storage.dynamodb.table import write
from payfirst.storage.personal import ERASED, NO_WORDS, Words, without_the_person
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.fulfilment.orders import move_order
from payfirst.usecases.operators import erase
from payfirst.usecases.operators.erase import UnderWay, Why
from payfirst.usecases.settlement.settle import settle
from payfirst.usecases.sweeps.expire_sessions import expire_sessions
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import Shop, new_customer, new_phone

WHO: Final = {"by": "operator:amina", "why": "asked by letter on 1 March"}


def settled(shop: Shop) -> None:
    """Everything that is due as an event has left; nobody is written to here."""
    for entry in list(due.entries(shop.table, due_index.OUTBOX, shop.now)):
        write(shop.table, Update("event", entry.key, remove=due_index.NOT_DUE))


def checked(shop: Shop, started: Started) -> None:
    """The check of an end that only a notice told of has been made, and the gateway said the same."""
    told = shop.attempt(started)
    due_at = told.next_check_at or told.confirm_at
    assert due_at is not None
    shop.now = due_at
    reconcile(shop.notice_context(), no_answer_after=timedelta(hours=1))
    found = shop.attempt(started)
    assert (found.status, found.captured, found.next_check_at, found.confirm_at) == (told.status, told.captured, None, None)


def cancelled_attempt(shop: Shop, customer: Customer) -> Started:
    """A prompt that was cancelled on the phone; the session ended with it."""
    started = shop.initiate(shop.session(customer, phone=new_phone()))
    shop.decide(started, "cancel")
    shop.tell(started, shop.notice(started, code=1032))
    assert shop.attempt(started).status is AttemptStatus.FAILED
    checked(shop, started)
    settled(shop)
    return started


def delivered_order(shop: Shop, customer: Customer) -> Started:
    started = shop.initiate(shop.session(customer, phone=new_phone()))
    shop.decide(started)
    shop.tell(started)
    outcome = shop.read(started.session).outcome
    assert outcome is not None
    for status in (OrderStatus.PACKED, OrderStatus.OUT_FOR_DELIVERY, OrderStatus.DELIVERED):
        move_order(shop.table, outcome.code, status, shop.now, by="operator:amina")
    checked(shop, started)
    settled(shop)
    return started


def test_money_that_comes_after_the_customer_was_erased_goes_back_and_orders_nothing(shop: Shop) -> None:
    customer = new_customer()
    started = cancelled_attempt(shop, customer)
    erase.erase(shop.table, customer.sub, shop.now, **WHO)

    shop.tell(started, shop.notice(started))
    [ref] = {item["pk"] for item in shop.items() if item["sk"] == "ATT" and item["owner"] == customer.sub}
    assert ref == f"ATT#{started.attempt.ref}"

    settle(shop.notice_context(), shop.attempt(started), Captured(started.attempt.amount, "NLATE00001"))

    session = shop.read(started.session)
    assert session.status is SessionStatus.FAILED
    assert session.outcome is None
    [refund] = shop.refunds(started)
    assert refund["amount"] == 35000


def test_a_cart_that_was_paid_for_in_vain_becomes_no_booking_after_its_customer_was_erased(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started, "cancel")
    shop.tell_phonepe(started, state="FAILED")
    assert shop.attempt(started).status is AttemptStatus.FAILED
    settled(shop)
    erase.erase(shop.table, customer.sub, shop.now, **WHO)
    assert shop.of_kind(customer, keys.CART) == []

    settle(shop.notice_context(), shop.attempt(started), Captured(started.attempt.amount, None))

    assert shop.of_kind(customer, keys.BOOKING) == []
    assert [refund["amount"] for refund in shop.refunds(started)] == [51000]


def test_an_open_payment_an_order_on_its_way_and_a_session_that_can_be_paid_stand_in_the_way(shop: Shop) -> None:
    customer = new_customer()
    shop.session(customer)
    started = shop.initiate(shop.session(customer, phone=new_phone()))
    before = shop.items()

    with pytest.raises(RefusedError, match="under way") as refused:
        erase.erase(shop.table, customer.sub, shop.now, **WHO)
    until = UnderWay(Why.SESSION, state="2026-03-02T08:15:00Z")
    assert set(refused.value.details["open"]) >= {UnderWay(Why.PAYMENT, started.attempt.ref), until}
    assert shop.items() == before

    shop.tell(started)
    outcome = shop.read(started.session).outcome
    assert outcome is not None
    with pytest.raises(RefusedError, match="under way") as refused:
        erase.erase(shop.table, customer.sub, shop.now, **WHO)
    assert UnderWay(Why.ORDER, outcome.code, "confirmed") in refused.value.details["open"]


def test_a_coming_booking_stands_in_the_way_until_it_is_cancelled(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    shop.tell_phonepe(started)
    outcome = shop.read(started.session).outcome
    assert outcome is not None
    settled(shop)

    with pytest.raises(RefusedError, match="under way") as refused:
        erase.erase(shop.table, customer.sub, shop.now, **WHO)
    assert refused.value.details["open"] == (UnderWay(Why.BOOKING, outcome.code, "CONFIRMED"),)


@pytest.mark.parametrize("kind", list(due_index.Due))
def test_whatever_is_still_due_stands_in_the_way_in_a_sentence(shop: Shop, kind: due_index.Due) -> None:
    customer = new_customer()
    cancelled_attempt(shop, customer)
    assert erase.preview(shop.table, customer.sub).open == ()
    item = {**keys.owned(customer.sub, keys.BOOKING, 1), "book_id": "BK-00000001", "status": "COMPLETED"}
    write(shop.table, Put("booking", {**item, **due_index.due(kind, item, shop.now)}))

    [thing] = erase.preview(shop.table, customer.sub).open
    sentence = blocking(thing)
    assert not any(brace in sentence for brace in "{}")
    assert not re.search(r"  |^ | $| ,| :", sentence)


def test_a_session_that_nobody_paid_is_no_hindrance_once_it_has_expired(shop: Shop) -> None:
    customer = new_customer()
    session = shop.session(customer)
    shop.now = session.expires_at + timedelta(minutes=1)
    expire_sessions(shop.table, now=shop.now, deadline=shop.table.deadline, grace=timedelta(0))
    settled(shop)

    erase.erase(shop.table, customer.sub, shop.now, **WHO)

    erased = shop.read(session)
    assert erased.status is SessionStatus.EXPIRED
    assert erased.customer == Customer(customer.sub, customer.user_id)
    assert "123 Main Street" not in repr(shop.items())


def test_the_second_time_there_is_nothing_left_to_do_and_nothing_is_written(shop: Shop) -> None:
    customer = new_customer()
    delivered_order(shop, customer)
    first = erase.erase(shop.table, customer.sub, shop.now, **WHO)
    after = shop.items()

    second = erase.erase(shop.table, customer.sub, shop.now + timedelta(hours=1), **WHO)

    assert first.steps
    assert second.steps == ()
    assert shop.items() == after
    [record] = [item for item in after if item["sk"].startswith("ERASED#")]
    assert (record["by"], record["why"], record["items"]["attempts"]) == (*WHO.values(), 1)


@pytest.mark.parametrize("after", range(0, 8, 2))
def test_what_was_broken_off_after_any_step_is_finished_by_the_next_run(shop: Shop, after: int) -> None:
    customer = new_customer()
    started = delivered_order(shop, customer)
    decisions.close_doubts(shop.table, shop.read(started.session), Decision("amina", "John Doe rang"), shop.now)
    settled(shop)
    steps = erase.preview(shop.table, customer.sub).steps
    assert len(steps) > after
    for step in steps[:after]:
        erasing.apply(shop.table, step)

    erase.erase(shop.table, customer.sub, shop.now, **WHO)

    left = repr([item for item in shop.items() if not item["sk"].startswith("ERASED#")])
    for word in ("John", "Doe", "123 Main Street", "a@example.com"):
        assert word not in left
    assert ERASED in left
    assert erase.preview(shop.table, customer.sub).steps == ()


def test_an_item_that_changes_meanwhile_is_left_to_the_next_run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = new_customer()
    started = delivered_order(shop, customer)
    stale = erase.preview(shop.table, customer.sub)
    key = keys.owned(customer.sub, keys.SESSION, started.session.number)
    write(shop.table, Update("session", key, set={"touched": True}))
    with monkeypatch.context() as patched:
        patched.setattr(erase, "preview", lambda *_: stale)
        with pytest.raises(ContentionError, match="erase once more"):
            erase.erase(shop.table, customer.sub, shop.now, **WHO)

    erase.erase(shop.table, customer.sub, shop.now, **WHO)
    assert "123 Main Street" not in repr(shop.items())


def test_one_customers_erasure_leaves_the_others_alone(shop: Shop) -> None:
    gone, other = new_customer(), replace(new_customer(), email="other@example.com")
    delivered_order(shop, gone)
    delivered_order(shop, other)
    others = [item for item in shop.items() if other.sub in repr(item)]

    erase.erase(shop.table, gone.sub, shop.now, **WHO)

    assert [item for item in shop.items() if other.sub in repr(item)] == others
    assert erasing.owners_of(shop.table, "OTHER@example.com") == {other.sub}
    assert erasing.owners_of(shop.table, "a@example.com") == set()


def test_a_phone_that_somebody_else_is_prompted_on_stays_locked(shop: Shop) -> None:
    customer, neighbour, phone = new_customer(), new_customer(), new_phone()
    cancelled = shop.initiate(shop.session(customer, phone=phone))
    shop.decide(cancelled, "cancel")
    shop.tell(cancelled, shop.notice(cancelled, code=1032))
    checked(shop, cancelled)
    settled(shop)
    shop.initiate(shop.session(neighbour, phone=phone))

    with pytest.raises(ContentionError):
        erase.erase(shop.table, customer.sub, shop.now, **WHO)

    [lock] = [item for item in shop.items() if item["sk"] == "PHONE" and "attempt" in item]
    assert lock["attempt"] != cancelled.attempt.ref


WORDS: Final = Words.of(
    [
        {
            "pk": "U#1",
            "sk": "S#1",
            "email": "wanjiru@example.com",
            "email_verified": "true",
            "customer_name": "Wanjiru Otieno",
            "snapshot": {"delivery": {"full_name": "W. Otieno-Odhiambo", "phone_number": "0712 345 678"}},
            "address": "12 Moi Avenue",
        }
    ]
)


@pytest.mark.parametrize(
    "text",
    [
        "a kindness for Wanjiru",
        "OTIENO rang",
        "called 0712345678",
        "+254 712 345 678 is hers",
        "wanjiru@example.com wrote",
        "van broke down at 12 moi avenue",
        "odhiambo",
    ],
)
def test_a_free_text_that_names_the_customer_goes(text: str) -> None:
    item = {"pk": "U#1", "sk": "E#1#2", "event": "refund.due", "facts": {"why": text, "amount": 100}}
    assert without_the_person(item, WORDS)["facts"] == {"why": ERASED, "amount": 100}


@pytest.mark.parametrize("text", ["two tomatoes were green", "out_of_stock", "W", "receipt NLJ7RT61SV", "12 Moi Street"])
def test_a_free_text_that_names_nobody_stays(text: str) -> None:
    item = {"pk": "U#1", "sk": "E#1#2", "event": "refund.due", "facts": {"why": text, "amount": 100}}
    assert without_the_person(item, WORDS) == item


def test_a_customers_own_reasons_go_whatever_they_say() -> None:
    item = {"pk": "U#1", "sk": "B#1", "reason": "ill", "timeline": [{"status": "CANCELLED", "reason": "ill"}]}
    assert without_the_person(item, WORDS) == {"pk": "U#1", "sk": "B#1", "timeline": [{"status": "CANCELLED"}]}


def test_nobody_is_erased_under_an_unknown_name(shop: Shop) -> None:
    found = erase.erase(shop.table, secrets.token_hex(8), shop.now, **WHO)
    assert (found.steps, found.open, sum(found.kept.values())) == ((), (), 0)
    assert not [item for item in shop.items() if item["sk"].startswith("ERASED#")]


def test_a_booking_says_no_longer_who_came_and_where_to_call(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    shop.tell_phonepe(started)
    [item] = [item for item in shop.of_kind(customer, keys.BOOKING) if "content" in item]
    content = {**item["content"], "customer_name": "Wanjiru Doe", "phone_number": "+91 98765 43210"}
    cleaned = without_the_person({**item, "content": content}, NO_WORDS)
    assert "Wanjiru" not in str(cleaned)
    assert "98765" not in str(cleaned)
    erased = booking_from_item(cleaned).content
    assert (erased.customer_name, erased.phone_number, erased.service_name) == (None, None, "Ganesh Puja")
