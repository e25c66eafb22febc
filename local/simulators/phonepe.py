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
from local.simulators.simulator import TOKEN_LIFETIME_S, Served, Simulator, bearer, form, json_object

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


async def opened_with(simulator: Simulator, order: Attempt, ending: Ending | None, body: dict[str, Any]) -> Response:
    """The answer `body` to a new order; what becomes of the order begins afterwards, or is over before where a rule says so."""
    say(PHONEPE, f"order {order.ref} of {amount_text(order.amount)} INR opened")
    if ending is not None and ending.early:
        _, notices = simulator.cashier.decide(order, ending, send=False)
        await simulator.deliver_early(notices)
        return JSONResponse(body)
    return JSONResponse(body, background=BackgroundTask(simulator.follow, order))


class PhonePe(Served):
    """The routes under `/phonepe` that a merchant calls."""

    def routes(self) -> list[Route]:
        return [
            Route("/v1/oauth/token", self.token, methods=["POST"]),
            Route("/apis/identity-manager/v1/oauth/token", self.token, methods=["POST"]),
            Route("/checkout/v2/pay", self.pay, methods=["POST"]),
            Route("/checkout/v2/order/{order_id}/status", self.status, methods=["GET"]),
        ]

    async def token(self, request: Request) -> Response:
        """`POST …/v1/oauth/token`, urlencoded."""
        simulator = self._simulator
        facts = Facts(PHONEPE, "token")
        fault, _ = simulator.scripts.take(facts)
        sent = await form(request)

        async def work() -> Response:
            if sent.get("grant_type") != "client_credentials" or not sent.get("client_version"):
                return bad_request()
            client, secret = sent.get("client_id", ""), sent.get("client_secret", "")
            wanted = simulator.settings.phonepe_credentials
            if not client or not secret:
                return invalid_client()
            if wanted is not None and not hmac.compare_digest(f"{client}:{secret}".encode(), wanted.encode()):
                return invalid_client()
            token, issued = simulator.give_token(PHONEPE), int(simulator.timers.now())
            return JSONResponse(
                {
                    "access_token": token,
                    "encrypted_access_token": token,
                    "expires_in": None,
                    "issued_at": issued,
                    "expires_at": issued + TOKEN_LIFETIME_S,
                    "session_expires_at": issued + TOKEN_LIFETIME_S,
                    "token_type": "O-Bearer",
                }
            )

        return await simulator.answer(facts, "", work, fault)

    async def pay(self, request: Request) -> Response:
        """`POST /checkout/v2/pay`: a new order and the address of its pay page; a used id is 417, whatever it asks."""
        simulator, token = self._simulator, bearer(request, "O-Bearer")
        body = stated(await json_object(request) or {})
        order_id, amount = str(body.get("merchantOrderId", "")), body.get("amount")
        facts = Facts(PHONEPE, "pay", ref=order_id, amount=amount if type(amount) is int else None)
        if not simulator.token_lives(PHONEPE, token):
            return invalid_phonepe_token()
        fault, ending = simulator.scripts.take(facts)

        async def work() -> Response:
            if pay_refused(body):
                say(PHONEPE, "pay refused: a field is wrong")
                return bad_request()
            return await self._open_order(body, str(request.base_url), ending or simulator.default_ending())

        return await simulator.answer(facts, token, work, fault)

    def _order(self, body: dict[str, Any], ending: Ending | None) -> Attempt:
        simulator = self._simulator
        now = simulator.timers.now()
        return Attempt(
            gateway=PHONEPE,
            ref=body["merchantOrderId"],
            gateway_id=phonepe_id("OMO", simulator.draw, now),
            amount=body["amount"],
            currency="INR",
            merchant=simulator.settings.phonepe_merchant_id,
            label=str(body["paymentFlow"].get("message", "")),
            callback_url=simulator.settings.phonepe_webhook_url or "",
            redirect_url=body["paymentFlow"]["merchantUrls"]["redirectUrl"],
            page_token=hexadecimal(simulator.draw, 32),
            meta=json.dumps(body.get("metaInfo", {})),
            created_at=now,
            expires_at=now + body.get("expireAfter", _DEFAULT_LIFE_S),
            plan=None if ending is None or ending.early else plan_text(ending, now),
        )

    async def _open_order(self, body: dict[str, Any], base_url: str, ending: Ending | None) -> Response:
        simulator = self._simulator
        try:
            opened = simulator.ledger.open_attempt(self._order(body, ending))
        except DuplicateReferenceError:
            say(PHONEPE, f"pay refused: order {body['merchantOrderId']} was used before")
            return duplicate_order()
        answer = {
            "orderId": opened.gateway_id,
            "state": State.PENDING.value,
            "expireAt": milliseconds(opened.expires_at),
            "redirectUrl": page_address(base_url, opened),
        }
        return await opened_with(simulator, opened, ending, answer)

    async def status(self, request: Request) -> Response:
        """`GET /checkout/v2/order/{merchantOrderId}/status`; `errorContext=true` explains a failure."""
        simulator, token = self._simulator, bearer(request, "O-Bearer")
        order_id = request.path_params["order_id"]
        attempt = simulator.ledger.attempt(PHONEPE, order_id)
        facts = Facts(PHONEPE, "status", order_id, amount=attempt.amount if attempt else None)
        if not simulator.token_lives(PHONEPE, token):
            return invalid_phonepe_token()
        fault, _ = simulator.scripts.take(facts)
        hide_end = fault is not None and fault.answer is Answer.PENDING
        if fault is not None and hide_end:
            fault = fault.told_truly()

        async def work() -> Response:
            if attempt is None:
                return order_not_found()
            wants_context = dict(parse_qsl(request.url.query)).get("errorContext", "false") == "true"
            return JSONResponse(order_status(attempt, hide_end=hide_end, error_context=wants_context))

        return await simulator.answer(facts, token, work, fault)
