"""An order's `payment_status` follows its refunds, wherever it is shown; a second payment's refund is none of its affair."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from payfirst.api.wire.bookings import BookingOut
from payfirst.api.wire.sessions import SessionListed, SessionOut, StatusOut
from payfirst.api.wire.tracking import OrderListed, OrderOut
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import OrderStatus
from payfirst.domain.order import Order
from payfirst.domain.session import Customer, Session
from payfirst.storage import bookings, orders
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.fulfilment import bookings as booked
from payfirst.usecases.fulfilment.orders import cancel_order, find_order, list_orders, move_order, refund_of
from payfirst.usecases.lookup import find_session
from payfirst.usecases.operators.review import refund_payment, resolve_refund
from payfirst.usecases.refunds.send_refund import pursue
from tests.integration.bookings.test_orders import an_order
from tests.integration.payments.shop import Shop, new_customer

AMINA = "operator:amina"
WHY = "The van broke down."


def session_of(shop: Shop, order: Order) -> Session:
    return find_session(GivenId(order.session_number), customer=Customer(order.owner), table=shop.table)


def ref_of(shop: Shop, order: Order) -> str:
    return session_of(shop, order).captured or ""


def every_answer(shop: Shop, order: Order) -> set[str]:
    """The word in each answer that has one: status, whole session, order, list of orders, a day's orders."""
    session, customer = session_of(shop, order), Customer(order.owner)
    found = find_order(GivenId(order.number), customer=customer, table=shop.table)
    listed = list_orders(customer, table=shop.table, size=10, position=None).orders
    days = [each for each in orders.of_days(shop.table, [order.code[4:12]]) if each.code == order.code]
    shown: list[Any] = [
        StatusOut.of(session, shop.now).order,
        SessionOut.of(session, shop.now).order,
        OrderOut.of(found, refund_of(found, table=shop.table)),
        *(OrderListed.of(each) for each in listed if each.number == order.number),
        *(OrderOut.of(each) for each in days),
    ]
    assert len(shown) == 5
    return {each.payment_status for each in shown}


def by_hand(shop: Shop, order: Order, number: int) -> None:
    """The sweep finds that no gateway can, and a person does it."""
    pursue(shop.notice_context(), ref_of(shop, order), number)
    assert every_answer(shop, order) == {"refund_due"}
    resolve_refund(shop.table, ref_of(shop, order), number, shop.now, by=AMINA, why="from the till")


def test_a_cancelled_order_is_paid_then_due_a_refund_then_refunded(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    assert every_answer(shop, order) == {"paid"}
    cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)
    assert every_answer(shop, order) == {"refund_due"}
    by_hand(shop, order, 1)
    assert every_answer(shop, order) == {"refunded"}


def test_a_part_given_back_is_due_and_then_a_part_and_the_rest_makes_it_whole(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    refund_payment(shop.table, ref_of(shop, order), Money(5000, Currency.KES), shop.now, by=AMINA, why="late")
    assert every_answer(shop, order) == {"refund_due"}
    by_hand(shop, order, 1)
    assert every_answer(shop, order) == {"partially_refunded"}
    refund_payment(shop.table, ref_of(shop, order), None, shop.now, by=AMINA, why="very late")
    assert every_answer(shop, order) == {"refund_due"}
    by_hand(shop, order, 2)
    assert every_answer(shop, order) == {"refunded"}


def test_an_order_that_is_cancelled_after_its_money_went_back_stays_refunded(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    refund_payment(shop.table, ref_of(shop, order), None, shop.now, by=AMINA, why="a kindness")
    by_hand(shop, order, 1)
    assert cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY) is None
    assert every_answer(shop, order) == {"refunded"}


def test_an_order_that_moves_on_keeps_the_word(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    refund_payment(shop.table, ref_of(shop, order), Money(5000, Currency.KES), shop.now, by=AMINA, why="late")
    for to in ("packed", "out_for_delivery", "delivered"):
        move_order(shop.table, order.code, OrderStatus(to), shop.now, by=AMINA)
    assert every_answer(shop, order) == {"refund_due"}


def test_the_refund_of_a_second_payment_leaves_the_order_paid(shop: Shop) -> None:
    customer = new_customer()
    first = shop.initiate(shop.session(customer))
    shop.decide(first, "cancel")
    shop.tell(first, shop.notice(first, code=1032))
    second = shop.initiate(shop.read(first.session))
    shop.tell(second)
    shop.tell(first)  # the first prompt was answered after all
    session = shop.read(first.session)
    assert (session.refund and session.refund.reason) == "surplus"
    [item] = shop.of_kind(customer, keys.ORDER)
    order = orders.order_from_item(item)
    assert every_answer(shop, order) == {"paid"}
    pursue(shop.notice_context(), first.attempt.ref, 1)
    resolve_refund(shop.table, first.attempt.ref, 1, shop.now, by=AMINA, why="from the till")
    assert every_answer(shop, order) == {"paid"}
    cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)
    assert every_answer(shop, order) == {"refund_due"}


def test_an_order_that_an_earlier_release_cancelled_says_what_its_session_knows(shop: Shop) -> None:
    """Earlier releases said `paid` for ever, and kept on the session no more than the latest refund."""
    order = an_order(shop, new_customer())
    cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)
    write(shop.table, Update("order", keys.owned(order.owner, keys.ORDER, order.number), set={"payment_status": "paid"}))
    session = keys.owned(order.owner, keys.SESSION, order.session_number)
    write(shop.table, Update("session", session, remove=("paid_back",)))
    found = find_order(GivenId(order.number), customer=Customer(order.owner), table=shop.table)
    assert found.payment_status == "refund_due"
    assert every_answer(shop, order) - {"paid"} == {"refund_due"}
    by_hand(shop, order, 1)
    assert every_answer(shop, order) == {"refunded"}


def _booked(shop: Shop, customer: Customer) -> Started:
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    shop.tell_phonepe(started)
    return started


def test_a_session_of_a_booking_says_what_it_became_in_the_list_the_status_and_whole(shop: Shop) -> None:
    customer = new_customer()
    started = _booked(shop, customer)

    def shown() -> list[tuple[Any, ...]]:
        session = shop.read(started.session)
        answers = [each.of(session, shop.now).booking for each in (SessionListed, StatusOut, SessionOut)]
        return [(each.id, each.book_id, each.status, each.payment_status) for each in answers if each]

    session = shop.read(started.session)
    assert session.outcome is not None
    named = session.outcome.number, session.outcome.code
    assert shown() == [(*named, "CONFIRMED", "paid")] * 3
    booking = bookings.read(shop.table, customer.sub, named[0])
    assert booking is not None
    cancelled = booked.cancel(booking, None, table=shop.table, now=shop.now)
    assert BookingOut.of(cancelled).status == "CANCELLED"
    assert shown() == [(*named, "CANCELLED", "refund_due")] * 3
    pursue(shop.notice_context(), started.attempt.ref, 1)
    shop.end_refund(f"R{started.attempt.ref}-1")
    shop.now += timedelta(minutes=2)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    assert shown() == [(*named, "CANCELLED", "refunded")] * 3


def test_a_session_without_a_booking_has_no_such_field(shop: Shop) -> None:
    session = shop.session(new_customer())
    for each in (SessionListed, StatusOut, SessionOut):
        assert "booking" not in each.of(session, shop.now).model_dump(exclude_unset=True)


def test_a_booking_of_an_earlier_release_is_named_without_a_status(shop: Shop) -> None:
    customer = new_customer()
    started = _booked(shop, customer)
    session = shop.read(started.session)
    assert session.outcome is not None
    key = keys.owned(customer.sub, keys.SESSION, session.number)
    write(shop.table, Update("session", key, set={"outcome": {"number": session.outcome.number, "code": session.outcome.code}}))
    shown = SessionListed.of(shop.read(started.session), shop.now).booking
    assert shown is not None
    assert (shown.book_id, shown.status) == (session.outcome.code, None)


def test_every_answer_sums_up_what_goes_back_in_parts(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    refund_payment(shop.table, ref_of(shop, order), Money(5000, Currency.KES), shop.now, by=AMINA, why="late")
    assert sums(shop, order) == [("50.00", "50.00")] * 3
    by_hand(shop, order, 1)
    refund_payment(shop.table, ref_of(shop, order), None, shop.now, by=AMINA, why="very late")
    assert sums(shop, order) == [("300.00", "350.00")] * 3
    by_hand(shop, order, 2)
    assert sums(shop, order) == [("300.00", "350.00")] * 3


def sums(shop: Shop, order: Order) -> list[tuple[str, str]]:
    session = session_of(shop, order)
    found = find_order(GivenId(order.number), customer=Customer(order.owner), table=shop.table)
    whole = OrderOut.of(found, refund_of(found, table=shop.table))
    shown = [each.refund for each in (StatusOut.of(session, shop.now), SessionOut.of(session, shop.now), whole)]
    return [(refund.amount, refund.total) for refund in shown if refund]
