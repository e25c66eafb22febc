"""The keys of customers and their payments; the shop's own are in `shop_keys`, those of the index in `due_index`.

The owner is in the key, so that asking for somebody else's object finds nothing; numbers are padded, so that text order is
time order; the counter of a list sorts behind its entries and is read by the same query.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from payfirst.domain.clock import instant

Key = dict[str, str]
Place = tuple[str, str]
"""A key as a pair: of its partition and its sort key."""

Run = tuple[str, str, str]
"""Some of a partition: the partition, and the first and the last sort key."""

SHARDS: Final = 8

SESSION: Final = "S"
CART: Final = "C"
BOOKING: Final = "B"
ORDER: Final = "O"
PRODUCE_CART: Final = "CART"
GUARD: Final = "V"
EVENT: Final = "E"
ATTEMPT: Final = "ATT"
REFUND: Final = "R"
DOUBT: Final = "REVIEW"
NOTICE: Final = "INBOX"
POINTER: Final = "PTR"
HOUR: Final = "HOUR"
KEPT_ANSWER: Final = "IDEMPOTENCY"
"""The heads of sort keys, by which `kind_of` tells items apart."""


def key_of(item: Mapping[str, Any]) -> Key:
    """The key of an item, or of an entry of the index."""
    return {"pk": item["pk"], "sk": item["sk"]}


def place_of(item: Mapping[str, Any]) -> Place:
    """The key of an item as a pair, which may be kept in a set."""
    return item["pk"], item["sk"]


def key_at(place: Place) -> Key:
    """The inverse of `place_of`."""
    return {"pk": place[0], "sk": place[1]}


def sort_key(item: Mapping[str, Any]) -> str:
    """Where an item stands in its partition: the edge of a page."""
    return str(item["sk"])


def in_line(item: Mapping[str, Any]) -> str:
    """The key of an item in one line."""
    return f"{item['pk']} {item['sk']}"


OWNERS: Final = "U#"
"""What the partitions of customers begin with."""


def owner(sub: str) -> str:
    """The partition of everything that one customer owns."""
    return f"{OWNERS}{sub}"


def owned(sub: str, what: str, number: int) -> Key:
    """A session, cart, booking or order of `sub`."""
    return {"pk": owner(sub), "sk": entry(what, number)}


def entry(what: str, number: int) -> str:
    """The sort key of the `number`th thing in a customer's list of `what`."""
    return f"{what}#{number:016d}"


def list_ends(what: str) -> tuple[str, str, str]:
    """What sorts before a customer's list of `what`, what sorts between its entries and its counter, and the counter."""
    return f"{what}#", f"{what}#:", f"{what}#~"


def owner_of(item: Mapping[str, Any]) -> str:
    """The customer who owns an item."""
    return str(item["pk"]).removeprefix(OWNERS)


def number_of(item: Mapping[str, Any]) -> int:
    """The number of a session, cart, booking, order or refund."""
    return int(str(item["sk"]).split("#")[1])


def kind_of(item: Mapping[str, Any]) -> str:
    """The head of an item's sort key: `SESSION` …, and a `due_index.Thing` for what may need work."""
    return str(item["sk"]).partition("#")[0]


def counter(sub: str, what: str) -> Key:
    """How many of `what` the customer has, and of sessions which may be open; sorts behind all of them."""
    return {"pk": owner(sub), "sk": f"{what}#~"}


EVENTS: Final = f"{EVENT}#"
"""What the sort keys of timelines' entries begin with, and no others'; the table's stream is filtered by it."""


def event(sub: str, session_number: int, sequence: int) -> Key:
    """One entry of a session's timeline, which is its outbox entry too."""
    return {"pk": owner(sub), "sk": f"{EVENTS}{session_number:016d}#{sequence:06d}"}


def timeline(sub: str, session_number: int) -> Run:
    """Where the entries of a session's timeline stand."""
    first, last = (event(sub, session_number, sequence) for sequence in (0, 999_999))
    return first["pk"], first["sk"], last["sk"]


def is_event(key: Mapping[str, Any]) -> bool:
    """Whether an entry of a session's timeline stands at `key`."""
    return str(key["sk"]).startswith(EVENTS)


def sequence_of(event_item: Mapping[str, Any]) -> int:
    """The place of an entry in its session's timeline."""
    return int(str(event_item["sk"]).rsplit("#", 1)[1])


def is_counter(item: Mapping[str, Any]) -> bool:
    """Whether the item counts a customer's list of something."""
    return str(item["sk"]).endswith("#~")


def produce_cart(sub: str) -> Key:
    """The customer's one cart of produce."""
    return {"pk": owner(sub), "sk": PRODUCE_CART}


def cart_version(version: str) -> str:
    """The guard by which one version of the produce cart is paid for once."""
    return f"{GUARD}#{version}"


def guard(sub: str, sort_key: str) -> Key:
    """The guard of a cart version: the cart itself in document A, an item of its own in document B."""
    return {"pk": owner(sub), "sk": sort_key}


ATTEMPTS: Final = f"{ATTEMPT}#"
"""What the partitions of attempts begin with."""


def of_attempt(ref: str) -> str:
    """The partition of an attempt, its refunds, its doubts and its notices."""
    return f"{ATTEMPTS}{ref}"


def attempt(ref: str) -> Key:
    """An attempt under the reference that its gateway carries."""
    return {"pk": of_attempt(ref), "sk": ATTEMPT}


def ref_of(item: Mapping[str, Any]) -> str:
    """The reference of an attempt, or of that which a refund or a doubt belongs to."""
    return str(item["pk"]).removeprefix(ATTEMPTS)


def is_attempt(item: Mapping[str, Any]) -> bool:
    """Whether the item is an attempt."""
    return kind_of(item) == ATTEMPT


def is_refund(item: Mapping[str, Any]) -> bool:
    """Whether the item is a refund."""
    return kind_of(item) == REFUND


def refund(ref: str, number: int) -> Key:
    """The `number`th refund of an attempt."""
    return {"pk": of_attempt(ref), "sk": f"{REFUND}#{number:03d}"}


def review(ref: str, reason: str) -> Key:
    """A doubt about an attempt that a person has to look at; the same doubt twice is one."""
    return {"pk": of_attempt(ref), "sk": f"{DOUBT}#{hashed(reason)}"}


def beside_attempt(ref: str, what: str) -> Run:
    """Where an attempt's refunds, doubts or notices stand (`REFUND` …)."""
    return of_attempt(ref), f"{what}#", f"{what}#~"


def pointer(code: str) -> Key:
    """Where a public code or a gateway's id points."""
    return {"pk": f"{POINTER}#{code}", "sk": POINTER}


def hashed(word: str) -> str:
    """A word that must not stand in a key as it is (a checkout id ends with the payer's phone number)."""
    return hashlib.sha256(word.encode()).hexdigest()[:32]


def receipt(gateway: str, number: str) -> Key:
    """The proof that a gateway's receipt serves one attempt."""
    return {"pk": f"RECEIPT#{gateway}#{number}", "sk": "RECEIPT"}


def receipt_of(item: Mapping[str, Any]) -> tuple[str, str] | None:
    """Gateway and number of the receipt that the item proves; None for any other item."""
    kind, _, word = str(item["pk"]).partition("#")
    gateway, _, number = word.partition("#")
    return (gateway, number) if kind == "RECEIPT" else None


PHONES: Final = "PHONE#"
"""What the partitions of phones begin with."""


def of_phone(lock: str) -> str:
    """The partition of a phone."""
    return f"{PHONES}{lock}"


def phone(lock: str) -> Key:
    """The lock of a phone on which a prompt may be open; the number itself stands nowhere in the key."""
    return {"pk": of_phone(lock), "sk": "PHONE"}


def is_of_phone(item: Mapping[str, Any]) -> bool:
    """Whether the item is the lock of a phone, or counts its prompts."""
    return str(item["pk"]).startswith(PHONES)


FOUND: Final = "FOUND#"
"""What the partitions of a search begin with."""


def finding(word: str, session_number: int) -> Key:
    """That a session goes by a phone number or an address, which stands in the key only as a keyed hash."""
    return {"pk": f"{FOUND}{word}", "sk": f"{session_number:016d}"}


def findings(word: str, before: int | None) -> Run:
    """Where the sessions that go by a keyed `word` stand: all of them, or those with a number below `before`."""
    return f"{FOUND}{word}", "0", "~" if before is None else f"{before - 1:016d}"


def is_finding(item: Mapping[str, Any]) -> bool:
    """Whether a session is found by the item."""
    return str(item["pk"]).startswith(FOUND)


def found_session(item: Mapping[str, Any]) -> int:
    """The number of the session that such an item finds."""
    return int(item["sk"])


def searched(day: date, at: datetime, token: str) -> Key:
    """The record that one of the shop's people searched."""
    return {"pk": f"SEARCHED#{day.isoformat()}", "sk": f"{instant(at)}#{token}"}


def searcher(by: str) -> str:
    """The partition of the counters of one of the shop's people."""
    return f"SEARCHER#{hashed(by)}"


def hourly(partition: str, what: str, hour: datetime) -> Key:
    """How much of `what` a customer or a phone (its partition) asked for in the clock hour that begins at `hour`."""
    return {"pk": partition, "sk": f"{HOUR}#{what}#{instant(hour)}"}


def notice(ref: str, digest: str) -> Key:
    """A stored notice about an attempt by the hash of its route, token and raw body; earlier ones had their own partitions."""
    return {"pk": of_attempt(ref), "sk": f"{NOTICES}{digest}"}


NOTICES: Final = f"{NOTICE}#0#"
"""What the sort keys of an attempt's notices begin with; an earlier release takes the number for a refund's, which is none."""


def promo_uses(sub: str, code: str) -> Key:
    """How often one customer has used a promo code."""
    return {"pk": owner(sub), "sk": f"P#{code.upper()}"}


def erasure(sub: str, at: datetime) -> Key:
    """The record that a customer was erased at this instant."""
    return {"pk": owner(sub), "sk": f"ERASED#{instant(at)}"}


def gateway_token(gateway: str) -> Key:
    """The access token that containers share."""
    return {"pk": f"TOKEN#{gateway}", "sk": "TOKEN"}


def shard_of(key: Key) -> int:
    """The shard of an item, from its key alone."""
    return hashlib.sha256(f"{key['pk']}|{key['sk']}".encode()).digest()[0] % SHARDS
