"""A shop's pages as they are deployed, with a sign-in page on another origin that does what Cognito's does."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from payfirst.api.pages import Pages, chosen_language, headers

ROOT: Final = Path(__file__).parents[2]
CLIENT: Final = "a-client"


@dataclass
class Deployed:
    """What both know: which tokens are worth something, and what was asked. `broken` is what the token endpoint answers
    instead, a status, or 0 for no answer at all."""

    pages: Pages = field(default_factory=lambda: Pages(ROOT / "functions/site"))
    shop: str = ""
    login: str = ""
    good: set[str] = field(default_factory=set)
    refresh: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    broken: int | None = None
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    sent: threading.Barrier | None = None
    """Requests that must all have come before the first of them is refused."""

    def give(self) -> dict[str, str]:
        number = next(self.numbers)
        token = f"id-{number}"
        self.good, self.refresh = {token}, self.refresh or f"refresh-{number}"
        return {"id_token": token, "refresh_token": self.refresh}


class Shop(BaseHTTPRequestHandler):
    """Shells, assets, and of the API as much as signing in asks for."""

    deployed: Deployed

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        if address.path == "/api/config":
            return self.json(200, {"sign_in": {"issuer": "", "client_id": CLIENT, "page": self.deployed.login}})
        if address.path.startswith("/api/"):
            return self.api()
        if address.path.startswith("/assets/"):
            found = self.deployed.pages.asset(address.path.removeprefix("/assets/"))
            assert found is not None, address.path
            return self.answer(200, found[0].text, {"Content-Type": found[0].type})
        template = {"signed-in": "signed_in", "desk": "desk_today"}.get(address.path.strip("/"), address.path.strip("/"))
        language = chosen_language(query.get("lang"), self.headers.get("Accept-Language"))
        rules = headers("https://login.example")
        rules["Content-Security-Policy"] = rules["Content-Security-Policy"].replace(
            "https://login.example", self.deployed.login
        )
        return self.answer(200, self.deployed.pages.shell(template, language), rules)

    def api(self) -> None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        good = token in {"", *self.deployed.good}
        if not good and self.deployed.sent:
            self.deployed.sent.wait(10)
        self.json(200 if good else 401, {"results": [], "next": None} if good else {"message": "The token is too old."})

    def json(self, status: int, told: Any) -> None:
        self.answer(status, json.dumps(told), {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"})

    def answer(self, status: int, text: str, told: dict[str, str]) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {**told, "Content-Length": f"{len(body)}"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


class Login(Shop):
    """`/oauth2/authorize` knows who comes and sends them back at once; `/oauth2/token` looks at the verifier."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        self.deployed.asked.append(address.path)
        to = query.get("redirect_uri", query.get("logout_uri", ""))
        assert to == f"{self.deployed.shop}/signed-in"
        if address.path == "/oauth2/authorize":
            assert (query["response_type"], query["client_id"], query["code_challenge_method"]) == ("code", CLIENT, "S256")
            code = f"code-{next(self.deployed.numbers)}"
            self.deployed.codes[code] = query
            to += "?" + urlencode({"code": code, "state": query["state"]})
        self.answer(302, "", {"Location": to})

    def do_POST(self) -> None:
        given = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.deployed.asked.append(given.get("grant_type", self.path))
        if self.deployed.broken == 0:
            self.connection.close()
            return None
        if self.deployed.broken:
            return self.json(self.deployed.broken, {"error": "server_error"})
        if self.path != "/oauth2/token":
            return self.json(200, {})
        if given["grant_type"] == "refresh_token":
            right = given["refresh_token"] == self.deployed.refresh
        else:
            begun = self.deployed.codes.pop(given["code"], {})
            digest = urlsafe_b64encode(sha256(given["code_verifier"].encode()).digest()).decode().rstrip("=")
            right = begun.get("code_challenge") == digest
        return self.json(200, self.deployed.give()) if right else self.json(400, {"error": "invalid_grant"})


@contextmanager
def running() -> Iterator[Deployed]:
    """Both of them, at addresses of their own, until the end."""
    deployed = Deployed()
    servers = [
        ThreadingHTTPServer(("127.0.0.1", 0), type(kind.__name__, (kind,), {"deployed": deployed})) for kind in (Shop, Login)
    ]
    deployed.shop, deployed.login = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in servers]
    try:
        for thread in threads:
            thread.start()
        yield deployed
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
