"""Carries notices to merchants from background threads, with the manners of each gateway.

M-Pesa tries once and never again, whatever the answer. PhonePe tries again, after growing pauses, until it gets a 2xx. Neither
follows redirects or goes through a proxy.
"""

from __future__ import annotations

import hashlib
import http.client
import ssl
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from local.simulators.ids import masked_ref
from local.simulators.ledger import Ledger
from local.simulators.log import say
from local.simulators.phonepe_v1_bodies import checksum, content_of
from local.simulators.records import MPESA, PHONEPE, Notice
from local.simulators.settings import Settings
from local.simulators.timers import Timers

_WORKERS: Final = 24
_OK: Final = range(200, 300)


def webhook_authorization(username: str, password: str) -> str:
    """What PhonePe puts into `Authorization`: the SHA-256 of `username:password` in hex."""
    return hashlib.sha256(f"{username}:{password}".encode()).hexdigest()


def post(url: str, body: bytes, headers: dict[str, str], timeout_s: float) -> int:
    """POST over a connection of its own; answers the HTTP status, raises OSError or HTTPException when there is none."""
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout_s, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body=body, headers={**headers, "Connection": "close"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def _show_failure(sending: Future[None]) -> None:
    if not sending.cancelled() and (failure := sending.exception()) is not None:
        traceback.print_exception(failure)


class Courier:
    """Sends what the ledger holds as due; `deliver` may be called again for the same notice after a restart."""

    def __init__(self, settings: Settings, ledger: Ledger, timers: Timers) -> None:
        self._settings = settings
        self._ledger = ledger
        self._timers = timers
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="simulator-notices")

    def schedule(self, notices: list[Notice]) -> None:
        """Send each notice at its time."""
        for notice in notices:
            self._timers.at(notice.due_at, partial(self._submit, notice))

    def send_now(self, notices: list[Notice]) -> list[Future[None]]:
        """Send each notice at once; the futures end when it was answered, refused or given up."""
        return [self._submit(notice) for notice in notices]

    def resume(self) -> None:
        """Take up what an earlier process left.

        A message that was on its way may have arrived: PhonePe sends it again, M-Pesa never sends anything twice.
        """
        unfinished = self._ledger.notices(unfinished=True)
        for notice in unfinished:
            if notice.state == "sending" and notice.gateway == MPESA:
                self._ledger.mark_notice(replace(notice, state="unreachable"))
        self.schedule([n for n in unfinished if n.state == "due" or n.gateway == PHONEPE])

    def close(self) -> None:
        """Stop; what was not sent stays due in the ledger."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, notice: Notice) -> Future[None]:
        sending = self._pool.submit(self.deliver, notice)
        sending.add_done_callback(_show_failure)
        return sending

    def _headers(self, notice: Notice) -> dict[str, str]:
        if notice.gateway == MPESA:
            return {"Content-Type": "application/json;charset=UTF-8", "Businessshortcode": notice.merchant}
        content = content_of(notice.body)
        if content is not None:
            index, key = self._settings.phonepe_salts[0]
            sent_key = f"{key}-forged" if notice.forged_header else key
            return {"Content-Type": "application/json", "X-VERIFY": checksum(content, index, sent_key)}
        name, password = self._settings.phonepe_webhook_username, self._settings.phonepe_webhook_password
        sent_password = f"{password}-forged" if notice.forged_header else password
        return {"Content-Type": "application/json", "Authorization": webhook_authorization(name, sent_password)}

    def deliver(self, notice: Notice) -> None:
        """Make one try, note its result, and plan the next one where the gateway would."""
        if not self._ledger.mark_notice(replace(notice, state="sending")):
            return
        status: int | None = None
        try:
            status = post(notice.url, notice.body, self._headers(notice), self._settings.notice_timeout_s)
            result = f"answered {status}"
        except (OSError, http.client.HTTPException) as exc:
            result = f"not delivered ({type(exc).__name__})"
        tries = notice.tries + 1
        state = "delivered" if status in _OK else "unreachable" if status is None else "refused"
        tried = replace(notice, state=state, tries=tries, http_status=status)
        pauses = self._settings.webhook_retry_s
        again = notice.gateway == PHONEPE and state != "delivered" and tries <= len(pauses)
        if again:
            tried = replace(tried, state="due", due_at=self._timers.now() + pauses[tries - 1])
        known = self._ledger.mark_notice(tried)
        if again and known:
            self.schedule([tried])
        outlook = f", again in {pauses[tries - 1]:g} s" if again else ""
        say(notice.gateway, f"notice '{notice.kind}' for {masked_ref(notice.ref)}: {result}{outlook}")
