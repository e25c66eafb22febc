"""What must become of each of Daraja's own bodies, by the name of its file without its ending."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import (
    Accepted,
    Captured,
    Declined,
    Pending,
    Push,
    Refunded,
    Rejected,
    StatusQuery,
    Unknown,
)
from payfirst.gateways.mpesa import (
    Mpesa,
    MpesaCredentials,
    ResultAddresses,
    pay_out,
    read_result_notice,
    read_stk_notice,
    reverse,
)

from .scripted_gateway import Reply, ScriptedGateway, reply

NOW = datetime(2024, 1, 24, 5, 10, 5, tzinfo=UTC)
KES = Currency.KES
SHILLINGS = Money(20_000, KES)
ADDRESSES = ResultAddresses("https://shop.co.ke/r", "https://shop.co.ke/t")
REVERSAL, PAYOUT = "/mpesa/reversal/v1/request", "/mpesa/b2c/v3/paymentrequest"

Check = Callable[[ScriptedGateway, bytes], None]


def body_of(raw: bytes) -> Any:
    """The JSON in `raw`."""
    return json.loads(raw)


def _mpesa(gateway: ScriptedGateway) -> Mpesa:
    gateway.scripts.setdefault("/oauth/v1/generate", [reply({"access_token": "t", "expires_in": "3599"})])
    credentials = MpesaCredentials("k", "s", "174379", "p", None, "initiator", "credential")
    return Mpesa(credentials, gateway.url, None, "a")


def _stk_push(gateway: ScriptedGateway) -> object:
    push = Push("MT1", SHILLINGS, "a", "d", NOW, phone="254708374149", callback_url="https://shop.co.ke/cb")
    return _mpesa(gateway).push(push, now=NOW, timeout_s=5)


def mpesa_token(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/oauth/v1/generate", Reply(200, raw))
    gateway.on("/mpesa/stkpush/v1/processrequest", Reply(500))
    assert isinstance(_stk_push(gateway), Unknown)
    assert gateway.seen[1].headers["Authorization"] == f"Bearer {body_of(raw)['access_token']}"


def mpesa_keys_refused(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/oauth/v1/generate", Reply(400, raw))
    answer = _stk_push(gateway)
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.configuration) == ("misconfigured", True)


def stk_accepted(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/mpesa/stkpush/v1/processrequest", Reply(200, raw))
    answer = _stk_push(gateway)
    assert isinstance(answer, Accepted)
    assert answer.gateway_id == body_of(raw)["CheckoutRequestID"]


def stk_refused(status: int, code: str, *, alarm: bool = False, field: str | None = None) -> Check:
    def check(gateway: ScriptedGateway, raw: bytes) -> None:
        gateway.on("/mpesa/stkpush/v1/processrequest", Reply(status, raw))
        answer = _stk_push(gateway)
        assert isinstance(answer, Rejected)
        assert (answer.code, answer.configuration, answer.field) == (code, alarm, field)

    return check


def mpesa_token_dead(gateway: ScriptedGateway, raw: bytes) -> None:
    accepted = reply({"ResponseCode": "0", "CheckoutRequestID": "ws_1"})
    gateway.on("/mpesa/stkpush/v1/processrequest", Reply(404, raw), accepted)
    assert isinstance(_stk_push(gateway), Accepted)
    assert len(gateway.asked("/oauth/v1/generate")) == 2


def stk_request(gateway: ScriptedGateway, raw: bytes) -> None:
    documented = body_of(raw)
    gateway.on("/mpesa/stkpush/v1/processrequest", Reply(500))
    _stk_push(gateway)
    sent = gateway.seen[-1].body
    assert set(sent) == set(documented)
    password = base64.b64decode(documented["Password"]).decode()
    passkey = password.removeprefix("174379").removesuffix(documented["Timestamp"])
    at = datetime(2021, 6, 28, 6, 24, 8, tzinfo=UTC)
    _mpesa_with(gateway, passkey).push(
        Push("MT1", SHILLINGS, "a", "d", at, phone="254708374149", callback_url="https://shop.co.ke/cb"),
        now=at,
        timeout_s=5,
    )
    vector = gateway.seen[-1].body
    assert (vector["Timestamp"], vector["Password"]) == (documented["Timestamp"], documented["Password"])


def _mpesa_with(gateway: ScriptedGateway, passkey: str) -> Mpesa:
    return Mpesa(MpesaCredentials("k", "s", "174379", passkey), gateway.url, None, "a")


def stk_query_request(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/mpesa/stkpushquery/v1/query", Reply(500))
    _mpesa(gateway).status(StatusQuery("MT1", "ws_1", SHILLINGS), now=NOW, timeout_s=5)
    assert set(gateway.seen[-1].body) == set(body_of(raw))


def stk_query(kind: type, code: str | None = None, status: int = 200) -> Check:
    def check(gateway: ScriptedGateway, raw: bytes) -> None:
        gateway.on("/mpesa/stkpushquery/v1/query", Reply(status, raw))
        asked = StatusQuery("MT1", body_of(raw).get("CheckoutRequestID", "ws_1"), SHILLINGS)
        answer = _mpesa(gateway).status(asked, now=NOW, timeout_s=5)
        assert isinstance(answer, kind)
        assert getattr(answer, "code", None) == code
        if isinstance(answer, Captured):
            assert (answer.amount, answer.receipt) == (None, None)

    return check


def stk_notice(code: str | None, receipt: str | None = None) -> Check:
    def check(_: ScriptedGateway, raw: bytes) -> None:
        notice = read_stk_notice(raw)
        assert notice is not None
        assert notice.checkout_request_id == body_of(raw)["Body"]["stkCallback"]["CheckoutRequestID"]
        if receipt is not None:
            assert notice.answer == Captured(Money(100, KES), receipt)
            return
        assert isinstance(notice.answer, Declined)
        assert (notice.answer.code, notice.answer.final) == (code, True)

    return check


def _reverse(gateway: ScriptedGateway) -> object:
    return reverse(_mpesa(gateway), "PDU91HIVIT", SHILLINGS, ADDRESSES, remarks="Payment", now=NOW, timeout_s=5)


def _pay_out(gateway: ScriptedGateway) -> object:
    to = "254708374149"
    return pay_out(_mpesa(gateway), "R-1", to, SHILLINGS, ADDRESSES, shortcode="6", remarks="Payment", now=NOW, timeout_s=5)


def refund_request(path: str, request_it: Callable[[ScriptedGateway], object], added: set[str]) -> Check:
    def check(gateway: ScriptedGateway, raw: bytes) -> None:
        gateway.on(path, Reply(500))
        request_it(gateway)
        assert set(gateway.seen[-1].body) == set(body_of(raw)) | added

    return check


def refund_acknowledged(path: str, request_it: Callable[[ScriptedGateway], object]) -> Check:
    def check(gateway: ScriptedGateway, raw: bytes) -> None:
        gateway.on(path, Reply(200, raw))
        answer = request_it(gateway)
        assert isinstance(answer, Accepted)
        assert answer.gateway_id == body_of(raw)["ConversationID"]
        assert answer.merchant_request_id == body_of(raw)["OriginatorConversationID"]

    return check


def reversal_refused(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/mpesa/reversal/v1/request", Reply(400, raw))
    answer = _reverse(gateway)
    assert isinstance(answer, Rejected)
    assert answer.code == "refund_rejected"


def payout_repeated(gateway: ScriptedGateway, raw: bytes) -> None:
    gateway.on("/mpesa/b2c/v3/paymentrequest", Reply(500, raw))
    assert _pay_out(gateway) == Unknown("reference already used")


def refund_result(expected: Refunded | str, original: str | None = None) -> Check:
    def check(_: ScriptedGateway, raw: bytes) -> None:
        notice = read_result_notice(raw)
        assert notice is not None
        assert notice.original_receipt == original
        answer = notice.refund_answer
        assert (answer.code if isinstance(answer, Declined) else answer) == expected

    return check


MPESA_CHECKS: Final[dict[str, Check]] = {
    "mpesa_b2c_accept": refund_acknowledged(PAYOUT, _pay_out),
    "mpesa_b2c_error_duplicate": payout_repeated,
    "mpesa_b2c_request": refund_request(PAYOUT, _pay_out, set()),
    "mpesa_b2c_result_failed_2001": refund_result("initiator_refused"),
    "mpesa_b2c_result_success": refund_result(Refunded(Money(1000, KES), "SG632NMUAB")),
    "mpesa_error_404_001_03": mpesa_token_dead,
    "mpesa_oauth_200": mpesa_token,
    "mpesa_oauth_200_string_expiry": mpesa_token,
    "mpesa_oauth_400_008_01": mpesa_keys_refused,
    "mpesa_reversal_accept": refund_acknowledged(REVERSAL, _reverse),
    "mpesa_reversal_error_400": reversal_refused,
    "mpesa_reversal_request": refund_request(REVERSAL, _reverse, {"Occasion"}),
    "mpesa_reversal_result_failed_r000002": refund_result("original_unknown"),
    "mpesa_reversal_result_success": refund_result(Refunded(Money(100, KES), "SKE52PAWR9"), "SKC82PACB8"),
    "mpesa_stk_accept_200": stk_accepted,
    "mpesa_stk_accept_200_sandbox_live": stk_accepted,
    "mpesa_stk_callback_failed_1019": stk_notice("expired"),
    "mpesa_stk_callback_failed_1032": stk_notice("cancelled"),
    "mpesa_stk_callback_failed_1032_prefixed": stk_notice("cancelled"),
    "mpesa_stk_callback_failed_1037": stk_notice("unreachable"),
    "mpesa_stk_callback_failed_1037_noresponse": stk_notice("unreachable"),
    "mpesa_stk_callback_failed_2001": stk_notice("wrong_pin"),
    "mpesa_stk_callback_success": stk_notice(None, "NLJ7RT61SV"),
    "mpesa_stk_callback_success_balance_no_value": stk_notice(None, "NCB9FJNAIT"),
    "mpesa_stk_error_400_002_02": stk_refused(400, "misconfigured", alarm=True),
    "mpesa_stk_error_400_002_02_callbackurl": stk_refused(400, "misconfigured", alarm=True),
    "mpesa_stk_error_400_002_02_phone": stk_refused(400, "invalid_phone", field="phone_number"),
    "mpesa_stk_error_500_001_1001_lock": stk_refused(500, "subscriber_busy"),
    "mpesa_stk_query_failed_1": stk_query(Declined, "insufficient_funds"),
    "mpesa_stk_query_failed_1032": stk_query(Declined, "cancelled"),
    "mpesa_stk_query_pending_4999": stk_query(Pending),
    "mpesa_stk_query_processing_500": stk_query(Pending, status=500),
    "mpesa_stk_query_request": stk_query_request,
    "mpesa_stk_query_success": stk_query(Captured),
    "mpesa_stk_request": stk_request,
}
