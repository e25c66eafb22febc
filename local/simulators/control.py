"""The routes under `/control`: what the gateways have seen, decisions, rules, and the books for reconciliation."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local.simulators import rules
from local.simulators.faults import is_answer_of
from local.simulators.ids import amount_text, masked_phone, masked_ref
from local.simulators.ledger import AlreadyDecidedError
from local.simulators.log import say
from local.simulators.outcomes import Outcome, State
from local.simulators.records import MPESA, PHONEPE, Attempt, Refund
from local.simulators.rules import Ending, GatewayWord, NoticeIn, Rule
from local.simulators.simulator import Served

_HELP: Final = """The simulators' controls (JSON in and out):

GET  /control/attempts                what the gateways have seen, newest first (?gateway= ?state= ?limit=)
GET  /control/ledger                  captured money with its refunds, in minor units
GET  /control/notices                 every notice and how it was answered, newest first (?limit=)
POST /control/mpesa/{ref}             {"outcome": "pay", "notices": 1, "delay_s": 0, "after_s": 0} decides a prompt
POST /control/phonepe/{ref}           the same for an order
POST /control/{gateway}/{ref}/notice  {"kind": "true", "after_s": 0} sends one more notice, true or forged, and decides nothing
POST /control/refunds/{ref}           {"outcome": "pay" | "fail"} ends a refund or reversal that is open
POST /control/auto                    {"outcome": "pay", "after_s": 0, ...} for all new payments; {"outcome": null} ends it
POST /control/script                  one rule, see below
GET  /control/script                  the rules in force and how often each was used
DELETE /control/script                forgets the rules
POST /control/tokens/kill             {"gateway": "mpesa"} makes all its access tokens invalid; without gateway those of both
POST /control/clock                   {"advance_s": 600} moves the simulators' clock forward
POST /control/reset                   empties the ledger, forgets rules and the automatic outcome

"""


_Body = TypeVar("_Body", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _RefundEnd(_Strict):
    outcome: Literal["pay", "fail"]


class _Tokens(_Strict):
    gateway: GatewayWord | None = None


class _Advance(_Strict):
    advance_s: float = Field(gt=0, le=31_536_000)


class BadBodyError(Exception):
    """A control request that cannot be understood; the text names the field."""


async def read(request: Request, model: type[_Body]) -> _Body:
    """The body as `model`; BadBodyError names the first field that is wrong."""
    try:
        return model.model_validate_json(await request.body() or b"{}")
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadBodyError(f"{where}: {first['msg']}") from exc


def refused(status: int, message: str) -> JSONResponse:
    """A control request that does nothing, and why."""
    return JSONResponse({"error": message}, status)


async def bad_body(_: Request, exc: Exception) -> Response:
    """400 for BadBodyError."""
    return refused(400, str(exc))


def attempt_view(attempt: Attempt, base_url: str) -> dict[str, Any]:
    """One payment for `GET /control/attempts`."""
    return {
        "gateway": attempt.gateway,
        "ref": attempt.ref,
        "amount": amount_text(attempt.amount),
        "currency": attempt.currency,
        "state": attempt.state.value,
        "outcome": attempt.outcome or ("pending" if attempt.working else None),
        "receipt": attempt.receipt,
        "callback_url": attempt.callback_url or None,
        "gateway_id": attempt.gateway_id,
        "phone": masked_phone(attempt.phone) if attempt.phone else None,
        "label": attempt.label,
        "page_url": f"{base_url.rstrip('/')}/phonepe/pay/{attempt.page_token}" if attempt.page_token else None,
        "created_at": attempt.created_at,
        "decided_at": attempt.decided_at,
    }


def refund_view(refund: Refund) -> dict[str, Any]:
    """One refund or reversal; `amount` is minor units."""
    return {
        "kind": refund.kind,
        "ref": refund.ref,
        "gateway_id": refund.conversation_id,
        "amount": refund.amount,
        "state": refund.state.value,
        "receipt": refund.receipt,
    }


class Control(Served):
    """The routes under `/control`."""

    def routes(self) -> list[Route]:
        return [
            Route("/", self.help, methods=["GET"]),
            Route("/attempts", self.attempts, methods=["GET"]),
            Route("/ledger", self.ledger, methods=["GET"]),
            Route("/notices", self.notices, methods=["GET"]),
            Route("/refunds/{ref}", self.end_refund, methods=["POST"]),
            Route("/auto", self.auto, methods=["POST"]),
            Route("/script", self.script, methods=["GET", "POST", "DELETE"]),
            Route("/tokens/kill", self.kill_tokens, methods=["POST"]),
            Route("/clock", self.clock, methods=["POST"]),
            Route("/reset", self.reset, methods=["POST"]),
            Route("/{gateway}/{ref}", self.decide, methods=["POST"]),
            Route("/{gateway}/{ref}/notice", self.extra_notice, methods=["POST"]),
        ]

    async def help(self, _: Request) -> Response:
        return PlainTextResponse(_HELP + (rules.__doc__ or ""))

    async def attempts(self, request: Request) -> Response:
        wanted, limit = request.query_params, request.query_params.get("limit", "-1")
        if wanted.get("state") not in (None, *State):
            return refused(400, f"state: one of {', '.join(State)}")
        if not limit.removeprefix("-").isdigit():
            return refused(400, "limit: a whole number")
        state = State(wanted["state"]) if "state" in wanted else None
        found = self._simulator.ledger.attempts(state=state, limit=int(limit))
        gateway = wanted.get("gateway")
        base_url = str(request.base_url)
        return JSONResponse([attempt_view(a, base_url) for a in found if gateway in (None, a.gateway)])

    async def ledger(self, _: Request) -> Response:
        book = []
        for attempt in self._simulator.ledger.attempts(state=State.COMPLETED):
            refunds = self._simulator.ledger.refunds(attempt.gateway, attempt.ref)
            book.append(
                {
                    "gateway": attempt.gateway,
                    "ref": attempt.ref,
                    "shown": masked_ref(attempt.ref),
                    "gateway_id": attempt.gateway_id,
                    "callback_url": attempt.callback_url,
                    "amount": attempt.amount,
                    "currency": attempt.currency,
                    "receipt": attempt.receipt,
                    "refunded": sum(r.amount for r in refunds if r.state is State.COMPLETED),
                    "refunds": [refund_view(r) for r in refunds],
                }
            )
        return JSONResponse(book)

    async def notices(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "-1")
        if not limit.removeprefix("-").isdigit():
            return refused(400, "limit: a whole number")
        return JSONResponse(
            [
                {
                    "gateway": n.gateway,
                    "ref": n.ref,
                    "kind": n.kind,
                    "state": n.state,
                    "tries": n.tries,
                    "http_status": n.http_status,
                    "due_at": n.due_at,
                }
                for n in self._simulator.ledger.notices(limit=int(limit))
            ]
        )

    async def decide(self, request: Request) -> Response:
        ending = await read(request, Ending)
        attempt = self._simulator.ledger.attempt(request.path_params["gateway"], request.path_params["ref"])
        if attempt is None:
            return refused(404, "no such payment")
        if ending.early:
            return refused(400, "early: the request was answered long ago; only a rule can send a notice before that")
        if attempt.gateway == MPESA and ending.outcome is Outcome.PENDING and ending.notice_list():
            return refused(400, "notices: M-Pesa sends none for a prompt that is still open")
        try:
            if ending.after_s:
                self._simulator.cashier.plan(attempt, ending)
            else:
                attempt, _ = self._simulator.cashier.decide(attempt, ending)
        except AlreadyDecidedError:
            return refused(409, "this payment has been decided; nothing was changed")
        return JSONResponse(attempt_view(attempt, str(request.base_url)))

    async def extra_notice(self, request: Request) -> Response:
        notice = await read(request, NoticeIn)
        attempt = self._simulator.ledger.attempt(request.path_params["gateway"], request.path_params["ref"])
        if attempt is None:
            return refused(404, "no such payment")
        if notice.kind is rules.Kind.TRUE and attempt.gateway == MPESA and attempt.state is State.PENDING:
            return refused(409, "there is nothing true to tell yet: the prompt is open")
        if not attempt.callback_url:
            return refused(409, "there is no address to send it to: the simulators were started without a webhook URL")
        stored = self._simulator.ledger.add_notices(self._simulator.cashier.notices_for(attempt, [notice]))
        self._simulator.courier.schedule(stored)
        return JSONResponse({"notices": len(stored)})

    async def end_refund(self, request: Request) -> Response:
        wanted = await read(request, _RefundEnd)
        ref = request.path_params["ref"]
        refund = self._simulator.ledger.refund(PHONEPE, ref) or self._simulator.ledger.refund(MPESA, ref)
        if refund is None:
            return refused(404, "no such refund")
        try:
            ended = self._simulator.refunds.end(refund, Ending(outcome=Outcome(wanted.outcome)))
        except AlreadyDecidedError:
            return refused(409, "this refund has ended; nothing was changed")
        return JSONResponse(refund_view(ended))

    async def auto(self, request: Request) -> Response:
        body = await request.body()
        if b"".join(body.split()) == b'{"outcome":null}':
            self._simulator.ledger.set_knob("auto", "null")
            say("control", "new payments stay open")
            return JSONResponse({"outcome": None})
        ending = await read(request, Ending)
        self._simulator.ledger.set_knob("auto", ending.model_dump_json())
        say("control", f"new payments end by themselves: {ending.outcome} after {ending.after_s:g} s")
        return JSONResponse(ending.model_dump(mode="json"))

    async def script(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._simulator.scripts.clear()
            return JSONResponse([])
        if request.method == "POST":
            rule = await read(request, Rule)
            for gateway in rule.gateways():
                if rule.answer is not None and not is_answer_of(gateway, rule.answer):
                    return refused(400, f"answer: {gateway} never answers {rule.answer}")
            self._simulator.scripts.add(rule)
            say("control", f"rule added for {rule.gateway or 'both gateways'}, {rule.call or 'every call'}")
        return JSONResponse(self._simulator.scripts.listed())

    async def kill_tokens(self, request: Request) -> Response:
        wanted = await read(request, _Tokens)
        killed = self._simulator.ledger.kill_tokens(wanted.gateway)
        say("control", f"{killed} access tokens killed")
        return JSONResponse({"killed": killed})

    async def clock(self, request: Request) -> Response:
        wanted = await read(request, _Advance)
        offset = self._simulator.timers.advance(wanted.advance_s)
        self._simulator.ledger.set_knob("clock_offset_s", repr(offset))
        say("control", f"the clock moved {wanted.advance_s:g} s forward")
        return JSONResponse({"offset_s": offset})

    async def reset(self, _: Request) -> Response:
        self._simulator.timers.forget_all()
        self._simulator.ledger.empty()
        self._simulator.scripts.clear()
        self._simulator.ledger.set_knob("auto", "null")
        say("control", "everything forgotten")
        return JSONResponse({"attempts": 0})
