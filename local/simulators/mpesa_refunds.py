"""Daraja's reversal and transaction status: an acknowledgement now, the result later to the merchant's ResultURL.

What Daraja does not document is inferred: several partial reversals are honoured up to what was captured, then `R000001`; a
receipt that does not exist makes a transaction status result with code 2032.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulators.faults import invalid_field, invalid_mpesa_token
from local.simulators.ids import amount_text, conversation_id, merchant_request_id
from local.simulators.ledger import TooMuchError
from local.simulators.log import say
from local.simulators.mpesa import SHORTCODE, callback_url_refused
from local.simulators.mpesa_bodies import accepted, transaction_status_result
from local.simulators.records import MPESA, Attempt, Notice, Refund
from local.simulators.refunds import refund_plan
from local.simulators.rules import Call, Ending
from local.simulators.scripts import Facts
from local.simulators.simulator import Served, bearer, json_object, whole_number

_RECEIPT: Final = re.compile(r"[A-Z0-9]{10}")
_REMARKS: Final = range(2, 101)
Work = Callable[[dict[str, Any], Ending | None], Response]


class MpesaRefunds(Served):
    """The asynchronous routes under `/mpesa`."""

    def routes(self) -> list[Route]:
        return [
            Route("/mpesa/reversal/v1/request", self.reversal, methods=["POST"]),
            Route("/mpesa/transactionstatus/v1/query", self.transaction_status, methods=["POST"]),
        ]

    async def reversal(self, request: Request) -> Response:
        """`POST /mpesa/reversal/v1/request`: pays back what a receipt was given for."""
        return await self._served(request, "reversal", self._reverse)

    async def transaction_status(self, request: Request) -> Response:
        """`POST /mpesa/transactionstatus/v1/query`: finds by TransactionID or OriginalConversationID."""
        return await self._served(request, "transactionstatus", self._look_up)

    async def _served(self, request: Request, call: Call, act: Work) -> Response:
        simulator, token = self._simulator, bearer(request, "Bearer")
        body = await json_object(request) or {}
        shillings = whole_number(body.get("Amount"))
        facts = Facts(
            MPESA,
            call,
            ref=str(body.get("TransactionID") or ""),
            amount=None if shillings is None else shillings * 100,
        )
        if not simulator.token_lives(MPESA, token):
            return invalid_mpesa_token()
        fault, ending = simulator.scripts.take(facts)

        async def work() -> Response:
            refused = self._refusal(body, call)
            if refused is not None:
                say(MPESA, f"{call} refused: {refused} is wrong")
                return invalid_field(refused)
            return act(body, ending)

        return await simulator.answer(facts, token, work, fault)

    def _refusal(self, body: dict[str, Any], call: Call) -> str | None:
        """The first field that Daraja would not take."""
        shillings = whole_number(body.get("Amount"))
        by_number = bool(_RECEIPT.fullmatch(str(body.get("TransactionID", ""))))
        checks = [(name, not body.get(name)) for name in ("Initiator", "SecurityCredential")]
        if call == "reversal":
            checks += [
                ("CommandID", body.get("CommandID") != "TransactionReversal"),
                ("TransactionID", not by_number),
                ("Amount", shillings is None or shillings < 1),
                ("ReceiverParty", not SHORTCODE.fullmatch(str(body.get("ReceiverParty", "")))),
                ("RecieverIdentifierType", str(body.get("RecieverIdentifierType")) != "11"),
            ]
        if call == "transactionstatus":
            checks += [
                ("CommandID", body.get("CommandID") != "TransactionStatusQuery"),
                ("TransactionID", not by_number and not body.get("OriginalConversationID")),
                ("PartyA", not SHORTCODE.fullmatch(str(body.get("PartyA", "")))),
                ("IdentifierType", str(body.get("IdentifierType")) != "4"),
            ]
        remarks = body.get("Remarks")
        checks += [
            ("ResultURL", callback_url_refused(body.get("ResultURL"))),
            ("QueueTimeOutURL", callback_url_refused(body.get("QueueTimeOutURL"))),
            ("Remarks", not isinstance(remarks, str) or len(remarks) not in _REMARKS),
        ]
        return next((name for name, wrong in checks if wrong), None)

    def _asked(self, body: dict[str, Any], ending: Ending | None, original: Attempt | None) -> Refund:
        simulator, now = self._simulator, self._simulator.timers.now()
        return Refund(
            gateway=MPESA,
            kind="reversal",
            ref=merchant_request_id(simulator.draw),
            conversation_id=conversation_id(simulator.draw, now),
            original_ref=original.ref if original is not None else "",
            original_receipt=str(body["TransactionID"]),
            amount=(whole_number(body["Amount"]) or 0) * 100,
            result_url=str(body["ResultURL"]),
            created_at=now,
            plan=refund_plan(ending, simulator.settings.refund_after_s),
        )

    def _acknowledged(self, refund: Refund) -> Response:
        say(MPESA, f"reversal of {amount_text(refund.amount)} KES accepted")
        response = JSONResponse(accepted(refund.ref, refund.conversation_id))
        response.background = BackgroundTask(self._simulator.follow_refund, refund)
        return response

    def _reverse(self, body: dict[str, Any], ending: Ending | None) -> Response:
        ledger = self._simulator.ledger
        original = ledger.attempt_by_receipt(MPESA, str(body["TransactionID"]))
        if original is None:
            return self._doomed(self._asked(body, ending, None), "R000002")
        try:
            return self._acknowledged(ledger.open_refund(self._asked(body, ending, original), captured=original.amount))
        except TooMuchError:
            return self._doomed(self._asked(body, ending, None), "R000001")

    def _doomed(self, refund: Refund, code: str) -> Response:
        """Accept what can only fail: Daraja tells the reason in the result."""
        return self._acknowledged(self._simulator.ledger.open_refund(refund.failing(code), captured=None))

    def _look_up(self, body: dict[str, Any], _: Ending | None) -> Response:
        simulator, now = self._simulator, self._simulator.timers.now()
        receipt, conversation = str(body.get("TransactionID") or ""), str(body.get("OriginalConversationID") or "")
        found = simulator.ledger.attempt_by_receipt(MPESA, receipt) or next(
            (
                refund
                for refund in simulator.ledger.all_refunds()
                if refund.gateway == MPESA
                and ((receipt and refund.receipt == receipt) or conversation in (refund.ref, refund.conversation_id))
            ),
            None,
        )
        own_id, originator_id = conversation_id(simulator.draw, now), merchant_request_id(simulator.draw)
        merchant = str(body["PartyA"])
        notice = Notice(
            gateway=MPESA,
            ref=originator_id,
            kind="transactionstatus",
            merchant=merchant,
            url=str(body["ResultURL"]),
            forged_header=False,
            body=transaction_status_result(
                found, merchant, originator_id=originator_id, own_id=own_id, occasion=str(body.get("Occasion", ""))
            ),
            due_at=now + simulator.settings.refund_after_s,
        )
        say(MPESA, "transaction status asked for: " + ("found" if found else "no such transaction"))
        response = JSONResponse(accepted(originator_id, own_id))
        response.background = BackgroundTask(simulator.send, simulator.ledger.add_notices([notice]))
        return response
