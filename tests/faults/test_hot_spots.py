"""A crowd on the model: it is served, it meets itself, and its clock is no real one."""

from __future__ import annotations

import pytest

from tests.proofs.hot_spots import CROWDS, Found, crowd


@pytest.mark.parametrize("goods", CROWDS)
def test_a_crowd_is_served_and_the_shop_is_in_order_afterwards(goods: str) -> None:
    found = crowd(4, 2, CROWDS[goods])

    assert found.refused == 0
    assert found.sold == 8


def test_buyers_of_one_listing_meet_and_wait_for_each_other() -> None:
    alone, together = (crowd(1, 4, CROWDS["one listing"]), crowd(4, 1, CROWDS["one listing"]))

    assert alone.met == 0
    assert together.met > 0
    assert _slowest(together) > _slowest(alone)


def test_who_buys_alone_waits_as_long_as_the_model_says_and_a_run_can_be_repeated() -> None:
    found = crowd(1, 2, CROWDS["one listing"])

    assert found == crowd(1, 2, CROWDS["one listing"])
    assert found.worst["create session"] == pytest.approx(0.0325)  # one read and one transaction


def _slowest(found: Found) -> float:
    return found.worst["create session"]
