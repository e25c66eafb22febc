"""The customers' mailbox: every letter that the embedded SES has taken, readable in a browser at `/mail`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import requests
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.simulators.markup import letter_page, mailbox_page, message_page

PATIENCE_S: Final = 10
_GONE: Final = "The embedded AWS does not answer."


class Mailbox:
    """The mailbox's routes; `source` is the address under which the embedded AWS lists what was sent, None without one."""

    def __init__(self, source: str | None) -> None:
        self._source = source

    def routes(self) -> list[Route]:
        return [
            Route("/mail", self.letters, methods=["GET"]),
            Route("/mail/{message_id}", self.letter, methods=["GET"]),
        ]

    async def letters(self, _: Request) -> Response:
        if self._source is None:
            return HTMLResponse(message_page("No mail is sent here: the simulators run without an embedded AWS."), 404)
        try:
            found = await run_in_threadpool(_sent, self._source)
        except requests.RequestException:
            return HTMLResponse(message_page(_GONE), 503)
        return HTMLResponse(mailbox_page(found))

    async def letter(self, request: Request) -> Response:
        try:
            found = await run_in_threadpool(_sent, self._source) if self._source else []
        except requests.RequestException:
            return HTMLResponse(message_page(_GONE), 503)
        wanted = request.path_params["message_id"]
        letter = next((each for each in found if each["MessageId"] == wanted), None)
        if letter is None:
            return HTMLResponse(message_page("There is no such letter."), 404)
        return HTMLResponse(letter_page(letter))


def _sent(source: str) -> list[Mapping[str, Any]]:
    """What SES has taken, newest first."""
    answer = requests.get(source, timeout=PATIENCE_S)
    answer.raise_for_status()
    letters = [letter for account in answer.json()["messages"].values() for letter in account]
    return sorted(letters, key=lambda letter: float(letter["Timestamp"]), reverse=True)
