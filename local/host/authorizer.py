"""The Cognito authorizer of a REST API: who calls is settled before any function runs."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any, Final

import jwt
import requests

from local.host.config import Json

INSTANTS: Final = frozenset({"exp", "iat", "nbf", "auth_time"})
ALGORITHMS: Final = ["RS256"]
REFRESH_PAUSE_SECONDS: Final = 2.0
"""The least time between two readings of the issuer's keys, whatever key ids clients make up."""
READ_TIMEOUT_SECONDS: Final = 3.0


class UnauthorizedError(Exception):
    """The token is missing or refused; the message says why."""


class CognitoAuthorizer:
    """Accepts tokens of one issuer for some audiences, signed RS256 with a key that the issuer publishes."""

    def __init__(self, issuer: str, audience: tuple[str, ...], jwks_url: str) -> None:
        self._issuer = issuer
        self._audience = frozenset(audience)
        self._jwks_url = jwks_url
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def claims(self, authorization: str | None) -> dict[str, str]:
        """The claims of a good token, each as API Gateway renders it; UnauthorizedError for any other."""
        token = (authorization or "").strip()
        if token[:7].lower() == "bearer ":
            token = token[7:].strip()
        if not token:
            raise UnauthorizedError("")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as exc:
            raise UnauthorizedError("the token could not be parsed") from exc
        if header.get("alg") not in ALGORITHMS:
            raise UnauthorizedError("the signing method of the token is not supported")
        key = await self._key(str(header.get("kid")))
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                options={"require": ["exp", "iss"], "verify_aud": False},
            )
        except jwt.ExpiredSignatureError as exc:
            raise UnauthorizedError("the token has expired") from exc
        except jwt.PyJWTError as exc:
            raise UnauthorizedError("the token is not valid") from exc
        if not self._meant_for_us(claims):
            raise UnauthorizedError("the token does not have a valid audience")
        return {name: render_claim(name, value) for name, value in claims.items()}

    def _meant_for_us(self, claims: dict[str, Any]) -> bool:
        """An access token names no audience, so that it is refused."""
        named = claims.get("aud", [])
        return bool(({named} if isinstance(named, str) else {str(one) for one in named}) & self._audience)

    async def _key(self, key_id: str) -> jwt.PyJWK:
        if key_id not in self._keys:
            async with self._reading:
                if key_id not in self._keys and time.monotonic() - self._read_at >= REFRESH_PAUSE_SECONDS:
                    self._read_at = time.monotonic()
                    self._keys = await asyncio.to_thread(self._read_keys)
        if key_id not in self._keys:
            raise UnauthorizedError("the key of the token is not known")
        return self._keys[key_id]

    def _read_keys(self) -> dict[str, jwt.PyJWK]:
        try:
            response = requests.get(self._jwks_url, timeout=READ_TIMEOUT_SECONDS)
            response.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(response.json())
        except (requests.RequestException, ValueError, jwt.PyJWTError) as exc:
            raise UnauthorizedError("OIDC discovery endpoint communication error") from exc
        return {key.key_id: key for key in keys.keys if key.key_id is not None}


def render_claim(name: str, value: Json) -> str:
    """A claim as `requestContext.authorizer.claims` shows it: always text, instants as dates in words, lists as `a,b`."""
    if isinstance(value, bool):
        return str(value).lower()
    if name in INSTANTS:
        return datetime.fromtimestamp(int(value), UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return json.dumps(value) if isinstance(value, dict) else str(value)
