"""PhonePe's refund and refund status."""

from __future__ import annotations

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulators.faults import (
    bad_request,
    invalid_phonepe_token,
    order_not_found,
    refund_not_found,
    refund_used_before,
)
from local.simulators.ids import amount_text, phonepe_id
from local.simulators.ledger import DuplicateReferenceError, TooMuchError
from local.simulators.log import say
from local.simulators.outcomes import State
from local.simulators.phonepe import ORDER_ID
from local.simulators.phonepe_bodies import refund_status
from local.simulators.records import PHONEPE, Attempt, Refund
from local.simulators.refunds import refund_plan
from local.simulators.rules import Answer, Ending
from local.simulators.scripts import Facts
from local.simulators.simulator import Served, Simulator, bearer, json_object

_OPEN = frozenset({State.PENDING, State.CONFIRMED})


def opened_refund(
    simulator: Simulator, attempt: Attempt, ref: str, amount: int, *, prefix: str, result_url: str, ending: Ending | None
) -> Refund:
    """A new refund of `attempt`; its id at PhonePe begins with `prefix`.

    DuplicateReferenceError when `ref` was used, whatever else is wrong: who repeats a refund has to be told of it. TooMuchError
    while nothing was captured or another refund is open, and for more than was captured.
    """
    ledger, now = simulator.ledger, simulator.timers.now()
    if ledger.refund(PHONEPE, ref) is not None:
        raise DuplicateReferenceError(ref)
    is_open = any(earlier.state in _OPEN for earlier in ledger.refunds(PHONEPE, attempt.ref))
    asked = Refund(
        gateway=PHONEPE,
        kind="refund",
        ref=ref,
        conversation_id=phonepe_id(prefix, simulator.draw, now),
        original_ref=attempt.ref,
        original_receipt=attempt.receipt or "",
        amount=amount,
        result_url=result_url,
        created_at=now,
        plan=refund_plan(ending, simulator.settings.refund_after_s),
    )
    try:
        refund = ledger.open_refund(asked, captured=0 if is_open or attempt.state is not State.COMPLETED else attempt.amount)
    except TooMuchError:
        say(PHONEPE, f"refund of {attempt.ref} refused: it is {attempt.state.value}, a refund is open, or it is too much")
        raise
    say(PHONEPE, f"refund {refund.ref} of {amount_text(amount)} INR accepted")
    return refund


class PhonePeRefunds(Served):
    """The refund routes under `/phonepe`."""

    def routes(self) -> list[Route]:
        return [
            Route("/payments/v2/refund", self.refund, methods=["POST"]),
            Route("/payments/v2/refund/{refund_id}/status", self.status, methods=["GET"]),
        ]

    async def refund(self, request: Request) -> Response:
        """`POST /payments/v2/refund`: all refunds of an order together give back at most what it captured.

        A second refund while one is open and a merchantRefundId that was used are refused.
        """
        simulator, token = self._simulator, bearer(request, "O-Bearer")
        body = await json_object(request) or {}
        refund_id, order_id = str(body.get("merchantRefundId", "")), str(body.get("originalMerchantOrderId", ""))
        amount = body.get("amount")
        facts = Facts(PHONEPE, "refund", ref=order_id, amount=amount if type(amount) is int else None)
        if not simulator.token_lives(PHONEPE, token):
            return invalid_phonepe_token()
        fault, ending = simulator.scripts.take(facts)

        async def work() -> Response:
            if not ORDER_ID.fullmatch(refund_id) or type(amount) is not int or amount < 1:
                return bad_request()
            attempt = simulator.ledger.attempt(PHONEPE, order_id)
            if attempt is None:
                return order_not_found()
            return self._open(attempt, refund_id, amount, ending)

        return await simulator.answer(facts, token, work, fault)

    def _open(self, attempt: Attempt, refund_id: str, amount: int, ending: Ending | None) -> Response:
        simulator = self._simulator
        url = simulator.settings.phonepe_webhook_url or ""
        try:
            refund = opened_refund(simulator, attempt, refund_id, amount, prefix="OMR", result_url=url, ending=ending)
        except DuplicateReferenceError:
            return refund_used_before()
        except TooMuchError:
            return bad_request()
        return JSONResponse(
            {"refundId": refund.conversation_id, "amount": refund.amount, "state": refund.state.value},
            background=BackgroundTask(simulator.follow_refund, refund),
        )

    async def status(self, request: Request) -> Response:
        """`GET /payments/v2/refund/{merchantRefundId}/status`."""
        simulator, token = self._simulator, bearer(request, "O-Bearer")
        refund = simulator.ledger.refund(PHONEPE, request.path_params["refund_id"])
        facts = Facts(PHONEPE, "refund_status", ref=request.path_params["refund_id"])
        if not simulator.token_lives(PHONEPE, token):
            return invalid_phonepe_token()
        fault, _ = simulator.scripts.take(facts)
        hide_end = fault is not None and fault.answer is Answer.PENDING
        if fault is not None and hide_end:
            fault = fault.told_truly()

        async def work() -> Response:
            if refund is None:
                return refund_not_found()
            return JSONResponse(refund_status(refund, simulator.settings.phonepe_merchant_id, hide_end=hide_end))

        return await simulator.answer(facts, token, work, fault)
