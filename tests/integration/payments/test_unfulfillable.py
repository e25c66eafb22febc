"""Money that is here, and of which nothing can be made: it comes before a person, and a person can end it in every way."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from payfirst.api.errors import status_of
from payfirst.domain.cart import BookingCart, ProduceCart
from payfirst.domain.errors import InvalidInputError, RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import AttemptStatus, RefundStatus, SessionStatus
from payfirst.domain.session import BookingSnapshot, Customer, OrderLine
from payfirst.storage import timeline
from payfirst.storage.carts import booking_cart_to_item, produce_cart_to_item
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item, Put, Update
from payfirst.storage.dynamodb.table import get, write
from payfirst.usecases.carts.produce_cart import MOST_LINES
from payfirst.usecases.checkout.rehearse import check_fulfillable
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.operators.review import refund_payment, resolve
from payfirst.usecases.operators.waiting import replay, stuck
from payfirst.usecases.settlement.check_status import check_status
from payfirst.usecases.settlement.evidence import Settled
from payfirst.usecases.settlement.take_notice import Taken
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import Shop, new_customer

NO_ANSWER = timedelta(minutes=3)
WHO = {"by": "operator:amina", "why": "the calendar ends there"}


def on_day(shop: Shop, started: Started, day: str) -> None:
    """What the session has frozen is for that day, as an earlier release may have let it be stored."""
    place = keys.owned(started.attempt.owner, keys.SESSION, started.session.number)
    item = get(shop.table, place)
    assert item is not None
    write(shop.table, Update("session", place, set={"snapshot": {**item["snapshot"], "day": day}}))


def paid(shop: Shop) -> Started:
    """A payment for the calendar's last day, whose booking would be over on a day that there is not."""
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    on_day(shop, started, "9999-12-31")
    shop.decide(started)
    return started


def before_a_person(shop: Shop) -> Started:
    started = paid(shop)
    assert shop.tell_phonepe(started) is Taken.SETTLED
    assert shop.attempt(started).status is AttemptStatus.NEEDS_REVIEW
    return started


@pytest.mark.parametrize("way", ["notice", "queue", "sweep", "stored notice"])
def test_money_of_which_nothing_can_be_made_comes_before_a_person(shop: Shop, way: str) -> None:
    started = paid(shop)
    ref = started.attempt.ref
    if way == "notice":
        assert shop.tell_phonepe(started) is Taken.SETTLED
    else:
        shop.now += timedelta(seconds=30)
        if way == "queue":
            assert check_status(shop.notice_context(), ref, no_answer_after=NO_ANSWER) is Settled.NEEDS_REVIEW
        else:
            report = reconcile(shop.notice_context(), no_answer_after=NO_ANSWER)
            assert (report.settled, report.failed) == ({"needs_review": 1}, 0)

    attempt = shop.attempt(started)
    assert (attempt.status, attempt.captured) == (AttemptStatus.NEEDS_REVIEW, Money(51000, Currency.INR))
    assert "OverflowError" in (attempt.review or "")
    assert shop.due() == {due_index.REVIEW: [f"ATT#{ref}"]}
    assert [(entry.what, entry.key) for entry in stuck(shop.table, shop.now)] == [("needs review", ref)]
    before = shop.items()
    shop.now += timedelta(days=2)
    assert reconcile(shop.notice_context(), no_answer_after=NO_ANSWER).examined == 0
    shop.tell_phonepe(started)
    assert no_notices(shop.items()) == no_notices(before)


def no_notices(items: list[Item]) -> list[Item]:
    return [item for item in items if not item["sk"].startswith(keys.NOTICES)]


def test_it_goes_back_by_a_persons_will_as_a_whole(shop: Shop) -> None:
    started = before_a_person(shop)
    ref = started.attempt.ref
    before = shop.items()
    with pytest.raises(InvalidInputError, match="as a whole"):
        refund_payment(shop.table, ref, Money(100, Currency.INR), shop.now, **WHO)
    assert shop.items() == before

    refund = refund_payment(shop.table, ref, None, shop.now, **WHO)

    assert (refund.amount, refund.status) == (Money(51000, Currency.INR), RefundStatus.DUE)
    assert shop.attempt(started).status is AttemptStatus.REFUND_DUE
    assert shop.read(started.session).status is SessionStatus.FAILED
    assert sorted(shop.due()) == [due_index.REFUND]
    [said] = [event for event in timeline.read(shop.table, started.session) if event.name == "operator.resolved"]
    assert (said.by, said.facts["why"]) == (WHO["by"], WHO["why"])


@pytest.mark.parametrize("command", ["resolve", "replay"])
def test_it_becomes_a_booking_once_its_cause_has_gone(shop: Shop, command: str) -> None:
    started = before_a_person(shop)
    ref = started.attempt.ref
    before = shop.items()
    if command == "resolve":
        with pytest.raises(RefusedError, match="OverflowError") as refused:
            resolve(shop.notice_context(), ref, paid=True, receipt=None, **WHO)
        assert refused.value.stable_code == "NOT_FULFILLABLE"
    else:
        assert replay(shop.notice_context(), ref, no_answer_after=NO_ANSWER) == "needs_review"
    assert shop.items() == before

    on_day(shop, started, "2026-07-20")
    if command == "resolve":
        assert resolve(shop.notice_context(), ref, paid=True, receipt=None, **WHO).result == "fulfilled"
    else:
        assert replay(shop.notice_context(), ref, no_answer_after=NO_ANSWER) == "fulfilled"

    attempt = shop.attempt(started)
    assert (attempt.status, attempt.review) == (AttemptStatus.SUCCEEDED, None)
    assert shop.read(started.session).status is SessionStatus.ORDER_CREATED
    assert len(shop.of_kind(started.session.customer, keys.BOOKING)) == 1
    assert shop.due() == {}


def test_money_that_is_here_is_not_called_unpaid(shop: Shop) -> None:
    started = before_a_person(shop)
    before = shop.items()

    with pytest.raises(RefusedError, match="refund") as refused:
        resolve(shop.notice_context(), started.attempt.ref, paid=False, receipt=None, **WHO)

    assert refused.value.stable_code == "ALREADY_CAPTURED"
    assert shop.items() == before


def test_what_an_earlier_release_had_parked_can_be_given_back_at_once(shop: Shop) -> None:
    started = before_a_person(shop)
    place = keys.attempt(started.attempt.ref)
    parked = {"status": "succeeded", "review": None, "next_check_at": "2026-03-02T08:00:00Z", "tries": 5}
    write(shop.table, Update("attempt", place, set=parked))

    refund_payment(shop.table, started.attempt.ref, None, shop.now, **WHO)

    assert shop.attempt(started).status is AttemptStatus.REFUND_DUE
    assert sorted(shop.due()) == [due_index.REFUND]


def a_cart_with(shop: Shop, customer: Customer, **content: Any) -> BookingCart:
    """A cart whose stored content is not as carts are made today."""
    cart = shop.booking_cart(customer)
    strange = replace(cart, content=replace(cart.content, **content))
    write(shop.table, Put("cart", booking_cart_to_item(customer.sub, strange)))
    return strange


def test_a_cart_of_which_no_booking_could_be_made_is_refused_before_any_money(shop: Shop) -> None:
    customer = new_customer()
    cart = a_cart_with(shop, customer, service_name="ज" * 120_000)
    before = shop.items()

    with pytest.raises(RefusedError) as refused:
        shop.process(cart, customer)

    assert (refused.value.stable_code, status_of(refused.value)) == ("CANNOT_BE_PROVIDED", 400)
    assert shop.items() == before


@pytest.mark.parametrize("content", [{"day": date(9999, 12, 31)}, {"minutes": 10**12}], ids=["last day", "no end"])
def test_a_booking_that_would_end_on_a_day_that_there_is_not_is_refused(shop: Shop, content: dict[str, Any]) -> None:
    customer = new_customer()
    session = shop.process(shop.booking_cart(customer), customer).session
    assert isinstance(session.snapshot, BookingSnapshot)
    check_fulfillable(session, shop.now)

    with pytest.raises(RefusedError, match="nothing was charged"):
        check_fulfillable(replace(session, snapshot=replace(session.snapshot, **content)), shop.now)


def lines(shop: Shop, count: int, name: str = "Tomatoes") -> tuple[OrderLine, ...]:
    for number in range(9000, 9000 + count):
        shop.stock(listing=number, price=100, available="10")
    unit = Money(100, Currency.KES)
    return tuple(OrderLine(n, 9000 + n, name, "Farm", "kg", Decimal(1), unit, unit) for n in range(count))


@pytest.mark.parametrize(("count", "name"), [(85, "Tomatoes"), (50, "T" * 7000)], ids=["too many", "too large"])
def test_a_cart_of_which_no_order_could_be_made_is_refused_before_any_money(shop: Shop, count: int, name: str) -> None:
    customer = new_customer()
    cart = ProduceCart("version", lines(shop, count, name), count, shop.now)
    write(shop.table, Put("cart", produce_cart_to_item(customer.sub, cart)))
    before = shop.items()

    with pytest.raises(RefusedError) as refused:
        shop.session_from_cart(customer)

    assert (refused.value.stable_code, status_of(refused.value)) == ("CANNOT_BE_PROVIDED", 400)
    assert shop.items() == before


def test_a_session_that_an_earlier_release_had_made_is_tried_before_its_prompt(shop: Shop) -> None:
    session = shop.session(new_customer())
    place = keys.owned(session.customer.sub, keys.SESSION, session.number)
    item = get(shop.table, place)
    assert item is not None
    [line] = item["snapshot"]["lines"]
    many = [{**line, "cart_item_id": n, "listing_id": 9000 + n} for n in range(85)]
    write(shop.table, Update("session", place, set={"snapshot": {**item["snapshot"], "lines": many}}))
    before = shop.items()

    with pytest.raises(RefusedError) as refused:
        shop.initiate(session)

    assert refused.value.stable_code == "CANNOT_BE_PROVIDED"
    assert shop.items() == before


def test_the_largest_cart_that_can_be_filled_becomes_an_order(shop: Shop) -> None:
    customer = new_customer()
    cart = ProduceCart("version", lines(shop, MOST_LINES, "T" * 200), MOST_LINES, shop.now)
    write(shop.table, Put("cart", produce_cart_to_item(customer.sub, cart)))
    started = shop.initiate(shop.session_from_cart(customer))

    assert shop.tell(started, shop.notice(started, amount=str(started.attempt.amount))) is Taken.SETTLED
    assert shop.read(started.session).status is SessionStatus.ORDER_CREATED
