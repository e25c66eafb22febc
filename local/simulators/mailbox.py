"""The customers' mailbox: every e-mail that the embedded SES has taken, readable in a browser at `/mail`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import requests
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.simulators.markup import email_page, mailbox_page, message_page

PATIENCE_S: Final = 10
_GONE: Final = "The embedded AWS does not answer."


class Mailbox:
    """The mailbox's routes; `source` is the address under which the embedded AWS lists what was sent, None without one."""

    def __init__(self, source: str | None) -> None:
        self._source = source

    def routes(self) -> list[Route]:
        return [
            Route("/mail", self.messages, methods=["GET"]),
            Route("/mail/{message_id}", self.message, methods=["GET"]),
        ]

    async def messages(self, _: Request) -> Response:
        if self._source is None:
            return HTMLResponse(message_page("No mail is sent here: the simulators run without an embedded AWS."), 404)
        try:
            found = await run_in_threadpool(_sent, self._source)
        except requests.RequestException:
            return HTMLResponse(message_page(_GONE), 503)
        return HTMLResponse(mailbox_page(found))

    async def message(self, request: Request) -> Response:
        try:
            found = await run_in_threadpool(_sent, self._source) if self._source else []
        except requests.RequestException:
            return HTMLResponse(message_page(_GONE), 503)
        wanted = request.path_params["message_id"]
        message = next((each for each in found if each["MessageId"] == wanted), None)
        if message is None:
            return HTMLResponse(message_page("There is no such e-mail."), 404)
        return HTMLResponse(email_page(message))


def _sent(source: str) -> list[Mapping[str, Any]]:
    """What SES has taken, newest first."""
    answer = requests.get(source, timeout=PATIENCE_S)
    answer.raise_for_status()
    messages = [message for account in answer.json()["messages"].values() for message in account]
    return sorted(messages, key=lambda message: float(message["Timestamp"]), reverse=True)
