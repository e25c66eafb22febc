"""Daraja's OAuth, STK push and status query.

A push is checked field by field as the sandbox does; the password is checked against the passkey for the sandbox shortcode
(and for any shortcode when a passkey of one's own is configured), else only for its form.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulators.cashier import plan_text
from local.simulators.faults import (
    UNDER_WAY,
    does_not_exist,
    invalid_field,
    invalid_mpesa_token,
    mpesa_error,
    query_answer,
    subscriber_locked,
)
from local.simulators.ids import amount_text, checkout_request_id, masked_phone, merchant_request_id
from local.simulators.ledger import DuplicateReferenceError, PromptOpenError
from local.simulators.log import say
from local.simulators.mpesa_bodies import push_accepted
from local.simulators.records import MPESA, Attempt
from local.simulators.rules import Answer, Ending
from local.simulators.scripts import Facts
from local.simulators.settings import SANDBOX_PASSKEY, SANDBOX_SHORTCODE, Settings
from local.simulators.simulator import TOKEN_LIFETIME_S, Served, basic_pair, bearer, json_object, whole_number

MAX_SHILLINGS: Final = 250_000
_ID_TRIES: Final = 100
_MAX_ACCOUNT: Final = 12
_MAX_DESCRIPTION: Final = 13
MSISDN: Final = re.compile(r"254[17]\d{8}")
SHORTCODE: Final = re.compile(r"\d{5,7}")


def callback_url_refused(url: object) -> bool:
    """Whether Daraja would refuse this address; the simulator takes http and words that production does not."""
    if not isinstance(url, str) or not url.isascii() or re.search(r"\s", url):
        return True
    try:
        parts = urlsplit(url)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
    except ValueError:
        return True
    return scheme not in {"http", "https"} or not host


def _timestamp_refused(timestamp: object) -> bool:
    try:
        datetime.strptime(str(timestamp), "%Y%m%d%H%M%S")  # noqa: DTZ007 - only its form is checked
    except ValueError:
        return True
    return False


def _password_refused(body: dict[str, Any], settings: Settings) -> bool:
    shortcode, timestamp = str(body.get("BusinessShortCode")), str(body.get("Timestamp"))
    try:
        password = base64.b64decode(str(body.get("Password")), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return True
    if shortcode == SANDBOX_SHORTCODE or settings.mpesa_passkey != SANDBOX_PASSKEY:
        expected = f"{shortcode}{settings.mpesa_passkey}{timestamp}"
        return not hmac.compare_digest(password.encode(), expected.encode())
    return not (password.startswith(shortcode) and password.endswith(timestamp))


def _merchant_refusal(body: dict[str, Any], settings: Settings) -> Response | None:
    if not SHORTCODE.fullmatch(str(body.get("BusinessShortCode", ""))):
        return invalid_field("BusinessShortCode")
    if _timestamp_refused(body.get("Timestamp")):
        return invalid_field("Timestamp")
    if not body.get("Password"):
        return invalid_field("Password")
    if _password_refused(body, settings):
        return mpesa_error(500, "500.001.1001", "Wrong credentials")
    return None


def push_refusal(body: dict[str, Any], settings: Settings) -> Response | None:
    """The error for the first field of a push that Daraja would not take."""
    refused = _merchant_refusal(body, settings)
    if refused is not None:
        return refused
    shillings = whole_number(body.get("Amount"))
    account, description = body.get("AccountReference"), body.get("TransactionDesc")
    checks = (
        ("TransactionType", body.get("TransactionType") not in {"CustomerPayBillOnline", "CustomerBuyGoodsOnline"}),
        ("Amount", shillings is None or not 1 <= shillings <= MAX_SHILLINGS),
        ("PartyA", not MSISDN.fullmatch(str(body.get("PartyA", "")))),
        ("PartyB", not SHORTCODE.fullmatch(str(body.get("PartyB", "")))),
        ("PhoneNumber", not MSISDN.fullmatch(str(body.get("PhoneNumber", "")))),
        ("CallBackURL", callback_url_refused(body.get("CallBackURL"))),
        (
            "AccountReference",
            not isinstance(account, str) or not account.isalnum() or len(account) > _MAX_ACCOUNT,
        ),
        # The sandbox calls a missing TransactionDesc "Remarks".
        ("Remarks", not isinstance(description, str) or not 1 <= len(description) <= _MAX_DESCRIPTION),
    )
    return next((invalid_field(name) for name, wrong in checks if wrong), None)


class Mpesa(Served):
    """The routes under `/mpesa`."""

    def routes(self) -> list[Route]:
        return [
            Route("/oauth/v1/generate", self.token, methods=["GET"]),
            Route("/mpesa/stkpush/v1/processrequest", self.push, methods=["POST"]),
            Route("/mpesa/stkpushquery/v1/query", self.query, methods=["POST"]),
        ]

    async def token(self, request: Request) -> Response:
        """`GET /oauth/v1/generate?grant_type=client_credentials`; wrong keys get a 400 without a body."""
        simulator = self._simulator
        facts = Facts(MPESA, "token")
        fault, _ = simulator.scripts.take(facts)

        async def work() -> Response:
            if request.query_params.get("grant_type") != "client_credentials":
                return mpesa_error(400, "400.008.02", "Invalid grant type passed")
            pair = basic_pair(request)
            if pair is None:
                return mpesa_error(400, "400.008.01", "Invalid Authentication passed")
            wanted = simulator.settings.mpesa_credentials
            if wanted is not None and not hmac.compare_digest(":".join(pair).encode(), wanted.encode()):
                return Response(status_code=400)
            return JSONResponse({"access_token": simulator.give_token(MPESA), "expires_in": str(TOKEN_LIFETIME_S - 1)})

        return await simulator.answer(facts, "", work, fault)

    async def push(self, request: Request) -> Response:
        """`POST /mpesa/stkpush/v1/processrequest`: opens a prompt on the phone, one at a time for each phone."""
        simulator, token = self._simulator, bearer(request, "Bearer")
        body = await json_object(request) or {}
        shillings = whole_number(body.get("Amount"))
        phone = str(body.get("PhoneNumber", ""))
        facts = Facts(MPESA, "push", phone=phone, amount=None if shillings is None else shillings * 100)
        if not simulator.token_lives(MPESA, token):
            return invalid_mpesa_token()
        fault, ending = simulator.scripts.take(facts)

        async def work() -> Response:
            refused = push_refusal(body, simulator.settings)
            if refused is not None:
                say(MPESA, "push refused: a field or the password is wrong")
                return refused
            return await self._open_prompt(body, ending or simulator.default_ending())

        return await simulator.answer(facts, token, work, fault)

    def _prompt(self, body: dict[str, Any], ending: Ending | None) -> Attempt:
        simulator, phone = self._simulator, str(body["PhoneNumber"])
        now = simulator.timers.now()
        return Attempt(
            gateway=MPESA,
            ref=checkout_request_id(now, phone),
            gateway_id=merchant_request_id(simulator.draw),
            amount=int(body["Amount"]) * 100,
            currency="KES",
            merchant=str(body["BusinessShortCode"]),
            phone=phone,
            label=body["AccountReference"],
            callback_url=body["CallBackURL"],
            created_at=now,
            plan=None if ending is None or ending.early else plan_text(ending, now),
        )

    def _stored(self, prompt: Attempt) -> Attempt:
        """`prompt` in the ledger; its id holds milliseconds and the phone, so a later one is free when it is taken."""
        for milliseconds in range(_ID_TRIES):
            instant = prompt.created_at + milliseconds / 1000
            try:
                return self._simulator.ledger.open_attempt(replace(prompt, ref=checkout_request_id(instant, prompt.phone)))
            except DuplicateReferenceError:
                continue
        raise DuplicateReferenceError(masked_phone(prompt.phone))

    async def _open_prompt(self, body: dict[str, Any], ending: Ending | None) -> Response:
        simulator = self._simulator
        try:
            opened = self._stored(self._prompt(body, ending))
        except PromptOpenError:
            say(MPESA, f"push to {masked_phone(str(body['PhoneNumber']))} refused: a prompt is open there")
            return subscriber_locked()
        say(MPESA, f"prompt for {amount_text(opened.amount)} KES on {masked_phone(opened.phone)}")
        response = JSONResponse(push_accepted(opened))
        if ending is not None and ending.early:
            _, notices = simulator.cashier.decide(opened, ending, send=False)
            await simulator.deliver_early(notices)
            return response
        response.background = BackgroundTask(simulator.follow, opened)
        return response

    async def query(self, request: Request) -> Response:
        """`POST /mpesa/stkpushquery/v1/query`: the code of a prompt that has ended, 4999 for one that is open."""
        simulator, token = self._simulator, bearer(request, "Bearer")
        body = await json_object(request) or {}
        ref = str(body.get("CheckoutRequestID", ""))
        attempt = simulator.ledger.attempt(MPESA, ref)
        facts = Facts(MPESA, "query", ref, attempt.phone, attempt.amount) if attempt else Facts(MPESA, "query", ref)
        if not simulator.token_lives(MPESA, token):
            return invalid_mpesa_token()
        fault, _ = simulator.scripts.take(facts)
        code = None
        if fault is not None and fault.answer in {Answer.RESULT, Answer.PENDING}:
            code = fault.result_code or UNDER_WAY
            fault = fault.told_truly()

        async def work() -> Response:
            refused = _merchant_refusal(body, simulator.settings)
            if refused is not None:
                return refused
            if not ref:
                return invalid_field("CheckoutRequestID")
            if attempt is None:
                return does_not_exist()
            return query_answer(attempt.gateway_id, attempt.ref, code or attempt.result_code or UNDER_WAY)

        return await simulator.answer(facts, token, work, fault)
