"""What must become of each of PhonePe's own bodies, by the name of its file without its ending."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Final

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import (
    Absent,
    Accepted,
    Captured,
    Declined,
    NoAnswer,
    OrderNotice,
    Pending,
    Push,
    Refunded,
    Rejected,
    StatusQuery,
)
from payfirst.gateways.phonepe import PhonePe, PhonePeCredentials, is_authentic, read_webhook
from payfirst.gateways.phonepe_v1 import PAY_PATH, PhonePeV1, PhonePeV1Credentials, checksum

from . import phonepe_bodies as bodies
from .payload_checks_mpesa import Check, body_of
from .scripted_gateway import Reply, ScriptedGateway, reply

NOW = datetime(2024, 1, 24, 5, 10, 5, tzinfo=UTC)  # when the documented token was issued
INR = Currency.INR
QR = Captured(Money(1000, INR), "OMO2403282020198641071317")
INTENT = Captured(Money(1000, INR), "OMO2407021511185686967711")


def _phonepe(gateway: ScriptedGateway) -> PhonePe:
    gateway.scripts.setdefault("/token", [reply({"access_token": "t", "expires_at": int(NOW.timestamp()) + 3600})])
    return PhonePe(PhonePeCredentials("id", "secret", "1"), gateway.url, gateway.url + "/token", None, "a")


def _pay(gateway: ScriptedGateway) -> object:
    push = Push("MT1", Money(1000, INR), "a", "d", NOW + timedelta(minutes=20), redirect_url="https://shop.in/")
    return _phonepe(gateway).push(push, now=NOW, timeout_s=5)


def _order(gateway: ScriptedGateway) -> object:
    return _phonepe(gateway).status(StatusQuery("MT1", None, Money(1000, INR)), now=NOW, timeout_s=5)


def phonepe_token(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/token", Reply(200, raw))
    gateway.on("/checkout/v2/pay", Reply(500))
    phonepe = _phonepe(gateway)
    push = Push("MT1", Money(1000, INR), "a", "d", NOW, redirect_url="https://shop.in/")
    for day in range(7):
        phonepe.push(push, now=NOW + timedelta(days=day), timeout_s=5)
    assert len(gateway.asked("/token")) == 1
    assert gateway.seen[-1].headers["Authorization"] == f"O-Bearer {body_of(raw)['access_token']}"


def phonepe_client_refused(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/token", Reply(400, raw))
    answer = _pay(gateway)
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.configuration) == ("misconfigured", True)


def pay_request(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/checkout/v2/pay", Reply(500))
    _pay(gateway)
    documented, sent = body_of(raw), gateway.seen[-1].body
    assert set(sent) <= set(documented)
    assert set(sent["paymentFlow"]) <= set(documented["paymentFlow"])
    assert (sent["amount"], sent["expireAfter"]) == (documented["amount"], documented["expireAfter"])


def page_made(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/checkout/v2/pay", Reply(200, raw))
    assert _pay(gateway) == Accepted(body_of(raw)["orderId"], payment_url=body_of(raw)["redirectUrl"])


def pay_refused(status: int, expected: str) -> Check:
    def check(gateway: ScriptedGateway, raw: bytes) -> None:
        gateway.on("/checkout/v2/pay", Reply(status, raw))
        answer = _pay(gateway)
        found = answer.code if isinstance(answer, Rejected) else getattr(answer, "reason", "")
        assert found.startswith(expected)

    return check


def phonepe_token_refused(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/checkout/v2/pay", Reply(401, raw), reply({"orderId": "O", "redirectUrl": "https://page"}))
    assert isinstance(_pay(gateway), Accepted)
    assert len(gateway.asked("/token")) == 2


def order_state(expected: object, status: int = 200) -> Check:
    def check(gateway: ScriptedGateway, raw: bytes) -> None:
        gateway.on("/checkout/v2/order/MT1/status", Reply(status, raw))
        assert _order(gateway) == expected

    return check


def order_failed(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/checkout/v2/order/MT1/status", Reply(200, raw))
    answer = _order(gateway)
    assert isinstance(answer, Declined)
    assert answer.code == "wrong_pin"


def phonepe_refund_request(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/payments/v2/refund", Reply(500))
    documented = body_of(raw)
    amount = Money(documented["amount"], INR)
    ids = documented["merchantRefundId"], documented["originalMerchantOrderId"]
    _phonepe(gateway).refund(bodies.pay_back(*ids, amount), now=NOW, timeout_s=5)
    assert gateway.seen[-1].body == documented


def phonepe_refund_accepted(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/payments/v2/refund", Reply(200, raw))
    answer = _phonepe(gateway).refund(bodies.pay_back("R-1", "MT1", Money(1234, INR)), now=NOW, timeout_s=5)
    assert answer == Accepted(body_of(raw)["refundId"])


def phonepe_refund_state(expected: object) -> Check:
    def check(gateway: ScriptedGateway, raw: bytes) -> None:
        ref = body_of(raw).get("merchantRefundId", "R-1")
        gateway.on(f"/payments/v2/refund/{ref}/status", Reply(200, raw))
        assert _phonepe(gateway).refund_status(bodies.about(ref), now=NOW, timeout_s=5) == expected

    return check


def webhook(state: str, minor: int, *, refund: bool) -> Check:
    def check(_: ScriptedGateway, raw: bytes) -> None:
        notice = read_webhook(raw)
        assert notice is not None
        assert (notice.state, notice.amount, notice.is_refund) == (state, Money(minor, INR), refund)
        payload = body_of(raw)["payload"]
        assert notice.merchant_order_id == payload.get("merchantOrderId")
        assert notice.refund_id == payload.get("refundId")

    return check


def webhook_vector(_: ScriptedGateway, raw: bytes) -> None:
    vector = body_of(raw)
    credentials = PhonePeCredentials("id", "s", "1", None, vector["username"], vector["password"])
    assert is_authentic(vector["authorization"], credentials)


SALT = PhonePeV1Credentials("PGTESTPAYUAT", "a-salt-of-ours", "1")


def _v1_status(gateway: ScriptedGateway, ref: str, raw: bytes) -> object:
    gateway.on(f"/pg/v1/status/PGTESTPAYUAT/{ref}", Reply(200, raw))
    return PhonePeV1(SALT, gateway.url).status(StatusQuery(ref, None, Money(1320, INR)), now=NOW, timeout_s=5)


def v1_notice(expected: type, ref: str) -> Check:
    def check(gateway: ScriptedGateway, raw: bytes) -> None:
        content = body_of(raw)["response"]
        assert SALT.recognises(checksum(content, SALT), raw)
        notice = SALT.read_notice(raw)
        assert notice is not None
        assert (notice.merchant_order_id, notice.is_refund) == (ref, False)
        assert isinstance(_v1_status(gateway, ref, base64.b64decode(content)), expected)

    return check


def v1_notice_decoded(gateway: ScriptedGateway, raw: bytes) -> None:
    content = base64.b64encode(raw).decode("ascii")
    notice = SALT.read_notice(json.dumps({"response": content}).encode())
    assert notice == OrderNotice("PAYMENT_SUCCESS", "1696219839931", "PGTESTPAYUAT", is_refund=False)
    captured = Captured(Money(10_200, INR), "T2310020940401648429611", merchant="PGTESTPAYUAT")
    assert _v1_status(gateway, "1696219839931", raw) == captured


def v1_status_failed(gateway: ScriptedGateway, raw: bytes) -> None:
    body = body_of(raw)
    assert len(body["data"]["merchantTransactionId"]) > 34  # longer than v1 takes today, so nobody asks about it
    assert isinstance(_v1_status(gateway, "MT1", raw), NoAnswer)  # it is about another transaction
    body["data"]["merchantTransactionId"] = "MT1"
    assert isinstance(_v1_status(gateway, "MT1", json.dumps(body).encode()), Declined)


def v1_pay_vector(_: ScriptedGateway, raw: bytes) -> None:
    vector = body_of(raw)
    credentials = PhonePeV1Credentials("PGTESTPAYUAT", vector["_salt_key"], str(vector["_salt_index"]))
    assert checksum(vector["request"] + PAY_PATH, credentials) == vector["_x_verify"]


def v1_refund_request(gateway: ScriptedGateway, raw: bytes) -> None:
    documented = body_of(raw)
    gateway.on("/pg/v1/refund", Reply(500))
    ids = documented["merchantTransactionId"], documented["originalTransactionId"]
    amount, address = Money(documented["amount"], INR), documented["callbackUrl"]
    PhonePeV1(SALT, gateway.url).refund(bodies.pay_back(*ids, amount, notice_url=address), now=NOW, timeout_s=5)
    sent = json.loads(base64.b64decode(gateway.seen[-1].body["request"]))
    assert sent | {"merchantUserId": documented["merchantUserId"]} == documented


PHONEPE_CHECKS: Final[dict[str, Check]] = {
    "phonepe_v1_callback_failed": v1_notice(Declined, "merchantTransactionId"),
    "phonepe_v1_callback_success": v1_notice(Captured, "1696219839931"),
    "phonepe_v1_callback_success_decoded": v1_notice_decoded,
    "phonepe_v1_pay_request_vector": v1_pay_vector,
    "phonepe_v1_refund_request": v1_refund_request,
    "phonepe_v1_status_failed": v1_status_failed,
    "phonepe_v2_error_400_bad_request": pay_refused(400, "bad_request"),
    "phonepe_v2_error_401": phonepe_token_refused,
    "phonepe_v2_error_417_duplicate_order": pay_refused(417, "reference already used"),
    "phonepe_v2_error_500": pay_refused(500, "maybe processed"),
    "phonepe_v2_oauth_200": phonepe_token,
    "phonepe_v2_oauth_400_invalid_client": phonepe_client_refused,
    "phonepe_v2_order_status_completed_intent": order_state(INTENT),
    "phonepe_v2_order_status_completed_upi_qr": order_state(QR),
    "phonepe_v2_order_status_failed": order_failed,
    "phonepe_v2_order_status_not_found": order_state(Absent(), 400),
    "phonepe_v2_order_status_pending": order_state(Pending()),
    "phonepe_v2_pay_200": page_made,
    "phonepe_v2_pay_request": pay_request,
    "phonepe_v2_refund_accept": phonepe_refund_accepted,
    "phonepe_v2_refund_request": phonepe_refund_request,
    "phonepe_v2_refund_status_completed": phonepe_refund_state(Refunded(Money(50, INR), "OMR2507211657281836129569")),
    "phonepe_v2_refund_status_confirmed": phonepe_refund_state(Pending()),
    "phonepe_v2_webhook_order_completed": webhook("COMPLETED", 10_000, refund=False),
    "phonepe_v2_webhook_order_failed": webhook("FAILED", 10_000, refund=False),
    "phonepe_v2_webhook_refund_completed": webhook("COMPLETED", 50_000, refund=True),
    "phonepe_v2_webhook_refund_failed": webhook("FAILED", 1234, refund=True),
    "phonepe_webhook_auth_vector": webhook_vector,
}
