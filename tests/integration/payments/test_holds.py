"""Stock that is held from the moment a payment is asked for, until it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from payfirst.domain.errors import RefusedError
from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.domain.session import Session
from tests.integration.payments.shop import Shop, new_customer


def _counts(shop: Shop) -> tuple[object, object, object]:
    listing = shop.listing()
    return listing["available"], listing["held"], listing["sold"]


@pytest.fixture
def holding(shop: Shop) -> Shop:
    """Ten kilos of tomatoes that are held at initiate."""
    shop.stock(listing=123, price=15000, available="10")
    shop.hold = True
    return shop


def _session(shop: Shop, quantity: str = "6") -> Session:
    return shop.session(new_customer(), quantity=quantity)


def test_a_payment_under_way_holds_its_stock_and_the_order_uses_it_up(holding: Shop) -> None:
    started = holding.initiate(_session(holding))
    assert _counts(holding) == (4, 6, 0)

    holding.tell(started, holding.notice(started, amount="950.00"))

    assert holding.read(started.session).status is SessionStatus.ORDER_CREATED
    assert _counts(holding) == (4, 0, 6)


def test_what_is_held_for_one_is_refused_to_another_before_paying(holding: Shop) -> None:
    first, second = _session(holding), _session(holding)
    started = holding.initiate(first)

    with pytest.raises(RefusedError) as caught:
        holding.initiate(second)
    assert caught.value.stable_code == "OUT_OF_STOCK"

    holding.decide(started, "cancel")
    holding.tell(started, holding.notice(started, code=1032))
    assert _counts(holding) == (10, 0, 0)
    holding.initiate(second)
    assert _counts(holding) == (4, 6, 0)


def test_a_hold_comes_back_once_however_often_the_failure_is_told(holding: Shop) -> None:
    started = holding.initiate(_session(holding))
    holding.decide(started, "cancel")
    for code in (1032, 1037, 1032):
        holding.tell(started, holding.notice(started, code=code))

    assert _counts(holding) == (10, 0, 0)


def test_late_money_after_the_hold_came_back_takes_stock_again_or_goes_back(holding: Shop) -> None:
    late = holding.initiate(_session(holding))
    holding.decide(late, "cancel")
    holding.tell(late, holding.notice(late, code=1037))
    other = holding.initiate(_session(holding))
    holding.now += timedelta(seconds=5)

    holding.tell(late, holding.notice(late, amount="950.00"))

    assert holding.attempt(late).status is AttemptStatus.REFUND_DUE
    assert _counts(holding) == (4, 6, 0)
    holding.tell(other, holding.notice(other, amount="950.00"))
    assert _counts(holding) == (4, 0, 6)


def test_wrong_money_gives_the_hold_back(holding: Shop) -> None:
    started = holding.initiate(_session(holding))

    holding.tell(started, holding.notice(started, amount="1.00"))

    assert _counts(holding) == (10, 0, 0)
    assert len(holding.refunds(started)) == 1
