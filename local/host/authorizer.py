"""The JWT authorizer of an HTTP API: who calls is settled before any function runs."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import jwt
import requests

from local.host.config import Json

ALGORITHMS: Final = ["RS256"]
REFRESH_PAUSE_SECONDS: Final = 2.0
"""The least time between two readings of the issuer's keys, whatever key ids clients make up."""
READ_TIMEOUT_SECONDS: Final = 3.0


class UnauthorizedError(Exception):
    """The token is missing or refused; the message is the description for `www-authenticate`, empty for a missing one."""


class JwtAuthorizer:
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
        return {name: render_claim(value) for name, value in claims.items()}

    def _meant_for_us(self, claims: dict[str, Any]) -> bool:
        """`aud` decides; `client_id` only where there is no `aud`."""
        named = claims["aud"] if "aud" in claims else claims.get("client_id", [])
        audience = {named} if isinstance(named, str) else {str(one) for one in named}
        return bool(audience & self._audience)

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


def render_claim(value: Json) -> str:
    """A claim as `requestContext.authorizer.jwt.claims` shows it: always text, lists as `[a b]`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{' '.join(render_claim(item) for item in value)}]"
    if isinstance(value, dict):
        inside = " ".join(f"{name}:{render_claim(item)}" for name, item in sorted(value.items()))
        return f"map[{inside}]"
    return str(value)
