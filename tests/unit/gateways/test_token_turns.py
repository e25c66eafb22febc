"""The threads of one container take turns with its token, and none of them waits longer than it may."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from payfirst.gateways.base import StoredToken
from payfirst.gateways.tokens import TokenFailure, Tokens

from .shared_tokens import MemoryTokenStore
from .test_tokens import NOON, Issuer, M, container, value


def test_a_thread_waits_for_another_ones_token_no_longer_than_it_has() -> None:
    issuer, asked, waited = Issuer(), threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        waited.wait(2)

    issuer.before = hang
    tokens = container(issuer, MemoryTokenStore())
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(tokens.current, now=NOON, timeout_s=5)
        assert asked.wait(5)
        assert tokens.current(now=NOON, timeout_s=0.05) == TokenFailure("others are asking for one")
        waited.set()
        assert value(first.result()) == "token-1"
    assert issuer.issued == 1


def test_threads_that_waited_for_a_token_do_not_ask_again_for_what_failed_meanwhile() -> None:
    arrived = threading.Barrier(8)
    asked: list[int] = []

    def fails(_: datetime, __: float) -> TokenFailure:
        asked.append(1)
        time.sleep(0.3)  # until all the others wait for their turn
        return TokenFailure("no answer in time")

    tokens = Tokens(M, fails, MemoryTokenStore(), "a")

    def ask(_: int) -> StoredToken | TokenFailure:
        arrived.wait(5)
        return tokens.current(now=NOON, timeout_s=5)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == [TokenFailure("no answer in time")] * 8
    assert len(asked) == 1
    tokens.current(now=NOON, timeout_s=5)
    assert len(asked) == 2, "who comes afterwards asks"


def test_while_one_thread_renews_the_others_go_on_with_the_old_token() -> None:
    issuer = Issuer()
    tokens = container(issuer, MemoryTokenStore())
    tokens.current(now=NOON, timeout_s=5)
    due = NOON + timedelta(minutes=56)
    during: list[str] = []
    with ThreadPoolExecutor(1) as threads:

        def another_asks() -> None:
            during.append(value(threads.submit(tokens.current, now=due, timeout_s=0.2).result(5)))

        issuer.before = another_asks
        assert value(tokens.current(now=due, timeout_s=5)) == "token-2"
    assert during == ["token-1"]
