"""PhonePe's first API: pay page, status and refund, each request under the checksum of a salt key."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from typing import Any, Final

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulators.cashier import plan_text
from local.simulators.faults import phonepe_error
from local.simulators.ids import hexadecimal, phonepe_id
from local.simulators.ledger import DuplicateReferenceError, TooMuchError
from local.simulators.log import say
from local.simulators.phonepe import MIN_PAISA, opened_with, page_address
from local.simulators.phonepe_refunds import opened_refund
from local.simulators.phonepe_v1_bodies import checksum, refund_status, transaction_status
from local.simulators.records import FIRST_API, PHONEPE, Attempt
from local.simulators.rules import Answer, Ending
from local.simulators.scripts import Facts
from local.simulators.simulator import Served, json_object

PAY_PATH: Final = "/pg/v1/pay"
REFUND_PATH: Final = "/pg/v1/refund"
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{1,34}")
_PAGE_LIFE_S: Final = 1200


def _refused(status: int, code: str, message: str) -> JSONResponse:
    return phonepe_error(status, code, message, success=False, data={})


def _bad_request() -> JSONResponse:
    return _refused(400, "BAD_REQUEST", "Please check the inputs you have provided.")


def _duplicate() -> JSONResponse:
    return _refused(417, "DUPLICATE_TXN_REQUEST", "The merchantTransactionId has been used before.")


def _decoded(content: str) -> dict[str, Any]:
    try:
        body = json.loads(base64.b64decode(content, validate=True))
    except (binascii.Error, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def pay_refused(body: dict[str, Any]) -> bool:
    """Whether this API would answer this pay request with BAD_REQUEST."""
    addresses = [body.get("redirectUrl"), body.get("callbackUrl")]
    instrument = body.get("paymentInstrument")
    return (
        not _REFERENCE.fullmatch(str(body.get("merchantTransactionId", "")))
        or not _REFERENCE.fullmatch(str(body.get("merchantUserId", "")))
        or type(body.get("amount")) is not int
        or body["amount"] < MIN_PAISA
        or not all(isinstance(address, str) and address for address in addresses)
        or body.get("redirectMode") not in ("REDIRECT", "POST")
        or not isinstance(instrument, dict)
        or instrument.get("type") != "PAY_PAGE"
    )


class PhonePeV1(Served):
    """The routes under `/phonepe/pg/v1`."""

    def routes(self) -> list[Route]:
        return [
            Route(PAY_PATH, self.pay, methods=["POST"]),
            Route("/pg/v1/status/{merchant_id}/{ref}", self.status, methods=["GET"]),
            Route(REFUND_PATH, self.refund, methods=["POST"]),
        ]

    def _stranger(self, request: Request, signed: str, merchant: object) -> JSONResponse | None:
        """The refusal of a request that no key of this merchant signed; None for one that is in order."""
        settings = self._simulator.settings
        presented = request.headers.get("x-verify", "").encode()
        known = [hmac.compare_digest(presented, checksum(signed, *salt).encode()) for salt in settings.phonepe_salts]
        if any(known) and merchant == settings.phonepe_merchant_id:
            return None
        say(PHONEPE, "v1 request refused: its X-VERIFY is not this merchant's")
        return _refused(401, "AUTHORIZATION_FAILED", "Value provided in X-VERIFY header is incorrect.")

    async def _sent(self, request: Request) -> tuple[str, dict[str, Any]]:
        content = str((await json_object(request) or {}).get("request", ""))
        return content, _decoded(content)

    async def pay(self, request: Request) -> Response:
        """`POST /pg/v1/pay`: a new transaction and the address of its pay page."""
        simulator = self._simulator
        content, body = await self._sent(request)
        amount = body.get("amount")
        ref = str(body.get("merchantTransactionId", ""))
        refusal = self._stranger(request, content + PAY_PATH, body.get("merchantId"))
        if refusal is not None:
            return refusal
        facts = Facts(PHONEPE, "pay", ref=ref, amount=amount if type(amount) is int else None)
        fault, ending = simulator.scripts.take(facts)

        async def work() -> Response:
            if pay_refused(body):
                say(PHONEPE, "pay refused: a field is wrong")
                return _bad_request()
            return await self._open(body, str(request.base_url), ending or simulator.default_ending())

        return await simulator.answer(facts, "", work, fault)

    async def _open(self, body: dict[str, Any], base_url: str, ending: Ending | None) -> Response:
        simulator = self._simulator
        now = simulator.timers.now()
        transaction = Attempt(
            gateway=PHONEPE,
            ref=body["merchantTransactionId"],
            gateway_id=phonepe_id("T", simulator.draw, now),
            amount=body["amount"],
            currency="INR",
            merchant=body["merchantId"],
            callback_url=body["callbackUrl"],
            redirect_url=body["redirectUrl"],
            page_token=hexadecimal(simulator.draw, 32),
            meta=FIRST_API,
            created_at=now,
            expires_at=now + _PAGE_LIFE_S,
            plan=None if ending is None or ending.early else plan_text(ending, now),
        )
        try:
            opened = simulator.ledger.open_attempt(transaction)
        except DuplicateReferenceError:
            say(PHONEPE, f"pay refused: {transaction.ref} was used before")
            return _duplicate()
        page = {"type": "PAY_PAGE", "redirectInfo": {"url": page_address(base_url, opened), "method": "GET"}}
        data = {"merchantId": opened.merchant, "merchantTransactionId": opened.ref, "instrumentResponse": page}
        answer = {"success": True, "code": "PAYMENT_INITIATED", "message": "Payment initiated", "data": data}
        return await opened_with(simulator, opened, ending, answer)

    async def status(self, request: Request) -> Response:
        """`GET /pg/v1/status/{merchantId}/{merchantTransactionId}`, for payments and refunds alike."""
        simulator = self._simulator
        merchant, ref = request.path_params["merchant_id"], request.path_params["ref"]
        refusal = self._stranger(request, f"/pg/v1/status/{merchant}/{ref}", merchant)
        if refusal is not None:
            return refusal
        attempt, refund = simulator.ledger.attempt(PHONEPE, ref), simulator.ledger.refund(PHONEPE, ref)
        facts = Facts(PHONEPE, "status" if refund is None else "refund_status", ref, amount=attempt.amount if attempt else None)
        fault, _ = simulator.scripts.take(facts)
        hide_end = fault is not None and fault.answer is Answer.PENDING
        if fault is not None and hide_end:
            fault = fault.told_truly()

        async def work() -> Response:
            if attempt is not None:
                return JSONResponse(transaction_status(attempt, hide_end=hide_end))
            if refund is not None:
                return JSONResponse(refund_status(refund, merchant, hide_end=hide_end))
            return _refused(404, "TRANSACTION_NOT_FOUND", "No transaction found for the merchantTransactionId.")

        return await simulator.answer(facts, "", work, fault)

    async def refund(self, request: Request) -> Response:
        """`POST /pg/v1/refund`: all refunds of a transaction together give back at most what it captured."""
        simulator = self._simulator
        content, body = await self._sent(request)
        refusal = self._stranger(request, content + REFUND_PATH, body.get("merchantId"))
        if refusal is not None:
            return refusal
        amount, original_ref = body.get("amount"), str(body.get("originalTransactionId", ""))
        facts = Facts(PHONEPE, "refund", ref=original_ref, amount=amount if type(amount) is int else None)
        fault, ending = simulator.scripts.take(facts)

        async def work() -> Response:
            original = simulator.ledger.attempt(PHONEPE, original_ref)
            if not _REFERENCE.fullmatch(str(body.get("merchantTransactionId", ""))) or type(amount) is not int or amount < 1:
                return _bad_request()
            if original is None:
                return _refused(404, "TRANSACTION_NOT_FOUND", "No transaction found for the originalTransactionId.")
            return self._pay_back(original, body, ending)

        return await simulator.answer(facts, "", work, fault)

    def _pay_back(self, original: Attempt, body: dict[str, Any], ending: Ending | None) -> Response:
        simulator, ref, url = self._simulator, body["merchantTransactionId"], str(body.get("callbackUrl", ""))
        try:
            refund = opened_refund(simulator, original, ref, body["amount"], prefix="TR", result_url=url, ending=ending)
        except DuplicateReferenceError:
            return _duplicate()
        except TooMuchError:
            return _bad_request()
        return JSONResponse(
            refund_status(refund, original.merchant), background=BackgroundTask(simulator.follow_refund, refund)
        )
