"""What people see: the customer's phones at `/`, and PhonePe's pay page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from local.simulators.ledger import AlreadyDecidedError
from local.simulators.markup import message_page, pay_page, phones_page
from local.simulators.outcomes import Outcome, State
from local.simulators.records import Attempt
from local.simulators.rules import Ending
from local.simulators.simulator import Served, form


class Pages(Served):
    """The pages' routes."""

    def phone_routes(self) -> list[Route]:
        return [
            Route("/", self.phones, methods=["GET"]),
            Route("/answer", self.answer_prompt, methods=["POST"]),
        ]

    def pay_page_routes(self) -> list[Route]:
        return [
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

    async def pay_page(self, request: Request) -> Response:
        attempt = self._simulator.ledger.attempt_by_page(request.path_params["page_token"])
        if attempt is None:
            return HTMLResponse(message_page("There is no such order."), 404)
        return HTMLResponse(pay_page(attempt))

    async def answer_page(self, request: Request) -> Response:
        attempt = self._simulator.ledger.attempt_by_page(request.path_params["page_token"])
        if attempt is None:
            return HTMLResponse(message_page("There is no such order."), 404)
        refused = self._decide(attempt, (await form(request)).get("outcome", ""))
        back = attempt.redirect_url or str(request.url)
        return refused or RedirectResponse(back, 303)
