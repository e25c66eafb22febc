"""Access tokens: one per gateway, cached in the container, shared by all containers, renewed before they run out.

Safaricom may void the old token when a new one is issued, so the containers agree on who fetches: a lease in the shared
store. While one renews, the others go on with the old token; so do the threads of one container, which take turns. Those
that have none wait as long as they may, and do not ask again for what failed while they waited. Time comes in as `now`;
only waits are measured here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from payfirst.domain.errors import TemporaryError
from payfirst.gateways.base import StoredToken, TokenStore
from payfirst.gateways.wire import Answered, Budget, Lost

LEASE: Final = timedelta(seconds=15)
RENEW_BEFORE: Final = timedelta(minutes=5)
LONGEST_LIFE: Final = timedelta(days=30)
PATIENCE_S: Final = 2.0
_POLL_EVERY_S: Final = 0.1
_REPLACEMENTS: Final = ("shared", "new")
"""What may stand in for a refused token, one after the other."""


@dataclass(frozen=True, slots=True)
class TokenFailure:
    """No token could be had; nothing was sent with one. `configuration` when the gateway refused our credentials."""

    reason: str
    configuration: bool = False


def token_refusal(reason: str, status: int) -> TokenFailure:
    """The failure when a token request was answered without a token.

    Any 4xx is ours to mend, wrong keys or a wrong address (M-Pesa's production answers wrong keys with 400 and no body),
    except the two that pass by themselves.
    """
    passing = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
    is_ours = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in passing
    return TokenFailure(f"the token request was answered {reason}", is_ours)


FetchToken = Callable[[datetime, float], "StoredToken | TokenFailure"]
"""Ask the gateway for a new token: the instant it is now, and the seconds it may take."""


def token_living(value: str, life: timedelta, *, now: datetime) -> StoredToken:
    """A token that lives for `life` from `now`, renewed five minutes before its end (at half its life if shorter)."""
    life = max(timedelta(0), min(life, LONGEST_LIFE))
    return StoredToken(value, now + life, now + life - min(RENEW_BEFORE, life / 2))


@dataclass(slots=True, eq=False)
class Tokens:
    """The tokens of one gateway in one container; `owner` names the container to the others.

    Without a `store` the container is on its own.
    """

    gateway: str
    fetch: FetchToken
    store: TokenStore | None
    owner: str
    pause: Callable[[float], None] = time.sleep
    _cached: StoredToken | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _failure: TokenFailure | None = None
    """What the last one failed with who asked in this container."""
    fetches: int = 0
    """How often this container has asked the gateway for a token."""

    def current(self, *, now: datetime, timeout_s: float) -> StoredToken | TokenFailure:
        """A token that should work, fetched if there is none; the old one if renewing it early does not succeed."""
        cached = self._cached
        if cached is not None and now < cached.renew_at:
            return cached
        return self._in_turn(None, now=now, budget=Budget.of(timeout_s))

    def instead_of(self, refused: StoredToken, *, now: datetime, timeout_s: float) -> StoredToken | TokenFailure:
        """Another token than `refused`: the one that somebody else has fetched meanwhile, or a new one."""
        return self._in_turn(refused, now=now, budget=Budget.of(timeout_s))

    def _in_turn(self, refused: StoredToken | None, *, now: datetime, budget: Budget) -> StoredToken | TokenFailure:
        before = self._failure
        wait_s = 0.0 if self._known(refused, now) else max(0.0, budget.left())
        if not self._lock.acquire(timeout=wait_s):
            return self._known(refused, now) or TokenFailure("others are asking for one")
        try:
            if self._failure is not None and self._failure is not before:
                return self._known(refused, now) or self._failure
            answer = self._renewed(refused, now=now, budget=budget)
            self._failure = answer if isinstance(answer, TokenFailure) else self._failure
            return answer
        finally:
            self._lock.release()

    def _known(self, refused: StoredToken | None, now: datetime) -> StoredToken | None:
        """This container's token, if it lives and is not the refused one."""
        known = self._cached
        usable = known is not None and now < known.expires_at and (refused is None or known.value != refused.value)
        return known if usable else None

    def _renewed(self, refused: StoredToken | None, *, now: datetime, budget: Budget) -> StoredToken | TokenFailure:
        try:
            return self._agreed(refused, now=now, budget=budget)
        except TemporaryError as error:
            # Nothing has been sent with a token yet, and whoever asked has to be able to say so.
            unreached = TokenFailure(f"the shared tokens could not be reached: {error.code}")
            return self._known(refused, now) or unreached

    def _agreed(self, refused: StoredToken | None, *, now: datetime, budget: Budget) -> StoredToken | TokenFailure:
        def fits(token: StoredToken | None) -> bool:
            return token is not None and now < token.expires_at and (refused is None or token.value != refused.value)

        def is_fresh(token: StoredToken | None) -> bool:
            return token is not None and fits(token) and now < token.renew_at

        known = self._known(refused, now)
        if known is not None and is_fresh(known):
            return known
        if self.store is None:
            return self._fetched(known, now=now, budget=budget)
        shared = self.store.read(self.gateway)
        known = shared if fits(shared) else known
        if known is not None and is_fresh(known):
            return self._keep(known)
        if self.store.lease(self.gateway, owner=self.owner, now=now, until=now + LEASE):
            return self._fetched_under_lease(self.store, known, is_fresh, now=now, budget=budget)
        if known is not None:
            return self._keep(known)
        return self._awaited(self.store, fits, now=now, budget=budget)

    def _fetched_under_lease(
        self,
        store: TokenStore,
        known: StoredToken | None,
        is_fresh: Callable[[StoredToken | None], bool],
        *,
        now: datetime,
        budget: Budget,
    ) -> StoredToken | TokenFailure:
        # Whoever held the lease before may have shared its token between our reading and our lease.
        shared = store.read(self.gateway)
        if shared is not None and is_fresh(shared):
            store.write(self.gateway, shared, owner=self.owner)
            return self._keep(shared)
        answer = self._fetched(known, now=now, budget=budget)
        if isinstance(answer, StoredToken) and answer is not known:
            store.write(self.gateway, answer, owner=self.owner)
        # After a failure the lease is left to run out: it keeps the others from asking a gateway that is down.
        return answer

    def _awaited(
        self, store: TokenStore, fits: Callable[[StoredToken | None], bool], *, now: datetime, budget: Budget
    ) -> StoredToken | TokenFailure:
        patience = Budget.of(min(PATIENCE_S, budget.left() / 2))
        while patience.left() > 0:
            self.pause(_POLL_EVERY_S)
            shared = store.read(self.gateway)
            if shared is not None and fits(shared):
                return self._keep(shared)
        # The one with the lease may have died; a token of our own beats no payment, and is not shared without a lease.
        return self._fetched(None, now=now, budget=budget)

    def _fetched(self, known: StoredToken | None, *, now: datetime, budget: Budget) -> StoredToken | TokenFailure:
        self.fetches += 1
        answer = self.fetch(now, budget.left())
        if isinstance(answer, StoredToken):
            return self._keep(answer)
        return answer if known is None else self._keep(known)

    def _keep(self, token: StoredToken) -> StoredToken:
        self._cached = token
        return token


def call_with_token(
    tokens: Tokens,
    send: Callable[[str, float], Answered | Lost],
    refuses_token: Callable[[Answered], bool],
    *,
    now: datetime,
    timeout_s: float,
) -> Answered | Lost | TokenFailure:
    """`send(token, seconds)` once; again, with another token, only when the answer refuses the token and nothing was done.

    The token that another container has shared comes first, then a new one; the refusal of a new one comes back as the
    answer that it is.
    """
    budget = Budget.of(timeout_s)
    token = tokens.current(now=now, timeout_s=budget.left())
    if isinstance(token, TokenFailure):
        return token
    answer = send(token.value, budget.left())
    for _ in _REPLACEMENTS:
        if not (isinstance(answer, Answered) and refuses_token(answer)):
            break
        fetches = tokens.fetches
        another = tokens.instead_of(token, now=now, timeout_s=budget.left())
        if isinstance(another, TokenFailure):
            return another
        token, answer = another, send(another.value, budget.left())
        if tokens.fetches != fetches:
            break
    return answer
