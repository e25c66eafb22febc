"""Every gateway's notices: no user, no listing of anything; verified, stored, settled, answered in the gateway's own format."""

from __future__ import annotations

import time
from collections.abc import Callable

from payfirst.api.app import build_app
from payfirst.api.errors import NoSuchRouteError, Reply, UnauthorizedError
from payfirst.api.request import Request
from payfirst.api.resources import ANSWER_NOTICES_IN_S, desk, phonepe_credentials
from payfirst.api.sources import comes_from
from payfirst.domain.clock import Deadline
from payfirst.observability import note, warn
from payfirst.settings import settings
from payfirst.usecases.take_notice import Desk, Taken, take_phonepe_notice, take_stk_notice, take_untrusted_stk_notice
from payfirst.usecases.take_result import take_result_notice

ACCEPTED = {"status": "success", "message": "Callback received", "ResultCode": 0, "ResultDesc": "Accepted"}
"""M-Pesa's answer, the same whatever was known, so that nothing can be probed."""


def _desk(request: Request) -> Desk:
    """A gateway waits a few seconds, so a notice has less time than the function."""
    ends = time.monotonic() + ANSWER_NOTICES_IN_S
    return desk(request.now, Deadline(lambda: min(ends - time.monotonic(), request.deadline.remaining())))


def _from_mpesa(take: Callable[..., Reply]) -> Callable[..., Reply]:
    """`take`, but what comes from elsewhere than M-Pesa's networks is answered alike and not looked at."""

    def taken(request: Request, **parameters: str) -> Reply:
        if comes_from(request, settings().mpesa_notice_sources):
            return take(request, **parameters)
        warn("notice.refused", why="source", gateway="MPESA")
        return Reply(200, ACCEPTED)

    return taken


def stk(request: Request, token: str) -> Reply:
    """`POST /cb/stk/{token}`: the address that only M-Pesa knows."""
    taken = take_stk_notice(_desk(request), token, request.notice)
    note("notice.taken", gateway="MPESA", taken=taken)
    return Reply(200, ACCEPTED)


def refund_result(request: Request, token: str) -> Reply:
    """`POST /cb/result/{token}`: what became of a reversal."""
    taken = take_result_notice(_desk(request), token, request.notice)
    note("notice.taken", gateway="MPESA", taken=taken, about="refund")
    return Reply(200, ACCEPTED)


def refund_timeout(request: Request, token: str) -> Reply:  # noqa: ARG001 - the sweep asks, whatever this says
    """`POST /cb/late/{token}`: M-Pesa has given up waiting for itself; the refund stays under way and is asked about."""
    note("notice.taken", gateway="MPESA", taken=Taken.ASKED, about="refund")
    return Reply(200, ACCEPTED)


def mpesa_callback(request: Request) -> Reply:
    """`POST /api/payments/transactions/mpesa_callback/`: anybody can post here, so M-Pesa is asked."""
    taken = take_untrusted_stk_notice(_desk(request), request.notice)
    note("notice.taken", gateway="MPESA", taken=taken, trusted=False)
    return Reply(200, ACCEPTED)


def gateway_notice(request: Request, gateway: str) -> Reply:
    """`POST /api/payments/webhook/{gateway}/`"""
    if gateway.lower() != "phonepe":
        raise NoSuchRouteError("There is no such gateway.")
    if not comes_from(request, settings().phonepe_notice_sources):
        warn("notice.refused", why="source", gateway="PHONEPE")
        raise UnauthorizedError("The notice is not authentic.")
    credentials = phonepe_credentials()
    taken = take_phonepe_notice(_desk(request), request.header(credentials.notice_header), request.notice, credentials)
    note("notice.taken", gateway="PHONEPE", taken=taken)
    if taken is Taken.REFUSED:
        raise UnauthorizedError("The notice is not authentic.")
    return Reply(200, {"success": True, "message": "Notice received"})


handler = build_app(
    "webhook",
    {
        "stk_callback": _from_mpesa(stk),
        "refund_result": _from_mpesa(refund_result),
        "refund_timeout": _from_mpesa(refund_timeout),
        "mpesa_callback": _from_mpesa(mpesa_callback),
        "gateway_notice": gateway_notice,
    },
)
