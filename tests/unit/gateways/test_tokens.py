"""One access token for all containers, fetched by one of them at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from payfirst.gateways.base import StoredToken
from payfirst.gateways.tokens import LEASE, TokenFailure, Tokens, call_with_token, token_living
from payfirst.gateways.wire import Answered, Lost
from payfirst.storage.dynamodb.failures import StorageError

from .shared_tokens import MemoryTokenStore

NOON = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
M = "MPESA"


@dataclass(slots=True)
class Issuer:
    """A gateway's token endpoint: counts, and fails while `down`."""

    issued: int = 0
    down: bool = False
    before: Callable[[], None] = field(default=lambda: None)
    life: timedelta = HOUR

    def __call__(self, now: datetime, timeout_s: float) -> StoredToken | TokenFailure:
        assert timeout_s <= 5
        self.before()
        if self.down:
            return TokenFailure("the gateway is down")
        self.issued += 1
        return token_living(f"token-{self.issued}", self.life, now=now)


def container(issuer: Issuer, store: MemoryTokenStore | None, name: str = "a") -> Tokens:
    return Tokens(M, issuer, store, name, pause=lambda _: None)


def value(answer: StoredToken | TokenFailure) -> str:
    assert isinstance(answer, StoredToken)
    return answer.value


@pytest.mark.parametrize("store", [None, MemoryTokenStore()])
def test_a_token_is_fetched_once_and_used_until_it_is_due(store: MemoryTokenStore | None) -> None:
    issuer = Issuer()
    tokens = container(issuer, store)
    seen = {value(tokens.current(now=NOON + timedelta(minutes=m), timeout_s=5)) for m in (0, 1, 30, 54)}
    assert seen == {"token-1"}
    assert issuer.issued == 1


def test_a_warm_container_asks_the_store_nothing() -> None:
    store = MemoryTokenStore()
    tokens = container(Issuer(), store)
    tokens.current(now=NOON, timeout_s=5)
    reads = store.reads
    tokens.current(now=NOON, timeout_s=5)
    assert store.reads == reads


def test_a_cold_container_takes_the_shared_token_with_one_read() -> None:
    store, issuer = MemoryTokenStore(), Issuer()
    container(issuer, store, "a").current(now=NOON, timeout_s=5)
    reads = store.reads
    assert value(container(issuer, store, "b").current(now=NOON, timeout_s=5)) == "token-1"
    assert store.reads == reads + 1
    assert issuer.issued == 1


def test_a_token_is_renewed_five_minutes_before_its_end_and_shared() -> None:
    store, issuer = MemoryTokenStore(), Issuer()
    tokens = container(issuer, store)
    tokens.current(now=NOON, timeout_s=5)
    assert value(tokens.current(now=NOON + timedelta(minutes=55), timeout_s=5)) == "token-2"
    assert store.tokens[M].value == "token-2"
    assert store.leases == {}


def test_a_short_life_is_renewed_at_its_half() -> None:
    token = token_living("x", timedelta(minutes=4), now=NOON)
    assert token.renew_at == NOON + timedelta(minutes=2)


def test_while_one_container_renews_the_other_goes_on_with_the_old_token() -> None:
    store, issuer = MemoryTokenStore(), Issuer()
    first, second = container(issuer, store, "a"), container(issuer, store, "b")
    first.current(now=NOON, timeout_s=5)
    second.current(now=NOON, timeout_s=5)
    due = NOON + timedelta(minutes=56)
    during: list[str] = []
    issuer.before = lambda: during.append(value(second.current(now=due, timeout_s=5)))
    assert value(first.current(now=due, timeout_s=5)) == "token-2"
    assert during == ["token-1"]
    issuer.before = lambda: None
    assert value(second.current(now=due, timeout_s=5)) == "token-2"
    assert issuer.issued == 2


def test_many_cold_containers_at_once_fetch_one_token() -> None:
    store, issuer = MemoryTokenStore(), Issuer()
    arrived = threading.Barrier(8)
    got: list[str] = []

    def start(name: str) -> None:
        tokens = Tokens(M, issuer, store, name)
        arrived.wait()
        got.append(value(tokens.current(now=NOON, timeout_s=5)))

    threads = [threading.Thread(target=start, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["token-1"] * 8
    assert issuer.issued == 1


def test_a_token_shared_between_our_look_and_our_lease_is_taken_instead_of_a_new_one() -> None:
    issuer = Issuer()

    class LateStore(MemoryTokenStore):
        def lease(self, gateway: str, *, owner: str, now: datetime, until: datetime) -> bool:
            self.tokens[gateway] = token_living("the-rival's", HOUR, now=now)
            return MemoryTokenStore.lease(self, gateway, owner=owner, now=now, until=until)

    store = LateStore()
    assert value(container(issuer, store).current(now=NOON, timeout_s=5)) == "the-rival's"
    assert issuer.issued == 0
    assert store.leases == {}


def test_a_container_waits_for_the_token_that_another_one_is_fetching() -> None:
    store, issuer = MemoryTokenStore(), Issuer()
    store.lease(M, owner="other", now=NOON, until=NOON + LEASE)
    looks = 0

    def pause(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            store.write(M, token_living("from-the-other", HOUR, now=NOON), owner="other")

    tokens = Tokens(M, issuer, store, "a", pause=pause)
    assert value(tokens.current(now=NOON, timeout_s=5)) == "from-the-other"
    assert issuer.issued == 0


def test_when_the_holder_of_the_lease_has_died_a_container_fetches_for_itself_and_shares_nothing() -> None:
    store, issuer = MemoryTokenStore(), Issuer()
    store.lease(M, owner="dead", now=NOON, until=NOON + LEASE)
    tokens = Tokens(M, issuer, store, "a")
    assert value(tokens.current(now=NOON, timeout_s=0.2)) == "token-1"
    assert store.writes == 0


def test_a_lease_that_ran_out_is_free() -> None:
    store, issuer = MemoryTokenStore(), Issuer()
    store.lease(M, owner="dead", now=NOON, until=NOON + LEASE)
    tokens = container(issuer, store)
    assert value(tokens.current(now=NOON + LEASE, timeout_s=5)) == "token-1"
    assert store.writes == 1


def test_a_gateway_that_is_down_is_a_typed_failure() -> None:
    for store in (None, MemoryTokenStore()):
        answer = container(Issuer(down=True), store).current(now=NOON, timeout_s=5)
        assert answer == TokenFailure("the gateway is down")


def test_a_renewal_that_fails_leaves_the_old_token_in_use_until_its_end() -> None:
    store, issuer = MemoryTokenStore(), Issuer()
    tokens = container(issuer, store)
    tokens.current(now=NOON, timeout_s=5)
    issuer.down = True
    assert value(tokens.current(now=NOON + timedelta(minutes=59), timeout_s=5)) == "token-1"
    assert isinstance(tokens.current(now=NOON + HOUR, timeout_s=5), TokenFailure)


class Away(MemoryTokenStore):
    """A store whose table stops answering."""

    def read(self, gateway: str) -> StoredToken | None:
        raise StorageError(f"no answer about {gateway}")


def test_without_its_store_a_cold_container_says_that_nothing_was_sent() -> None:
    answer = container(Issuer(), Away()).current(now=NOON, timeout_s=5)
    assert answer == TokenFailure("the shared tokens could not be reached: STORAGE_UNAVAILABLE")


def test_without_its_store_a_container_goes_on_with_its_own_token_until_its_end_unless_it_was_refused() -> None:
    tokens = container(Issuer(), MemoryTokenStore())
    kept = tokens.current(now=NOON, timeout_s=5)
    tokens.store = Away()
    assert tokens.current(now=NOON + timedelta(minutes=59), timeout_s=5) is kept
    assert isinstance(tokens.current(now=NOON + HOUR, timeout_s=5), TokenFailure)
    assert isinstance(kept, StoredToken)
    assert isinstance(tokens.instead_of(kept, now=NOON, timeout_s=5), TokenFailure)


def test_a_refused_token_is_replaced_in_the_store_too() -> None:
    store, issuer = MemoryTokenStore(), Issuer()
    tokens = container(issuer, store)
    old = tokens.current(now=NOON, timeout_s=5)
    assert isinstance(old, StoredToken)
    assert value(tokens.instead_of(old, now=NOON, timeout_s=5)) == "token-2"
    assert store.tokens[M].value == "token-2"


def test_a_refused_token_that_another_container_has_replaced_costs_no_fetch() -> None:
    store, issuer = MemoryTokenStore(), Issuer()
    first, second = container(issuer, store, "a"), container(issuer, store, "b")
    old = first.current(now=NOON, timeout_s=5)
    second.current(now=NOON, timeout_s=5)
    assert isinstance(old, StoredToken)
    first.instead_of(old, now=NOON, timeout_s=5)
    assert value(second.instead_of(old, now=NOON, timeout_s=5)) == "token-2"
    assert issuer.issued == 2


def test_a_token_already_at_its_end_when_it_is_issued_still_serves_the_call() -> None:
    assert value(container(Issuer(life=timedelta(days=-900)), None).current(now=NOON, timeout_s=5)) == "token-1"


REFUSED = Answered(404, {"errorCode": "404.001.03"})
DONE = Answered(200, {})


@dataclass(slots=True)
class Api:
    """An API that gives the answers in turn and remembers the tokens."""

    answers: list[Answered | Lost]
    tokens: list[str] = field(default_factory=list)

    def __call__(self, token: str, _: float) -> Answered | Lost:
        self.tokens.append(token)
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("answers", "tokens", "outcome"),
    [
        ([DONE], ["token-1"], DONE),
        ([REFUSED, DONE], ["token-1", "token-2"], DONE),
        ([REFUSED, REFUSED], ["token-1", "token-2"], REFUSED),
        ([Lost("x", sent=True)], ["token-1"], Lost("x", sent=True)),
        ([Answered(500, None)], ["token-1"], Answered(500, None)),
        ([REFUSED, Lost("x", sent=True)], ["token-1", "token-2"], Lost("x", sent=True)),
    ],
)
def test_a_call_is_sent_once_more_only_when_its_token_was_refused(
    answers: list[Answered | Lost], tokens: list[str], outcome: Answered | Lost
) -> None:
    api, cache = Api(list(answers)), container(Issuer(), MemoryTokenStore())
    answer = call_with_token(cache, api, lambda a: a is REFUSED, now=NOON, timeout_s=5)
    assert answer == outcome
    assert api.tokens == tokens


def test_when_the_shared_token_is_refused_as_well_a_new_one_is_fetched() -> None:
    store, issuer = MemoryTokenStore(), Issuer()
    here, elsewhere = container(issuer, store, "a"), container(issuer, store, "b")
    old = here.current(now=NOON, timeout_s=5)
    assert isinstance(old, StoredToken)
    elsewhere.instead_of(old, now=NOON, timeout_s=5)
    api = Api([REFUSED, REFUSED, DONE])
    assert call_with_token(here, api, lambda a: a is REFUSED, now=NOON, timeout_s=5) == DONE
    assert api.tokens == ["token-1", "token-2", "token-3"]
    assert store.tokens[M].value == "token-3"


def test_no_token_means_no_call() -> None:
    api = Api([DONE])
    cache = container(Issuer(down=True), None)
    answer = call_with_token(cache, api, lambda a: a is REFUSED, now=NOON, timeout_s=5)
    assert answer == TokenFailure("the gateway is down")
    assert api.tokens == []


def test_when_a_refused_token_cannot_be_replaced_the_call_was_not_processed() -> None:
    issuer = Issuer()
    cache, api = container(issuer, None), Api([REFUSED])
    cache.current(now=NOON, timeout_s=5)
    issuer.down = True
    answer = call_with_token(cache, api, lambda a: a is REFUSED, now=NOON, timeout_s=5)
    assert isinstance(answer, TokenFailure)


def test_no_token_shows_in_a_repr() -> None:
    tokens = container(Issuer(), None)
    stored = tokens.current(now=NOON, timeout_s=5)
    assert "token-1" not in repr(stored)
    assert "token-1" not in repr(tokens)
