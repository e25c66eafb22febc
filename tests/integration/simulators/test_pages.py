"""The customer's phone and PhonePe's pay page as a browser gets them."""

from __future__ import annotations

import re

from .merchant import PHONE, Merchant

ORDER = "MT0000000000001"


def page(merchant: Merchant) -> str:
    return merchant.send("GET", "/").text


def test_an_open_prompt_and_an_open_page_are_shown_with_a_button_for_each_outcome(merchant: Merchant) -> None:
    assert "No prompt and no pay page is open." in page(merchant)
    merchant.prompt(Amount=12500)
    url = merchant.order()
    shown = page(merchant)
    for text in (PHONE, "KSh 12,500.00", "ORDER17", "₹ 999.00", url.removeprefix(merchant.address)):
        assert text in shown
    for outcome in ("pay", "cancel", "wrong_pin", "insufficient_funds", "timeout", "fail", "pending"):
        assert shown.count(f'value="{outcome}"') == 2


def test_a_button_decides_and_leads_back_to_the_phone(merchant: Merchant) -> None:
    ref = merchant.prompt()
    press = {"gateway": "mpesa", "ref": ref, "outcome": "pay"}
    for _ in range(2):
        pressed = merchant.send("POST", "/answer", data=press, allow_redirects=False)
        assert (pressed.status_code, pressed.headers["location"]) == (303, "/")
    receipt = merchant.attempt(ref)["receipt"]
    shown = page(merchant)
    assert receipt in shown
    assert "Enter PIN and pay" not in shown
    assert len(merchant.inbox.wait_for(1)) == 1


def test_a_button_that_is_not_there_and_a_prompt_that_is_not_there_are_refused(merchant: Merchant) -> None:
    ref = merchant.prompt()
    assert merchant.send("POST", "/answer", data={"gateway": "mpesa", "ref": ref, "outcome": "x"}).status_code == 400
    assert merchant.send("POST", "/answer", data={"gateway": "mpesa", "ref": "x", "outcome": "pay"}).status_code == 404
    assert merchant.send("GET", "/phonepe/pay/0123").status_code == 404
    assert merchant.send("POST", "/phonepe/pay/0123", data={"outcome": "pay"}).status_code == 404
    assert merchant.attempt(ref)["state"] == "PENDING"


def test_what_a_merchant_sends_is_shown_as_text(merchant: Merchant) -> None:
    flow = {"type": "PG_CHECKOUT", "message": "<script>x</script>", "merchantUrls": {"redirectUrl": "javascript:alert(1)"}}
    url = merchant.order(paymentFlow=flow)
    merchant.decide("phonepe", ORDER, outcome="pay", notices=0)
    for shown in (page(merchant), merchant.session.get(url, timeout=5).text):
        assert "<script>x" not in shown
        assert "javascript:" not in shown


def test_the_pages_need_nothing_from_elsewhere(merchant: Merchant) -> None:
    merchant.prompt()
    url = merchant.order()
    for shown in (page(merchant), merchant.session.get(url, timeout=5).text):
        loaded = re.findall(r'(?:src|href|action)="([^"]*)"', shown)
        assert all(target.startswith(("/", "data:,")) for target in loaded)
        assert "@import" not in shown
        assert "url(" not in shown
