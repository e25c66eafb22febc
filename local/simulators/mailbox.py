"""The customers' mailbox: every letter that the embedded SES has taken, readable in a browser at `/mail`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parseaddr
from html import escape
from typing import Any, Final

import requests
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.simulators.markup import message_page, page

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
        return HTMLResponse(page("Mail", _list(found)))

    async def letter(self, request: Request) -> Response:
        try:
            found = await run_in_threadpool(_sent, self._source) if self._source else []
        except requests.RequestException:
            return HTMLResponse(message_page(_GONE), 503)
        wanted = request.path_params["message_id"]
        letter = next((each for each in found if each["MessageId"] == wanted), None)
        if letter is None:
            return HTMLResponse(message_page("There is no such letter."), 404)
        return HTMLResponse(page(str(letter["Subject"]), _letter(letter)))


def _sent(source: str) -> list[Mapping[str, Any]]:
    """What SES has taken, newest first."""
    answer = requests.get(source, timeout=PATIENCE_S)
    answer.raise_for_status()
    letters = [letter for account in answer.json()["messages"].values() for letter in account]
    return sorted(letters, key=lambda letter: float(letter["Timestamp"]), reverse=True)


def _list(found: list[Mapping[str, Any]]) -> str:
    rows = "".join(
        f'<p><a href="/mail/{escape(letter["MessageId"])}">{escape(letter["Subject"])}</a><br>'
        f'<span class="soft">{_envelope(letter)}</span></p>'
        for letter in found
    )
    none = "No letter yet. One follows within a minute of a payment, and sooner with `payfirst tick deliver`."
    content = f'<div class="card letters">{rows}</div>' if rows else f'<div class="empty">{none}</div>'
    return f'{content}<p class="soft"><a href="/">The customer\'s phone</a></p>'


def _letter(letter: Mapping[str, Any]) -> str:
    """The letter in a frame in which nothing runs; the page around it makes the frame as high as the letter."""
    html = escape(letter.get("BodyHtml") or "", quote=True)
    as_high = "this.style.height=this.contentDocument.documentElement.scrollHeight+2+'px'"
    return (
        f'<p class="soft">{_envelope(letter)}</p>'
        f'<iframe sandbox="allow-same-origin" title="The letter" onload="{as_high}" srcdoc="{html}"></iframe>'
        f"<h2>As plain text</h2><pre>{escape(letter.get('BodyText') or '')}</pre>"
        '<p><a href="/mail">All letters</a></p>'
    )


def _envelope(letter: Mapping[str, Any]) -> str:
    name, address = parseaddr(letter["Source"])
    return escape(f"{name or address} to {', '.join(letter['To'])}, {_when(letter)}")


def _when(letter: Mapping[str, Any]) -> str:
    return datetime.fromtimestamp(float(letter["Timestamp"]), UTC).strftime("%d %b %Y %H:%M:%S UTC")
