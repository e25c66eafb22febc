"""Every key of the table.

The owner is in the key, so that asking for somebody else's object finds nothing; numbers are padded, so that text order is
time order; the counter of a list sorts behind its entries and is read by the same query.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time
from typing import Final

from payfirst.domain.clock import instant

Key = dict[str, str]

SHARDS: Final = 8

SESSION: Final = "S"
CART: Final = "C"
BOOKING: Final = "B"
ORDER: Final = "O"

EXPIRE: Final = "expire"
SETTLE: Final = "settle"
REFUND: Final = "refund"
OUTBOX: Final = "outbox"
MAIL: Final = "mail"
COMPLETE: Final = "complete"
REVIEW: Final = "review"


def owner(sub: str) -> str:
    """The partition of everything that one customer owns."""
    return f"U#{sub}"


def owned(sub: str, what: str, number: int) -> Key:
    """A session, cart, booking or order of `sub`."""
    return {"pk": owner(sub), "sk": entry(what, number)}


def entry(what: str, number: int) -> str:
    """The sort key of the `number`th thing in a customer's list of `what`."""
    return f"{what}#{number:016d}"


def counter(sub: str, what: str) -> Key:
    """How many of `what` the customer has; sorts behind all of them."""
    return {"pk": owner(sub), "sk": f"{what}#~"}


def event(sub: str, session_number: int, sequence: int) -> Key:
    """One entry of a session's timeline, which is its outbox entry too."""
    return {"pk": owner(sub), "sk": f"E#{session_number:016d}#{sequence:06d}"}


def produce_cart(sub: str) -> Key:
    """The customer's one cart of produce."""
    return {"pk": owner(sub), "sk": "CART"}


def cart_version(version: str) -> str:
    """The guard by which one version of the produce cart is paid for once."""
    return f"V#{version}"


def guard(sub: str, sort_key: str) -> Key:
    """The guard of a cart version: the cart itself in document A, an item of its own in document B."""
    return {"pk": owner(sub), "sk": sort_key}


def attempt(ref: str) -> Key:
    """An attempt under the reference that its gateway carries."""
    return {"pk": f"ATT#{ref}", "sk": "ATT"}


def refund(ref: str, number: int) -> Key:
    """The `number`th refund of an attempt."""
    return {"pk": f"ATT#{ref}", "sk": f"R#{number:03d}"}


def review(ref: str, reason: str) -> Key:
    """A doubt about an attempt that a person has to look at; the same doubt twice is one."""
    return {"pk": f"ATT#{ref}", "sk": f"REVIEW#{hashed(reason)}"}


def pointer(code: str) -> Key:
    """Where a public code or a gateway's id points."""
    return {"pk": f"PTR#{code}", "sk": "PTR"}


def hashed(word: str) -> str:
    """A word that must not stand in a key as it is (a checkout id ends with the payer's phone number)."""
    return hashlib.sha256(word.encode()).hexdigest()[:32]


def receipt(gateway: str, number: str) -> Key:
    """The proof that a gateway's receipt serves one attempt."""
    return {"pk": f"RECEIPT#{gateway}#{number}", "sk": "RECEIPT"}


def phone(digits: str) -> Key:
    """The lock of a phone on which a prompt may be open; the number itself stands nowhere in the key."""
    return {"pk": f"PHONE#{hashed(digits)}", "sk": "PHONE"}


def hourly(partition: str, what: str, hour: datetime) -> Key:
    """How much of `what` a customer or a phone (its partition) asked for in the clock hour that begins at `hour`."""
    return {"pk": partition, "sk": f"HOUR#{what}#{instant(hour)}"}


def opening(sub: str) -> Key:
    """The turn that whoever opens a session of the customer takes, where they may not have any number open."""
    return {"pk": owner(sub), "sk": "OPENING"}


def notice(digest: str) -> Key:
    """A stored notice by the hash of its route, token and raw body."""
    return {"pk": f"INBOX#{digest}", "sk": "INBOX"}


def order_sequence(day: str) -> Key:
    """The counter of a day's order numbers; `day` is `YYYYMMDD`."""
    return {"pk": f"SEQUENCE#ORD#{day}", "sk": "SEQUENCE"}


def listing(number: int) -> Key:
    """One listing of produce."""
    return {"pk": "LISTING", "sk": f"{number:012d}"}


def shelf(name: str) -> Key:
    """How many entries of the catalogue the public list of that name shows."""
    return {"pk": "SHELF", "sk": name}


def service(kind: str, number: int) -> Key:
    """One service by its type (`PUJA`, `ASTROLOGY`)."""
    return {"pk": "SERVICE", "sk": f"{kind}#{number:012d}"}


def slot(service_type: str, service_id: int, day: date, at: time) -> Key:
    """One start of one service, by its own clock; the slots of a day follow each other."""
    return {"pk": f"SLOT#{service_type}#{service_id:012d}", "sk": f"{day.isoformat()}T{at.isoformat()}"}


def promo_uses(sub: str, code: str) -> Key:
    """How often one customer has used a promo code."""
    return {"pk": owner(sub), "sk": f"P#{code.upper()}"}


def erasure(sub: str, at: datetime) -> Key:
    """The record that a customer was erased at this instant."""
    return {"pk": owner(sub), "sk": f"ERASED#{instant(at)}"}


def promo(code: str) -> Key:
    """One promo code, in upper case."""
    return {"pk": f"PROMO#{code.upper()}", "sk": "PROMO"}


EVENT_COUNTS: Final = "COUNTS"
"""The partition of the counters of events."""


def event_count(hour: datetime, kind: str, event: str) -> Key:
    """How many events of one name happened to one kind of session made in the clock hour that begins at `hour`."""
    return {"pk": EVENT_COUNTS, "sk": f"{instant(hour)}#{kind}#{event}"}


def gateway_token(gateway: str) -> Key:
    """The access token that containers share."""
    return {"pk": f"TOKEN#{gateway}", "sk": "TOKEN"}


def due(what: str, key: Key, at: datetime) -> Key:
    """The keys of the sparse index for an item at `key` that needs work of kind `what` at `at`."""
    return {"due_pk": due_partition(what, shard_of(key)), "due_sk": instant(at)}


def due_partition(what: str, shard: int) -> str:
    """One of the 8 partitions of a kind of work."""
    return f"{what}#{shard}"


def shard_of(key: Key) -> int:
    """The shard of an item, from its key alone."""
    return hashlib.sha256(f"{key['pk']}|{key['sk']}".encode()).digest()[0] % SHARDS


NOT_DUE: Final = ("due_pk", "due_sk")
"""The attributes to remove from an item that needs no more work."""
