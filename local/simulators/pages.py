"""What people see: the customer's phones at `/`, and PhonePe's pay page."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from local.simulators.ledger import AlreadyDecidedError
from local.simulators.markup import message_page, over_page, pay_page, phones_page
from local.simulators.outcomes import Outcome, State
from local.simulators.records import Attempt
from local.simulators.rules import Ending
from local.simulators.simulator import Served, form

CHECKOUT_SCRIPT: Final = Path(__file__).with_name("templates") / "checkout.js"


class Pages(Served):
    """The pages' routes."""

    def phone_routes(self) -> list[Route]:
        return [
            Route("/", self.phones, methods=["GET"]),
            Route("/answer", self.answer_prompt, methods=["POST"]),
        ]

    def pay_page_routes(self) -> list[Route]:
        return [
            Route("/checkout.js", self.checkout_script, methods=["GET"]),
            Route("/pay/{page_token}", self.pay_page, methods=["GET"]),
            Route("/pay/{page_token}", self.answer_page, methods=["POST"]),
        ]

    async def phones(self, _: Request) -> Response:
        ledger = self._simulator.ledger
        history = [a for a in ledger.attempts(limit=40) if a.state is not State.PENDING][:12]
        return HTMLResponse(phones_page(ledger.attempts(state=State.PENDING, limit=60), history))

    def _decide(self, attempt: Attempt, word: str) -> Response | None:
        if word not in set(Outcome):
            return HTMLResponse(message_page("This page does not know that button."), 400)
        try:
            self._simulator.cashier.decide(attempt, Ending(outcome=Outcome(word)))
        except AlreadyDecidedError:
            # The page was older than the decision; going on shows what was decided.
            return None
        return None

    async def answer_prompt(self, request: Request) -> Response:
        sent = await form(request)
        attempt = self._simulator.ledger.attempt(sent.get("gateway", ""), sent.get("ref", ""))
        if attempt is None:
            return HTMLResponse(message_page("There is no such payment."), 404)
        return self._decide(attempt, sent.get("outcome", "")) or RedirectResponse("/", 303)

    async def checkout_script(self, _: Request) -> Response:
        return FileResponse(CHECKOUT_SCRIPT, media_type="text/javascript")

    async def pay_page(self, request: Request) -> Response:
        attempt = self._simulator.ledger.attempt_by_page(request.path_params["page_token"])
        if attempt is None:
            return HTMLResponse(message_page("There is no such order."), 404)
        return HTMLResponse(pay_page(attempt, framed="framed" in request.query_params))

    async def answer_page(self, request: Request) -> Response:
        attempt = self._simulator.ledger.attempt_by_page(request.path_params["page_token"])
        if attempt is None:
            return HTMLResponse(message_page("There is no such order."), 404)
        sent, framed = await form(request), "framed" in request.query_params
        if framed and "close" in sent:
            return HTMLResponse(over_page("USER_CANCEL"))
        refused = self._decide(attempt, sent.get("outcome", ""))
        if framed:
            return refused or HTMLResponse(over_page("CONCLUDED"))
        return refused or RedirectResponse(attempt.redirect_url or str(request.url), 303)
