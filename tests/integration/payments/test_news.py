"""The shop hears of sales and of what needs a person: at once, in batches when much happens, and nothing gets lost."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from local.embedded_aws import EmbeddedAws
from local.resources import verify_senders
from payfirst.domain.session import Customer, Kind
from payfirst.storage import news
from payfirst.usecases.fulfilment.orders import cancel_order
from payfirst.usecases.sweeps.tell_shop import PAUSE, NewsReport
from tests.integration.payments.postman import BOOKINGS, ORDERS, Postman
from tests.integration.payments.shop import Shop


@pytest.fixture
def owner() -> str:
    return f"owner-{secrets.token_hex(6)}@shop.example"


@pytest.fixture
def postman(embedded_aws: EmbeddedAws, shop: Shop, owner: str) -> Postman:
    verify_senders(embedded_aws.client("sesv2"), (BOOKINGS, ORDERS))
    return Postman(embedded_aws, shop, {Kind.BOOKING: BOOKINGS, Kind.ORDER: ORDERS}, owner)


def _customer() -> Customer:
    sub = secrets.token_hex(8)
    return Customer(sub=sub, user_id=7, email=f"{sub}@example.com", name="Wanjiru Otieno")


def _ordered(shop: Shop) -> str:
    started = shop.initiate(shop.session(_customer()))
    shop.decide(started)
    shop.tell(started)
    outcome = shop.read(started.session).outcome
    assert outcome is not None
    return outcome.code


def _booked(shop: Shop) -> str:
    started = shop.process(shop.booking_cart(customer := _customer()), customer)
    shop.decide(started)
    shop.tell_phonepe(started)
    outcome = shop.read(started.session).outcome
    assert outcome is not None
    return outcome.code


def test_a_sale_is_told_at_once_and_what_follows_in_one_e_mail_after_the_pause(
    shop: Shop, postman: Postman, owner: str
) -> None:
    before = len(postman.mail_at(owner))
    order = _ordered(shop)
    assert postman.news() == NewsReport(told=1)
    booking, second = _booked(shop), _ordered(shop)
    assert postman.news() == NewsReport(), "it waits for its turn"
    shop.now += PAUSE - timedelta(seconds=1)
    assert postman.news() == NewsReport()
    shop.now += timedelta(seconds=1)
    assert postman.news() == NewsReport(told=2)
    shop.now += PAUSE
    assert postman.news() == NewsReport(), "nothing is told twice"

    first, both = postman.mail_at(owner)[before:]
    assert (first["Source"], first["Subject"], both["Subject"]) == (BOOKINGS, "1 sale", "2 sales")
    for form in ("BodyText", "BodyHtml"):
        assert all(said in first[form] for said in (order, "Fresh Tomatoes", "Ksh350.00"))
        assert all(said in both[form] for said in (booking, second, "Ganesh Puja", "20 July 2026 at 10:30"))
        assert "Otieno" not in first[form] + both[form], "who bought it stands with the order, not in an e-mail"


def test_however_fast_it_comes_twelve_e_mails_an_hour_leave_and_tell_everything(
    shop: Shop, postman: Postman, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "AT_ONCE", 2)
    before, sold, told = len(postman.mail_at(owner)), [_ordered(shop) for _ in range(5)], 0
    for _ in range(60):
        told += postman.news().told
        shop.now += timedelta(minutes=1)
    letters = postman.mail_at(owner)[before:]
    assert (told, len(letters)) == (5, 3)
    assert len(letters) <= 12
    assert all(sum(code in letter["BodyText"] for letter in letters) == 1 for code in sold)
    assert ["the next e-mail tells it" in letter["BodyText"] for letter in letters] == [True, True, False]


def test_an_e_mail_that_fails_is_tried_again_after_the_pause_and_nothing_of_it_is_lost(
    shop: Shop, postman: Postman, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, before, post = _ordered(shop), len(postman.mail_at(owner)), postman.post

    class Throttled:
        def send_email(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "slow"}}, "SendEmail")

    monkeypatch.setattr(postman, "post", replace(post, client=cast("Any", Throttled())))
    assert postman.news() == NewsReport(failed=1)
    monkeypatch.setattr(postman, "post", post)
    assert postman.news() == NewsReport()
    shop.now += PAUSE
    assert postman.news() == NewsReport(told=1)
    assert [code in letter["BodyText"] for letter in postman.mail_at(owner)[before:]] == [True]


def test_what_its_own_people_did_is_no_news_and_what_waits_for_them_is(shop: Shop, postman: Postman, owner: str) -> None:
    code, before = _ordered(shop), len(postman.mail_at(owner))
    assert postman.news().told == 1
    cancel_order(shop.table, code, shop.now, by="operator:amina", why="no van")
    shop.now += PAUSE
    assert postman.news() == NewsReport()
    assert len(postman.mail_at(owner)) == before + 1


def test_a_shop_without_an_address_hears_nothing_and_keeps_nothing(shop: Shop, embedded_aws: EmbeddedAws) -> None:
    silent = Postman(embedded_aws, shop, {Kind.BOOKING: BOOKINGS, Kind.ORDER: ORDERS})
    _ordered(shop)
    assert silent.news() == NewsReport()
    assert news.waiting(shop.table).items == ()
