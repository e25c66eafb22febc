"""The sign-in page of a shop on one machine: pick somebody, and be them in this tab. Only this host has it.

It stands where a deployed shop's pages send people to Cognito's, and gives what they would come back with: an ID token of the
user pool. Nobody proves anything here, so it answers only who calls it at a loopback address.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from jinja2 import Environment, StrictUndefined

from local.host.answers import HttpAnswer
from local.host.events import HttpRequest
from ops.token import TokenError, mint
from payfirst.api.pages import Pages, headers

PATH: Final = "/sign-in"
HERE: Final = Path(__file__).parent
SITE: Final = HERE.parents[1] / "functions" / "site"
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
OPERATORS: Final = "operators"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be; `name` is how they sign in, `number` their `user_id`."""

    label: str
    name: str
    number: int
    is_operator: bool = False


PEOPLE: Final = (
    Person("Customer 1", "user@example.com", 1),
    Person("Customer 2", "user2@example.com", 2),
    Person("Customer 3, with a phone number alone", "+254712345678", 3),
    Person("The shop's own people", "operator@example.com", 1000, is_operator=True),
)


class SignIn:
    """The page, its script, what it asks for, and the way to the `simulators`; `environment` is that of the running stack."""

    def __init__(self, environment: Mapping[str, str], simulators: str) -> None:
        self._environment = dict(environment)
        self._simulators = simulators

    def takes(self, path: str) -> bool:
        """Whether `path` is answered here and not by a function."""
        return path == PATH or path.startswith(f"{PATH}/")

    async def answer(self, request: HttpRequest) -> HttpAnswer:
        """The answer to any request below PATH."""
        if _host(request.header("host") or "") not in LOOPBACK:  # another name may lead here from anybody's page
            return _json(403, {"message": "The sign-in page answers at 127.0.0.1 and localhost only."})
        match request.method, request.path.rstrip("/"):
            case "GET" | "HEAD", "/sign-in":
                return _text(_page(), headers(""))
            case "GET" | "HEAD", "/sign-in/page.js":
                return _text(_script(), {"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache"})
            case "GET" | "HEAD", "/sign-in/phone":
                return HttpAnswer(302, (("location", self._simulators),), b"")
            case "POST", "/sign-in":
                return await self._token(request)
            case _, "/sign-in" | "/sign-in/page.js" | "/sign-in/phone":
                return _json(405, {"message": f"{request.method} is not allowed here."})
            case _:
                return _json(404, {"message": "Not found"})

    async def _token(self, request: HttpRequest) -> HttpAnswer:
        if not (request.header("content-type") or "").startswith("application/json"):  # no form of another site's sends that
            return _json(415, {"message": "Send JSON."})
        person = _asked(request.body)
        if person is None:
            return _json(400, {"message": f"`who` must be one of {', '.join(each.name for each in PEOPLE)}."})
        try:
            groups = [OPERATORS] if person.is_operator else []
            token = await asyncio.to_thread(mint, self._environment, person.number, person.name, groups=groups)
        except (TokenError, ClientError, BotoCoreError) as exc:
            return _json(409, {"message": str(exc)})
        return _json(200, {"id_token": token})


def _host(called: str) -> str | None:
    try:
        return urlsplit(f"//{called}").hostname
    except ValueError:
        return None


def _asked(body: bytes) -> Person | None:
    try:
        told = json.loads(body)
    except ValueError:
        return None
    who = told.get("who") if isinstance(told, dict) else None
    return next((each for each in PEOPLE if each.name == who), None)


@cache
def _page() -> str:
    pages = Pages(SITE)
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(_read("sign_in.html"))
    address = {name: f"/assets/{pages.assets[name].name}" for name in ("style.css", "signin.js", "place.js")}
    return template.render(people=PEOPLE, asset=address.__getitem__)


@cache
def _script() -> str:
    return _read("sign_in.js")


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _text(text: str, told: Mapping[str, str]) -> HttpAnswer:
    return HttpAnswer(200, tuple((name.lower(), value) for name, value in told.items()), text.encode())


def _json(status: int, body: Mapping[str, str]) -> HttpAnswer:
    return HttpAnswer(status, (("content-type", "application/json"), ("cache-control", "no-store")), json.dumps(body).encode())
