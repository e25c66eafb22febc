"""An issuer of customers' tokens for tests: any claims, good and bad, signed with a key that it publishes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm

AUDIENCE: Final = "test-shop"


def bearer(claims: Mapping[str, Any]) -> dict[str, str]:
    """The header in which a token with `claims` comes to a function, behind the gateway that has verified it."""
    return {"authorization": f"Bearer {jwt.encode(dict(claims), 'k' * 32)}"}


class Signer:
    """Signs tokens in the name of `issuer` for `audience`, with the newest of its `keys`."""

    def __init__(self, issuer: str, audience: str, keys: Mapping[str, rsa.RSAPrivateKey]) -> None:
        self.issuer = issuer
        self.audience = audience
        self._keys = dict(keys)

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
        key_id, key = list(self._keys.items())[-1]
        return jwt.encode(told, key, algorithm="RS256", headers={"kid": key_id})


def pool_signer(environment: Mapping[str, str], state_dir: Path) -> Signer:
    """Signs what the user pool of a running stack would, with the pool's own key, which MiniStack keeps below `state_dir`."""
    issuer = environment["TOKEN_ISSUER"]
    pool = issuer.rsplit("/", 1)[-1]
    published = requests.get(f"{environment['AWS_ENDPOINT_URL']}/{pool}/.well-known/jwks.json", timeout=30).json()["keys"]
    [file] = state_dir.rglob(f"cognito-pool-keys/{pool}-id.pem")
    key = load_pem_private_key(file.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    mine = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    [key_id] = [each["kid"] for each in published if each["n"] == mine["n"]]
    return Signer(issuer, environment["TOKEN_AUDIENCE"], {key_id: key})


class TokenIssuer(Signer):
    """Publishes its keys at `jwks_url`; `rotate` signs with a new one from then on."""

    def __init__(self, address: str) -> None:
        super().__init__(address, AUDIENCE, {})
        self.jwks_url = f"{address}/.well-known/jwks.json"
        self.reads = 0
        self.rotate()

    def rotate(self) -> None:
        """Make a new key and publish it beside the old ones."""
        self._keys[str(uuid4())] = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def published(self) -> dict[str, Any]:
        """The public keys, as JWKS."""
        return {
            "keys": [
                {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "alg": "RS256", "use": "sig"}
                for key_id, key in self._keys.items()
            ]
        }


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
