"""Every gateway's notices: no user, no listing of anything; verified, stored, settled, answered in the gateway's own format."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from payfirst.api.app import build_app
from payfirst.api.errors import NoSuchRouteError, Reply, UnauthorizedError
from payfirst.api.request import Request
from payfirst.api.resources import ANSWER_NOTICES_IN_S, credentials, notice_context
from payfirst.api.sources import comes_from
from payfirst.domain.clock import Deadline
from payfirst.gateways.registry import GATEWAYS, declaration_of
from payfirst.observability import note, warn
from payfirst.usecases.context import NoticeContext
from payfirst.usecases.refunds.take_result import take_result_notice
from payfirst.usecases.settlement.take_notice import Taken, take_callback, take_signed_notice, take_untrusted_callback

if TYPE_CHECKING:
    from payfirst.gateways.base import Recogniser

ACCEPTED: Final = {"status": "success", "message": "Callback received", "ResultCode": 0, "ResultDesc": "Accepted"}
"""The answer on every address that document B prints or a gateway is given, the same whatever was known: nothing can be
probed."""

DOCUMENTED: Final = "MPESA"
"""Whose notices document B prints a guessable address for."""


def _context(request: Request) -> NoticeContext:
    """A gateway waits a few seconds, so a notice has less time than the function."""
    ends = time.monotonic() + ANSWER_NOTICES_IN_S
    deadline = Deadline(lambda: min(ends - time.monotonic(), request.deadline.remaining()))
    return notice_context(request.now, deadline, hasty=True, sent_by=lambda name: _is_sent_by(request, name))


def _is_sent_by(request: Request, name: str) -> bool:
    return comes_from(request, declaration_of(name).notice_sources())


def _by_address(take: Callable[..., Reply]) -> Callable[..., Reply]:
    """`take`, but what comes from none of the networks of gateways that prove notices by their address is answered alike and
    not looked at. Which gateway's notice it is only its address tells, so its own networks are compared once that is read.
    """

    def taken(request: Request, **parameters: str) -> Reply:
        if any(_is_sent_by(request, each.terms.name) for each in GATEWAYS if not each.terms.signs_notices):
            return take(request, **parameters)
        warn("notice.refused", why="source")
        return Reply(200, ACCEPTED)

    return taken


def stk(request: Request, token: str) -> Reply:
    """`POST /cb/stk/{token}`: the address that only the attempt's gateway knows."""
    taken = take_callback(_context(request), token, request.notice)
    note("notice.taken", taken=taken, about="payment")
    return Reply(200, ACCEPTED)


def refund_result(request: Request, token: str) -> Reply:
    """`POST /cb/result/{token}`: what became of a refund."""
    taken = take_result_notice(_context(request), token, request.notice)
    note("notice.taken", taken=taken, about="refund")
    return Reply(200, ACCEPTED)


def refund_timeout(request: Request, token: str) -> Reply:  # noqa: ARG001 - the sweep asks, whatever this says
    """`POST /cb/late/{token}`: the gateway has given up waiting for itself; the refund stays under way and is asked about."""
    note("notice.taken", taken=Taken.ASKED, about="refund")
    return Reply(200, ACCEPTED)


def mpesa_callback(request: Request) -> Reply:
    """`POST /api/payments/transactions/mpesa_callback/`: anybody can post here, so the gateway is asked."""
    taken = take_untrusted_callback(_context(request), DOCUMENTED, request.notice)
    note("notice.taken", gateway=DOCUMENTED, taken=taken, trusted=False)
    return Reply(200, ACCEPTED)


def gateway_notice(request: Request, gateway: str) -> Reply:
    """`POST /api/payments/webhook/{gateway}/`"""
    name = gateway.upper()
    if not any(each.terms.name == name and each.terms.signs_notices for each in GATEWAYS):
        raise NoSuchRouteError("There is no such gateway.")
    if not _is_sent_by(request, name):
        warn("notice.refused", why="source", gateway=name)
        raise UnauthorizedError("The notice is not authentic.")
    account = cast("Recogniser", credentials(name))
    taken = take_signed_notice(_context(request), name, request.header(account.notice_header), request.notice, account)
    note("notice.taken", gateway=name, taken=taken)
    if taken is Taken.REFUSED:
        raise UnauthorizedError("The notice is not authentic.")
    return Reply(200, {"success": True, "message": "Notice received"})


handler = build_app(
    "webhook",
    {
        "stk_callback": _by_address(stk),
        "refund_result": _by_address(refund_result),
        "refund_timeout": _by_address(refund_timeout),
        "mpesa_callback": _by_address(mpesa_callback),
        "gateway_notice": gateway_notice,
    },
)
