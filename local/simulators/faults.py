"""Answers that are not the true one: the gateways' errors, and what stands between them and us."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, Final

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from local.simulators.outcomes import query_text
from local.simulators.records import MPESA
from local.simulators.rules import Answer, GatewayWord
from local.simulators.scripts import Facts, Fault

UNDER_WAY: Final = "4999"
"""The result code of a prompt that is still open."""

_request_numbers: Final = itertools.count(495926)

_BAD_GATEWAY: Final = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "</body>\r\n</html>\r\n"
)


class LostAnswer(Response):
    """Closes the connection without a byte; the server must have put `abort` into the connection's state."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        scope["state"]["abort"]()
        await asyncio.sleep(0)
        if self.background is not None:
            await self.background()


def mpesa_error(status: int, code: str, message: str) -> JSONResponse:
    """Daraja's error envelope."""
    request_id = f"1c5b-4ba8-815c-ac45c57a3db0{next(_request_numbers)}"
    return JSONResponse({"requestId": request_id, "errorCode": code, "errorMessage": message}, status)


def invalid_field(field: str) -> JSONResponse:
    """The refusal of one field."""
    return mpesa_error(400, "400.002.02", f"Bad Request - Invalid {field}")


def invalid_mpesa_token() -> JSONResponse:
    """A token that Daraja does not know (any more): HTTP 404, not 401."""
    return mpesa_error(404, "404.001.03", "Invalid Access Token")


def phonepe_error(status: int, code: str, message: str, **more: object) -> JSONResponse:
    """PhonePe's error envelope."""
    return JSONResponse({"code": code, "message": message, **more}, status)


def bad_request() -> JSONResponse:
    """PhonePe's answer to inputs that it does not take; it names no field."""
    return phonepe_error(400, "BAD_REQUEST", "Please check the inputs you have provided.")


def invalid_phonepe_token() -> JSONResponse:
    """A token that PhonePe does not know (any more)."""
    message = "Authorization failed [message = Please check the authorization token and try again]"
    body: dict[str, Any] = {"success": False, "code": "AUTHORIZATION_FAILED", "message": message, "data": {}}
    return JSONResponse(body, 401)


def invalid_client() -> JSONResponse:
    """OAuth credentials that PhonePe does not know."""
    body = {
        "code": "INVALID_CLIENT",
        "errorCode": "OIM000",
        "message": "Bad Request: Invalid Client, trackingId: 2123d",
        "context": {"error_description": "Client authentication failure"},
    }
    return JSONResponse(body, 400)


def order_not_found() -> JSONResponse:
    """An order that PhonePe has never seen."""
    return phonepe_error(400, "INVALID_MERCHANT_ORDER_ID", "No entry found for given merchant order id")


def duplicate_order() -> JSONResponse:
    """A merchantOrderId that was used before; nothing is repeated for it."""
    return phonepe_error(417, "INVALID_TRANSACTION_ID", "Order ID has already been used", success=False)


def refund_used_before() -> JSONResponse:
    """A merchantRefundId that was used before."""
    return phonepe_error(417, "INVALID_TRANSACTION_ID", "Refund ID has already been used", success=False)


def refund_not_found() -> JSONResponse:
    """A refund that PhonePe has never seen."""
    return phonepe_error(400, "INVALID_MERCHANT_REFUND_ID", "No entry found for given merchant refund id")


def subscriber_locked() -> JSONResponse:
    """A push to a phone that shows a prompt already."""
    text = "Unable to lock subscriber, a transaction is already in process for the current subscriber"
    return mpesa_error(500, "500.001.1001", text)


def does_not_exist() -> JSONResponse:
    """A query for a prompt that M-Pesa does not know, or pretends not to know."""
    return mpesa_error(500, "500.001.1001", "The transaction does not Exist")


def query_answer(merchant_request_id: str, checkout_request_id: str, code: str) -> JSONResponse:
    """The status query's envelope; "successsfully" is Daraja's own spelling."""
    return JSONResponse(
        {
            "ResponseCode": "0",
            "ResponseDescription": "The service request has been accepted successsfully",
            "MerchantRequestID": merchant_request_id,
            "CheckoutRequestID": checkout_request_id,
            "ResultCode": code,
            "ResultDesc": query_text(code),
        }
    )


def _spike_fault() -> Response:
    fault = {"faultstring": "Spike arrest violation. Allowed rate : 5ps", "detail": {"errorcode": "policies.ratelimit"}}
    return JSONResponse({"fault": fault}, 429)


_ANYWHERE: Final[dict[Answer, Callable[[], Response]]] = {
    Answer.LOST: LostAnswer,
    Answer.HTML_502: lambda: HTMLResponse(_BAD_GATEWAY, 502),
    Answer.EMPTY_500: lambda: Response(status_code=500),
    Answer.EMPTY_503: lambda: Response(status_code=503),
}
_MPESA: Final[dict[Answer, Callable[[], Response]]] = {
    Answer.INTERNAL_ERROR: lambda: mpesa_error(500, "500.003.1001", "Internal Server Error"),
    Answer.TOKEN_DEAD: invalid_mpesa_token,
    Answer.WRONG_KEYS: lambda: Response(status_code=400),
    Answer.BEING_PROCESSED: lambda: mpesa_error(500, "500.001.1001", "The transaction is being processed"),
    Answer.DOES_NOT_EXIST: does_not_exist,
    Answer.LOCK: subscriber_locked,
    Answer.WRONG_CREDENTIALS: lambda: mpesa_error(500, "500.001.1001", "Wrong credentials"),
    Answer.MERCHANT_MISSING: lambda: mpesa_error(500, "500.001.1001", "Merchant does not exist"),
    Answer.BUSY: lambda: mpesa_error(500, "500.003.02", "System is busy. Please try again in few minutes."),
    Answer.SPIKE_ARREST: lambda: mpesa_error(500, "500.003.02", "Error Occurred: Spike Arrest Violation"),
    Answer.SPIKE_ARREST_FAULT: _spike_fault,
    Answer.QUOTA: lambda: mpesa_error(500, "500.003.03", "Error Occurred: Quota Violation"),
    Answer.NO_PRODUCT: lambda: mpesa_error(401, "401.003.01", "Error Occurred - Invalid API call as no apiproduct match found"),
    Answer.REFUSED: lambda: JSONResponse({"ResponseCode": "1", "ResponseDescription": "Rejected", "CustomerMessage": ""}),
}
_PHONEPE: Final[dict[Answer, Callable[[], Response]]] = {
    Answer.INTERNAL_ERROR: lambda: phonepe_error(
        500,
        "INTERNAL_SERVER_ERROR",
        "There is an error trying to process your transaction at the moment. Please try again in a while.",
    ),
    Answer.TOKEN_DEAD: invalid_phonepe_token,
    Answer.WRONG_KEYS: invalid_client,
    Answer.DUPLICATE_ORDER: duplicate_order,
    Answer.RATE_LIMIT: lambda: phonepe_error(429, "TOO_MANY_REQUESTS", "Too many requests."),
    Answer.NOT_FOUND: order_not_found,
}


# Made by the routes themselves, which know what the truth is.
_BY_ROUTES: Final = frozenset({Answer.RESULT, Answer.PENDING})


def is_answer_of(gateway: GatewayWord, answer: Answer) -> bool:
    """Whether that gateway can answer so."""
    return answer in _ANYWHERE or answer in _BY_ROUTES or answer in (_MPESA if gateway == MPESA else _PHONEPE)


def fault_response(fault: Fault, facts: Facts) -> Response:
    """The answer that `fault` asks for; ValueError when that gateway never answers so."""
    if fault.answer is None:
        raise ValueError("a rule without an answer has no response of its own")
    gateways = _MPESA if facts.gateway == MPESA else _PHONEPE
    make = _ANYWHERE.get(fault.answer) or gateways.get(fault.answer)
    if make is None:
        raise ValueError(f"{facts.gateway} never answers {fault.answer}")
    return make()
