"""An issuer of customers' tokens for tests: any claims, good and bad, signed with a key that it publishes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

AUDIENCE: Final = "test-shop"


class TokenIssuer:
    """Publishes its keys at `jwks_url`; `rotate` signs with a new one from then on."""

    def __init__(self, address: str) -> None:
        self.issuer = address
        self.audience = AUDIENCE
        self.jwks_url = f"{address}/.well-known/jwks.json"
        self.reads = 0
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self._key_id = ""
        self.rotate()

    def rotate(self) -> None:
        """Make a new key and publish it beside the old ones."""
        self._key_id = str(uuid4())
        self._keys[self._key_id] = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def published(self) -> dict[str, Any]:
        """The public keys, as JWKS."""
        return {
            "keys": [
                {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "alg": "RS256", "use": "sig"}
                for key_id, key in self._keys.items()
            ]
        }

    def token(self, *, user_id: int = 1, email: str = "user@example.com", sub: str | None = None, **claims: Any) -> str:
        """An ID token as the user pool makes them; `claims` are added or win, and those that are None are left out."""
        now = int(time.time())
        usual = {
            "sub": sub or str(uuid4()),
            "iss": self.issuer,
            "aud": self.audience,
            "token_use": "id",
            "iat": now,
            "auth_time": now,
            "exp": now + 3600,
            "email": email,
            "email_verified": True,
            "custom:user_id": str(user_id),
        }
        told = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(told, self._keys[self._key_id], algorithm="RS256", headers={"kid": self._key_id})


@contextmanager
def running_issuer() -> Iterator[TokenIssuer]:
    """An issuer that answers on a free port while this lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.reads += 1
            body = json.dumps(issuer.published()).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
            """Nothing: test output stays readable."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = TokenIssuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, name="issuer", daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
