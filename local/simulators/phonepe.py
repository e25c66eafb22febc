"""PhonePe's OAuth, Standard Checkout and order status; refunds stand in `phonepe_refunds`."""

from __future__ import annotations

import hmac
import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulators.cashier import plan_text
from local.simulators.desk import Desk, bearer, form, json_object
from local.simulators.faults import (
    bad_request,
    duplicate_order,
    invalid_client,
    invalid_phonepe_token,
    order_not_found,
)
from local.simulators.ids import amount_text, hexadecimal, phonepe_id
from local.simulators.ledger import DuplicateReferenceError
from local.simulators.log import say
from local.simulators.outcomes import State
from local.simulators.phonepe_bodies import milliseconds, order_status
from local.simulators.records import PHONEPE, Attempt
from local.simulators.rules import Answer, Ending
from local.simulators.scripts import Facts

ORDER_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,63}")
MIN_PAISA: Final = 100
_LIFE_S: Final = range(300, 3601)
_DEFAULT_LIFE_S: Final = 600
_UDF: Final = re.compile(r"udf(1[0-5]|[1-9])")
_LONG_UDFS: Final = 10
_MAX_LONG_UDF: Final = 256
_SHORT_UDF: Final = re.compile(r"[A-Za-z0-9_\-+@. ]{1,50}")


def _meta_refused(meta: object) -> bool:
    if not isinstance(meta, dict):
        return True
    for name, value in meta.items():
        found = _UDF.fullmatch(name)
        if not found or not isinstance(value, str) or not value:
            return True
        if int(found[1]) <= _LONG_UDFS and len(value) > _MAX_LONG_UDF:
            return True
        if int(found[1]) > _LONG_UDFS and not _SHORT_UDF.fullmatch(value):
            return True
    return False


def stated(body: dict[str, Any]) -> dict[str, Any]:
    """`body` without its nulls, at any depth: PhonePe's own SDK sends null for whatever the merchant does not state."""
    return {name: stated(value) if isinstance(value, dict) else value for name, value in body.items() if value is not None}


def pay_refused(body: dict[str, Any]) -> bool:
    """Whether PhonePe would answer this pay request with BAD_REQUEST."""
    amount, life_s = body.get("amount"), body.get("expireAfter", _DEFAULT_LIFE_S)
    flow = body.get("paymentFlow")
    if not isinstance(flow, dict) or flow.get("type") != "PG_CHECKOUT":
        return True
    urls, modes = flow.get("merchantUrls"), flow.get("paymentModeConfig")
    return (
        not ORDER_ID.fullmatch(str(body.get("merchantOrderId", "")))
        or type(amount) is not int
        or amount < MIN_PAISA
        or type(life_s) is not int
        or life_s not in _LIFE_S
        or not isinstance(urls, dict)
        or not isinstance(urls.get("redirectUrl"), str)
        or (
            modes is not None
            and (not isinstance(modes, dict) or len(modes.keys() & {"enabledPaymentModes", "disabledPaymentModes"}) > 1)
        )
        or _meta_refused(body.get("metaInfo", {}))
    )


def page_address(base_url: str, order: Attempt) -> str:
    """Where the customer pays `order`."""
    return f"{base_url.rstrip('/')}/phonepe/pay/{order.page_token}"


async def opened_with(desk: Desk, order: Attempt, ending: Ending | None, body: dict[str, Any]) -> Response:
    """The answer `body` to a new order; what becomes of the order begins afterwards, or is over before where a rule says so."""
    say(PHONEPE, f"order {order.ref} of {amount_text(order.amount)} INR opened")
    if ending is not None and ending.early:
        _, notices = desk.cashier.decide(order, ending, send=False)
        await desk.deliver_early(notices)
        return JSONResponse(body)
    return JSONResponse(body, background=BackgroundTask(desk.follow, order))


class PhonePe:
    """The routes under `/phonepe` that a merchant calls."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        return [
            Route("/v1/oauth/token", self.token, methods=["POST"]),
            Route("/apis/identity-manager/v1/oauth/token", self.token, methods=["POST"]),
            Route("/checkout/v2/pay", self.pay, methods=["POST"]),
            Route("/checkout/v2/order/{order_id}/status", self.status, methods=["GET"]),
        ]

    async def token(self, request: Request) -> Response:
        """`POST …/v1/oauth/token`, urlencoded."""
        desk = self._desk
        facts = Facts(PHONEPE, "token")
        fault, _ = desk.scripts.take(facts)
        sent = await form(request)

        async def work() -> Response:
            if sent.get("grant_type") != "client_credentials" or not sent.get("client_version"):
                return bad_request()
            client, secret = sent.get("client_id", ""), sent.get("client_secret", "")
            wanted = desk.settings.phonepe_credentials
            if not client or not secret:
                return invalid_client()
            if wanted is not None and not hmac.compare_digest(f"{client}:{secret}".encode(), wanted.encode()):
                return invalid_client()
            lifetime_s = desk.settings.token_lifetime_s
            token = desk.give_token(PHONEPE, lifetime_s, alone=False)
            issued = int(desk.timers.now())
            say(PHONEPE, f"access token given for {lifetime_s} s")
            return JSONResponse(
                {
                    "access_token": token,
                    "encrypted_access_token": token,
                    "expires_in": None,
                    "issued_at": issued,
                    "expires_at": issued + lifetime_s,
                    "session_expires_at": issued + lifetime_s,
                    "token_type": "O-Bearer",
                }
            )

        return await desk.answer(facts, "", work, fault)

    async def pay(self, request: Request) -> Response:
        """`POST /checkout/v2/pay`: a new order and the address of its pay page; a used id is 417, whatever it asks."""
        desk, token = self._desk, bearer(request, "O-Bearer")
        body = stated(await json_object(request) or {})
        order_id, amount = str(body.get("merchantOrderId", "")), body.get("amount")
        facts = Facts(PHONEPE, "pay", ref=order_id, amount=amount if type(amount) is int else None)
        if not desk.token_lives(PHONEPE, token):
            return invalid_phonepe_token()
        fault, ending = desk.scripts.take(facts)

        async def work() -> Response:
            if pay_refused(body):
                say(PHONEPE, "pay refused: a field is wrong")
                return bad_request()
            return await self._open_order(body, str(request.base_url), ending or desk.default_ending())

        return await desk.answer(facts, token, work, fault)

    def _order(self, body: dict[str, Any], ending: Ending | None) -> Attempt:
        desk = self._desk
        now = desk.timers.now()
        return Attempt(
            gateway=PHONEPE,
            ref=body["merchantOrderId"],
            gateway_id=phonepe_id("OMO", desk.draw, now),
            amount=body["amount"],
            currency="INR",
            merchant=desk.settings.phonepe_merchant_id,
            label=str(body["paymentFlow"].get("message", "")),
            callback_url=desk.settings.phonepe_webhook_url or "",
            redirect_url=body["paymentFlow"]["merchantUrls"]["redirectUrl"],
            page_token=hexadecimal(desk.draw, 32),
            meta=json.dumps(body.get("metaInfo", {})),
            created_at=now,
            expires_at=now + body.get("expireAfter", _DEFAULT_LIFE_S),
            plan=None if ending is None or ending.early else plan_text(ending, now),
        )

    async def _open_order(self, body: dict[str, Any], base_url: str, ending: Ending | None) -> Response:
        desk = self._desk
        try:
            opened = desk.ledger.open_attempt(self._order(body, ending))
        except DuplicateReferenceError:
            say(PHONEPE, f"pay refused: order {body['merchantOrderId']} was used before")
            return duplicate_order()
        answer = {
            "orderId": opened.gateway_id,
            "state": State.PENDING.value,
            "expireAt": milliseconds(opened.expires_at),
            "redirectUrl": page_address(base_url, opened),
        }
        return await opened_with(desk, opened, ending, answer)

    async def status(self, request: Request) -> Response:
        """`GET /checkout/v2/order/{merchantOrderId}/status`; `errorContext=true` explains a failure."""
        desk, token = self._desk, bearer(request, "O-Bearer")
        order_id = request.path_params["order_id"]
        attempt = desk.ledger.attempt(PHONEPE, order_id)
        facts = Facts(PHONEPE, "status", order_id, amount=attempt.amount if attempt else None)
        if not desk.token_lives(PHONEPE, token):
            return invalid_phonepe_token()
        fault, _ = desk.scripts.take(facts)
        hide_end = fault is not None and fault.answer is Answer.PENDING
        if fault is not None and hide_end:
            fault = fault.told_truly()

        async def work() -> Response:
            if attempt is None:
                return order_not_found()
            wants_context = dict(parse_qsl(request.url.query)).get("errorContext", "false") == "true"
            return JSONResponse(order_status(attempt, hide_end=hide_end, error_context=wants_context))

        return await desk.answer(facts, token, work, fault)
