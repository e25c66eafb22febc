"""The controls: what they refuse, and that a payment is decided once however many ask."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from .merchant import Merchant, eventually

ORDER = "MT0000000000001"


@pytest.mark.parametrize("gateway", ["mpesa", "phonepe", "paypal"])
def test_an_unknown_payment_is_404(shared: Merchant, gateway: str) -> None:
    assert shared.decide(gateway, "never-seen", outcome="pay").status_code == 404


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "outcome"),
        ({"outcome": "pays"}, "outcome"),
        ({"outcome": "pay", "notices": -1}, "notices"),
        ({"outcome": "pay", "notices": "many"}, "notices"),
        ({"outcome": "pay", "notices": [{"kind": "odd"}]}, "notices"),
        ({"outcome": "pay", "delay_s": -1}, "delay_s"),
        ({"outcome": "pay", "delay_s": "soon"}, "delay_s"),
        ({"outcome": "pay", "dealy_s": 1}, "dealy_s"),
        ({"outcome": "pay", "result_code": "1"}, "result_code"),
        ({"outcome": "pay", "early": True}, "early"),
        ({"outcome": "pending", "notices": 1}, "notices"),
        (["pay"], "body"),
    ],
)
def test_a_bad_body_is_400_and_names_the_field(shared: Merchant, body: object, named: str) -> None:
    ref = shared.prompt()
    refused = shared.send("POST", f"/control/mpesa/{ref}", json=body)
    assert refused.status_code == 400
    assert named in refused.json()["error"]
    assert shared.decide("mpesa", ref, outcome="cancel", notices=0).json()["state"] == "FAILED"


def test_what_is_not_json_is_400(merchant: Merchant) -> None:
    ref = merchant.prompt()
    assert merchant.send("POST", f"/control/mpesa/{ref}", data=b"outcome=pay").status_code == 400


@pytest.mark.parametrize("first", ["pay", "cancel"])
def test_a_decided_payment_is_409_and_stays_as_it_is(merchant: Merchant, first: str) -> None:
    ref = merchant.prompt()
    before = merchant.decide("mpesa", ref, outcome=first).json()
    for outcome in ("pay", "cancel", "pending"):
        assert merchant.decide("mpesa", ref, outcome=outcome, notices=0).status_code == 409
    assert merchant.decide("mpesa", ref, outcome="pay", after_s=1).status_code == 409
    assert merchant.attempt(ref) == before
    merchant.inbox.wait_for(1)
    assert merchant.inbox.stays_at(1, for_s=0.2)


def test_a_prompt_left_working_can_still_be_decided(merchant: Merchant) -> None:
    ref = merchant.prompt()
    assert merchant.decide("mpesa", ref, outcome="pending").json()["state"] == "PENDING"
    assert merchant.query(ref).json()["ResultCode"] == "4999"
    assert merchant.push().status_code == 500
    assert merchant.decide("mpesa", ref, outcome="pay").json()["state"] == "COMPLETED"


def test_a_decision_can_be_put_off_and_then_changed(merchant: Merchant) -> None:
    ref = merchant.prompt()
    assert merchant.decide("mpesa", ref, outcome="pay", after_s=60).json()["state"] == "PENDING"
    assert merchant.decide("mpesa", ref, outcome="cancel", after_s=120).json()["state"] == "PENDING"
    merchant.advance(61)
    assert merchant.attempt(ref)["state"] == "PENDING"
    merchant.advance(60)
    assert merchant.attempt(ref)["outcome"] == "cancel"
    assert merchant.ledger() == []


@pytest.mark.parametrize("gateway", ["mpesa", "phonepe"])
def test_forty_decisions_at_once_move_the_money_once(merchant: Merchant, gateway: str) -> None:
    ref = merchant.prompt() if gateway == "mpesa" else ORDER
    if gateway == "phonepe":
        merchant.order()
    outcomes = ["pay", "cancel"] * 20
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda outcome: merchant.decide(gateway, ref, outcome=outcome).status_code, outcomes))
    assert Counter(statuses) == {200: 1, 409: 39}
    paid = merchant.attempt(ref)["state"] == "COMPLETED"
    assert len(merchant.ledger()) == int(paid)
    merchant.inbox.wait_for(1)
    assert merchant.inbox.stays_at(1)


def test_thirty_pushes_at_once_open_one_prompt(merchant: Merchant) -> None:
    merchant.prompt("254711000000")
    with ThreadPoolExecutor(15) as pool:
        statuses = list(pool.map(lambda _: merchant.push().status_code, range(30)))
    assert Counter(statuses) == {200: 1, 500: 29}
    assert len(merchant.attempts()) == 2


def test_thirty_orders_with_one_id_open_one_order(merchant: Merchant) -> None:
    merchant.order("MT-first")
    with ThreadPoolExecutor(15) as pool:
        statuses = list(pool.map(lambda _: merchant.pay().status_code, range(30)))
    assert Counter(statuses) == {200: 1, 417: 29}


def test_a_storm_of_payments_is_booked_exactly(merchant: Merchant) -> None:
    merchant.send("POST", "/control/auto", json={"outcome": "pay", "notices": 2})
    merchant.prompt("254711999999")
    phones = [f"2547120{number:05d}" for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        refs = list(pool.map(merchant.prompt, phones))
    eventually(lambda: len(merchant.ledger()) == 201)
    book = merchant.ledger()
    assert len({entry["receipt"] for entry in book}) == 201
    assert {entry["ref"] for entry in book} > set(refs)
    assert sum(entry["amount"] for entry in book) == 201 * 35000
    merchant.inbox.wait_for(402)
    assert merchant.inbox.stays_at(402)


def test_the_newest_attempt_is_listed_first_and_the_list_can_be_narrowed(merchant: Merchant) -> None:
    ref = merchant.prompt()
    merchant.order()
    assert [attempt["ref"] for attempt in merchant.attempts()] == [ORDER, ref]
    assert [a["ref"] for a in merchant.send("GET", "/control/attempts?gateway=mpesa").json()] == [ref]
    assert [a["ref"] for a in merchant.send("GET", "/control/attempts?limit=1").json()] == [ORDER]
    assert merchant.send("GET", "/control/attempts?state=COMPLETED").json() == []
    assert merchant.send("GET", "/control/attempts?state=odd").status_code == 400


def test_a_reset_forgets_payments_rules_and_what_was_planned(merchant: Merchant) -> None:
    merchant.send("POST", "/control/auto", json={"outcome": "pay"})
    merchant.script(call="query", answer="html_502")
    merchant.script(call="push", outcome="pay", after_s=60)
    merchant.prompt()
    assert merchant.send("POST", "/control/reset").status_code == 200
    merchant.advance(61)
    assert merchant.attempts() == []
    assert merchant.send("GET", "/control/script").json() == []
    ref = merchant.prompt()
    assert merchant.query(ref).json()["ResultCode"] == "4999"
    assert merchant.inbox.stays_at(0, for_s=0.2)


def test_the_controls_explain_themselves(merchant: Merchant) -> None:
    for path in ("/control", "/control/"):
        text = merchant.send("GET", path).text
        assert "POST /control/script" in text
        assert "does_not_exist" in text
