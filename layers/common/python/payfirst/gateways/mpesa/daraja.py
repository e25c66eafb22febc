"""Daraja, M-Pesa's API: its access token, and a POST that carries it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from payfirst.gateways.base import StoredToken, TokenStore
from payfirst.gateways.lenient import LONGEST_TEXT, text, whole
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.gateways.mpesa.refusals import Refusal, error_body, refusal
from payfirst.gateways.mpesa.terms import MPESA
from payfirst.gateways.tokens import TokenFailure, Tokens, call_with_token, token_living, token_refusal
from payfirst.gateways.wire import Answered, Call, Lost, Send, json_call, send

_LIFE_IF_UNSTATED: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, eq=False)
class Daraja:
    """One merchant's account at `base_url` (no slash at the end).

    `token_store` shares the access token among containers, of which this one is `container`; without a store it is kept
    here alone. `send` sends each call.
    """

    credentials: MpesaCredentials
    base_url: str
    token_store: TokenStore | None
    container: str
    send: Send = send
    _tokens: Tokens = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the token cache, which lives as long as this client."""
        tokens = Tokens(MPESA.name, self._fetch_token, self.token_store, self.container)
        object.__setattr__(self, "_tokens", tokens)

    def refusal_of_credentials(self, *, now: datetime, timeout_s: float) -> TokenFailure | None:
        """Ask for an access token, for whoever sets credentials: None if M-Pesa knows key and secret, else why not.

        The short code and the passkey are not looked at by M-Pesa before a push.
        """
        answer = self._fetch_token(now, timeout_s)
        return answer if isinstance(answer, TokenFailure) else None

    def post(
        self, path: str, body: Mapping[str, Any], *, now: datetime, timeout_s: float, repeatable: bool = False
    ) -> Answered | Lost | TokenFailure:
        """POST `body` to one of Daraja's APIs with the access token; `repeatable` where asking twice changes nothing."""

        def once(token: str, seconds: float) -> Answered | Lost:
            headers = {"Authorization": f"Bearer {token}"}
            return self.send(json_call(self.base_url + path, body, headers, repeatable=repeatable), seconds)

        return call_with_token(self._tokens, once, _refuses_token, now=now, timeout_s=timeout_s)

    def _fetch_token(self, now: datetime, timeout_s: float) -> StoredToken | TokenFailure:
        pair = f"{self.credentials.consumer_key}:{self.credentials.consumer_secret}"
        headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode("ascii")}
        url = f"{self.base_url}/oauth/v1/generate?grant_type=client_credentials"
        answer = self.send(Call("GET", url, headers, repeatable=True), timeout_s)
        if isinstance(answer, Lost):
            return TokenFailure(answer.reason)
        value = text((answer.body or {}).get("access_token"), LONGEST_TEXT)
        if not answer.is_success or value is None or not value.isascii() or not value.isprintable():
            return token_refusal(error_body(answer).detail, answer.status)
        seconds = whole((answer.body or {}).get("expires_in"))
        life = _LIFE_IF_UNSTATED if seconds is None else timedelta(seconds=min(max(seconds, 0), 86_400))
        return token_living(value, life, now=now)


def _refuses_token(answer: Answered) -> bool:
    return refusal(error_body(answer)) is Refusal.TOKEN
