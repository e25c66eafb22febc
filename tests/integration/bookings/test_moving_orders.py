"""Orders on their way to the door, and cancelled with their stock and their money back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest

from payfirst.api.wire.events import EVENTS
from payfirst.api.wire.outcome import order_of
from payfirst.domain.errors import NotFoundError, RefusedError
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import OrderStatus
from payfirst.domain.order import Order
from payfirst.domain.session import Customer
from payfirst.storage import orders, timeline
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.fulfilment.orders import cancel_order, find_order, move_order, refund_of, undo_step
from payfirst.usecases.lookup import find_session
from payfirst.usecases.operators.review import refund_payment
from payfirst.usecases.refunds.send_refund import pursue
from tests.integration.bookings.test_orders import an_order
from tests.integration.carts.conftest import before_next_write
from tests.integration.payments.shop import Shop, new_customer

AMINA = "operator:amina"
WHY = "The van broke down."
ON_THE_WAY = (OrderStatus.PACKED, OrderStatus.OUT_FOR_DELIVERY, OrderStatus.DELIVERED)


def _move(shop: Shop, order: Order, to: OrderStatus) -> Order:
    return move_order(shop.table, order.code, to, shop.now, by=AMINA)


def _again(shop: Shop, order: Order) -> Order:
    found = orders.read(shop.table, order.owner, order.number)
    assert found is not None
    return found


def _refund_number(shop: Shop, order: Order) -> list[tuple[str, int, str]]:
    session = find_session(GivenId(order.session_number), customer=Customer(order.owner), table=shop.table)
    found = [item for item in shop.items() if item["pk"] == f"ATT#{session.captured}" and item["sk"].startswith("R#")]
    return [(item["sk"], int(item["amount"]), item["reason"]) for item in found]


def test_an_order_goes_to_the_door_and_its_customer_can_follow_it(shop: Shop) -> None:
    customer = new_customer()
    order = an_order(shop, customer)
    for to in ON_THE_WAY:
        shop.now += timedelta(hours=1)
        assert _move(shop, order, to).status is to

    shown = find_order(GivenId(order.number), customer=customer, table=shop.table)
    assert [step.status for step in shown.timeline] == ["confirmed", "packed", "out_for_delivery", "delivered"]
    assert shown.timeline[-1].at == shop.now
    session = find_session(GivenId(order.session_number), customer=customer, table=shop.table)
    named = order_of(session)
    assert named is not None
    assert named.order_status == "delivered"
    told = [event for event in timeline.read(shop.table, session) if event.name.startswith("order.")]
    assert [(event.name, event.by) for event in told[1:]] == [(f"order.{to}", AMINA) for to in ON_THE_WAY]


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ((), OrderStatus.OUT_FOR_DELIVERY),
        ((), OrderStatus.DELIVERED),
        ((OrderStatus.PACKED,), OrderStatus.DELIVERED),
        ((OrderStatus.PACKED, OrderStatus.OUT_FOR_DELIVERY), OrderStatus.PACKED),
        (ON_THE_WAY, OrderStatus.OUT_FOR_DELIVERY),
    ],
)
def test_no_step_is_left_out_or_taken_back(shop: Shop, path: tuple[OrderStatus, ...], to: OrderStatus) -> None:
    order = an_order(shop, new_customer())
    for step in path:
        _move(shop, order, step)
    before = _again(shop, order)
    with pytest.raises(RefusedError) as refused:
        _move(shop, order, to)
    assert refused.value.stable_code == "ORDER_NOT_MOVABLE"
    assert _again(shop, order) == before


def test_the_same_step_twice_is_one_step(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    for _ in range(2):
        _move(shop, order, OrderStatus.PACKED)
    assert [step.status for step in _again(shop, order).timeline] == ["confirmed", "packed"]


def _undo(shop: Shop, order: Order, step: OrderStatus) -> Order:
    return undo_step(shop.table, order.code, step, shop.now, by=AMINA)


def _not_undone(shop: Shop, order: Order, step: OrderStatus) -> str:
    before = _again(shop, order)
    with pytest.raises(RefusedError) as refused:
        _undo(shop, order, step)
    assert _again(shop, order) == before
    return refused.value.stable_code


@pytest.mark.parametrize("done", [1, 2, 3])
def test_the_last_step_is_taken_back_once_and_says_who_did(shop: Shop, done: int) -> None:
    customer = new_customer()
    order = an_order(shop, customer)
    for to in ON_THE_WAY[:done]:
        _move(shop, order, to)
    before = (OrderStatus.CONFIRMED, *ON_THE_WAY)[done - 1]
    for _ in range(2):
        assert _undo(shop, order, ON_THE_WAY[done - 1]).status is before
    shown = _again(shop, order)
    steps = ["confirmed", *ON_THE_WAY[:done], before]
    assert (shown.status, [step.status for step in shown.timeline]) == (before, steps)
    session = find_session(GivenId(order.session_number), customer=customer, table=shop.table)
    named = order_of(session)
    assert named is not None
    assert named.order_status == before
    [undone] = [event for event in timeline.read(shop.table, session) if event.name == "order.step_undone"]
    assert (undone.by, undone.facts["undone"], undone.facts["status"]) == (AMINA, ON_THE_WAY[done - 1], before)
    assert "again" not in timeline.read(shop.table, session)[-2].facts
    assert _move(shop, order, ON_THE_WAY[done - 1]).status is ON_THE_WAY[done - 1]
    assert timeline.read(shop.table, session)[-1].facts["again"] is True


def test_a_step_that_is_not_the_last_one_stays(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    assert _not_undone(shop, order, OrderStatus.OUT_FOR_DELIVERY) == "ORDER_NOT_MOVABLE"
    for to in ON_THE_WAY[:2]:
        _move(shop, order, to)
    assert _not_undone(shop, order, OrderStatus.PACKED) == "ORDER_NOT_MOVABLE"
    cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)
    for step in (*ON_THE_WAY, OrderStatus.CANCELLED):
        assert _not_undone(shop, order, step) == "ORDER_NOT_MOVABLE"


def test_an_order_whose_money_goes_back_keeps_its_steps_and_one_that_is_paid_in_part_does_not(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    _move(shop, order, OrderStatus.PACKED)
    key = keys.owned(order.owner, keys.ORDER, order.number)
    for status in ("refund_due", "refunded"):
        write(shop.table, Update("order", key, set={"payment_status": status}))
        assert _not_undone(shop, order, OrderStatus.PACKED) == "ORDER_NOT_MOVABLE"
    write(shop.table, Update("order", key, set={"payment_status": "partially_refunded"}))
    assert _undo(shop, order, OrderStatus.PACKED).status is OrderStatus.CONFIRMED


def test_an_order_that_leaves_between_the_look_and_the_write_keeps_its_steps(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    _move(shop, order, OrderStatus.PACKED)
    with before_next_write(shop.table, lambda: _move(shop, order, OrderStatus.OUT_FOR_DELIVERY)), pytest.raises(RefusedError):
        _undo(shop, order, OrderStatus.PACKED)
    assert _again(shop, order).status is OrderStatus.OUT_FOR_DELIVERY


@pytest.mark.parametrize("path", [(), ON_THE_WAY[:1], ON_THE_WAY[:2]])
def test_a_cancelled_order_gives_back_its_stock_and_its_money_in_one_write(shop: Shop, path: tuple[OrderStatus, ...]) -> None:
    customer = new_customer()
    order = an_order(shop, customer)
    for step in path:
        _move(shop, order, step)
    assert (shop.listing()["available"], shop.listing()["sold"]) == (9998, 2)

    refund = cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)

    assert refund is not None
    assert (refund.amount, refund.reason) == (Money(35000, Currency.KES), "order_cancelled")
    assert (shop.listing()["available"], shop.listing()["sold"]) == (10000, 0)
    shown = find_order(GivenId(order.number), customer=customer, table=shop.table)
    assert (shown.status, shown.timeline[-1].reason) == (OrderStatus.CANCELLED, WHY)
    money = refund_of(shown, table=shop.table)
    assert money is not None
    assert (money.amount, money.status) == (order.amount, "due")
    pursue(shop.notice_context(), refund.ref, refund.number)
    assert refund_of(shown, table=shop.table) != money


def test_a_delivered_order_is_not_cancelled(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    for to in ON_THE_WAY:
        _move(shop, order, to)
    with pytest.raises(RefusedError, match="delivered"):
        cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)
    assert (shop.listing()["sold"], _refund_number(shop, order)) == (2, [])


def test_cancelled_twice_is_cancelled_once(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    first = cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)
    assert cancel_order(shop.table, order.code, shop.now, by=AMINA, why="again") == first
    assert (shop.listing()["available"], len(_refund_number(shop, order))) == (10000, 1)


def test_ten_people_cancel_at_once_and_one_refund_is_made(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    with ThreadPoolExecutor(10) as people:
        made = list(people.map(lambda _: cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY), range(10)))
    assert {refund.refund_id for refund in made if refund} == {f"R{made[0].ref}-1" if made[0] else ""}
    assert (shop.listing()["available"], shop.listing()["sold"]) == (10000, 0)
    assert [amount for _, amount, _ in _refund_number(shop, order)] == [35000]


def test_a_cancellation_gives_back_what_is_left_of_a_payment(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    ref = _ref(shop, order)
    part = refund_payment(shop.table, ref, Money(5000, Currency.KES), shop.now, by=AMINA, why="late")
    write(shop.table, Update("refund", keys.refund(ref, part.number), set={"status": "refunded"}))
    refund = cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)
    assert refund is not None
    assert (refund.number, refund.amount.minor) == (2, 30000)


@pytest.mark.parametrize("status", ["due", "sending", "accepted", "needs_review"])
def test_an_order_is_not_cancelled_while_a_part_of_its_money_is_on_its_way_back(shop: Shop, status: str) -> None:
    order = an_order(shop, new_customer())
    ref = _ref(shop, order)
    part = refund_payment(shop.table, ref, Money(5000, Currency.KES), shop.now, by=AMINA, why="late")
    write(shop.table, Update("refund", keys.refund(ref, part.number), set={"status": status}))
    with pytest.raises(RefusedError) as refused:
        cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)
    assert refused.value.stable_code == "REFUND_IN_PROGRESS"
    assert (_again(shop, order).status, len(_refund_number(shop, order))) == (OrderStatus.CONFIRMED, 1)


def test_an_order_whose_money_had_gone_back_is_cancelled_without_another_refund(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    refund_payment(shop.table, _ref(shop, order), None, shop.now, by=AMINA, why="late")
    assert cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY) is None
    assert (_again(shop, order).status, shop.listing()["available"]) == (OrderStatus.CANCELLED, 10000)
    assert len(_refund_number(shop, order)) == 1


def _ref(shop: Shop, order: Order) -> str:
    session = find_session(GivenId(order.session_number), customer=Customer(order.owner), table=shop.table)
    return session.captured or ""


@pytest.mark.parametrize("rival", ["cancel", "deliver", "refund"])
def test_somebody_else_in_between_changes_the_decision_and_never_the_sums(shop: Shop, rival: str) -> None:
    order = an_order(shop, new_customer())
    _move(shop, order, OrderStatus.PACKED)
    _move(shop, order, OrderStatus.OUT_FOR_DELIVERY)
    rivals: dict[str, Callable[[], object]] = {
        "cancel": lambda: cancel_order(shop.table, order.code, shop.now, by="operator:baraka", why="first"),
        "deliver": lambda: _move(shop, order, OrderStatus.DELIVERED),
        "refund": lambda: refund_payment(
            shop.table, _ref(shop, order), Money(100, Currency.KES), shop.now, by=AMINA, why="a kindness"
        ),
    }
    with before_next_write(shop.table, rivals[rival]):
        try:
            cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)
        except RefusedError:
            assert rival in ("deliver", "refund")

    returned = sum(amount for _, amount, _ in _refund_number(shop, order))
    assert returned == {"cancel": 35000, "deliver": 0, "refund": 100}[rival]
    assert shop.listing()["sold"] == (0 if rival == "cancel" else 2)
    assert shop.listing()["available"] + shop.listing()["sold"] == Decimal(10000)
    cancelled = [step for step in _again(shop, order).timeline if step.status == "cancelled"]
    assert len(cancelled) == (1 if rival == "cancel" else 0)


def test_stock_that_was_never_sold_is_not_made_up(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    shop.stock(listing=123, price=15000, available="5")
    with pytest.raises(RefusedError) as refused:
        cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)
    assert refused.value.stable_code == "STOCK_DISAGREES"
    assert (_again(shop, order).status, _refund_number(shop, order)) == (OrderStatus.CONFIRMED, [])


def test_the_events_of_an_order_have_schemas_and_sequences_without_gaps(shop: Shop) -> None:
    order = an_order(shop, new_customer())
    _move(shop, order, OrderStatus.PACKED)
    cancel_order(shop.table, order.code, shop.now, by=AMINA, why=WHY)
    session = find_session(GivenId(order.session_number), customer=Customer(order.owner), table=shop.table)
    events = timeline.read(shop.table, session)
    assert [event.sequence for event in events] == list(range(len(events)))
    assert [event.name for event in events][-3:] == ["order.packed", "order.cancelled", "refund.due"]
    assert {event.name for event in events} <= set(EVENTS)


def test_nobody_moves_an_order_that_does_not_exist_or_a_booking(shop: Shop) -> None:
    for code in ("ORD-20260302-999", "BK-00000000"):
        with pytest.raises(NotFoundError):
            move_order(shop.table, code, OrderStatus.PACKED, shop.now, by=AMINA)


def test_a_day_s_orders_are_found_by_their_numbers_with_gaps(shop: Shop) -> None:
    made = [an_order(shop, new_customer()) for _ in range(2)]
    shop.table.client.update_item(
        TableName=shop.table.name,
        Key={"pk": {"S": "SEQUENCE#ORD#20260302"}, "sk": {"S": "SEQUENCE"}},
        UpdateExpression="ADD n :gap",
        ExpressionAttributeValues={":gap": {"N": "120"}},
    )
    made.append(an_order(shop, new_customer()))
    assert list(orders.of_days(shop.table, ["20260302"])) == made
    assert list(orders.of_days(shop.table, ["20260303"])) == []
