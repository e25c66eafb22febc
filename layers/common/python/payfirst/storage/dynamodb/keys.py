"""Every key of the table.

The owner is in the key, so that asking for somebody else's object finds nothing; numbers are padded, so that text order is
time order; the counter of a list sorts behind its entries and is read by the same query.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Final

from payfirst.domain.clock import instant
from payfirst.domain.refund import parts_of_refund_id, refund_id

Key = dict[str, str]

SHARDS: Final = 8

SESSION: Final = "S"
CART: Final = "C"
BOOKING: Final = "B"
ORDER: Final = "O"


class Due(StrEnum):
    """What an item in the index of unfinished work waits for."""

    EXPIRE = "expire"
    SETTLE = "settle"
    REFUND = "refund"
    OUTBOX = "outbox"
    MAIL = "mail"
    COMPLETE = "complete"
    REVIEW = "review"


EXPIRE: Final = Due.EXPIRE
SETTLE: Final = Due.SETTLE
REFUND: Final = Due.REFUND
OUTBOX: Final = Due.OUTBOX
MAIL: Final = Due.MAIL
COMPLETE: Final = Due.COMPLETE
REVIEW: Final = Due.REVIEW


class Thing(StrEnum):
    """What may need work, by the head of its sort key."""

    ATTEMPT = "ATT"
    REFUND = "R"
    NOTICE = "INBOX"
    DOUBT = "REVIEW"
    EVENT = "E"
    SESSION = SESSION
    BOOKING = BOOKING


def owner(sub: str) -> str:
    """The partition of everything that one customer owns."""
    return f"U#{sub}"


def owned(sub: str, what: str, number: int) -> Key:
    """A session, cart, booking or order of `sub`."""
    return {"pk": owner(sub), "sk": entry(what, number)}


def entry(what: str, number: int) -> str:
    """The sort key of the `number`th thing in a customer's list of `what`."""
    return f"{what}#{number:016d}"


def owner_of(item: Mapping[str, Any]) -> str:
    """The customer who owns an item."""
    return str(item["pk"]).removeprefix("U#")


def number_of(item: Mapping[str, Any]) -> int:
    """The number of a session, cart, booking, order or refund."""
    return int(str(item["sk"]).split("#")[1])


def kind_of(item: Mapping[str, Any]) -> str:
    """The head of an item's sort key: a `Thing` for what may need work."""
    return str(item["sk"]).partition("#")[0]


def counter(sub: str, what: str) -> Key:
    """How many of `what` the customer has, and of sessions which may be open; sorts behind all of them."""
    return {"pk": owner(sub), "sk": f"{what}#~"}


EVENTS: Final = "E#"
"""What the sort keys of timelines' entries begin with, and no others'; the table's stream is filtered by it."""


def event(sub: str, session_number: int, sequence: int) -> Key:
    """One entry of a session's timeline, which is its outbox entry too."""
    return {"pk": owner(sub), "sk": f"{EVENTS}{session_number:016d}#{sequence:06d}"}


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


def ref_of(item: Mapping[str, Any]) -> str:
    """The reference of an attempt, or of that which a refund or a doubt belongs to."""
    return str(item["pk"]).removeprefix("ATT#")


def is_attempt(item: Mapping[str, Any]) -> bool:
    """Whether the item is an attempt."""
    return kind_of(item) == Thing.ATTEMPT


def is_refund(item: Mapping[str, Any]) -> bool:
    """Whether the item is a refund."""
    return kind_of(item) == Thing.REFUND


def refund(ref: str, number: int) -> Key:
    """The `number`th refund of an attempt."""
    return {"pk": f"ATT#{ref}", "sk": f"R#{number:03d}"}


def review(ref: str, reason: str) -> Key:
    """A doubt about an attempt that a person has to look at; the same doubt twice is one."""
    return {"pk": f"ATT#{ref}", "sk": f"REVIEW#{hashed(reason)}"}


def beside_attempt(ref: str, what: str) -> tuple[str, str, str]:
    """The partition of an attempt, and the first and last sort key of its refunds or doubts."""
    return f"ATT#{ref}", f"{what}#", f"{what}#~"


def pointer(code: str) -> Key:
    """Where a public code or a gateway's id points."""
    return {"pk": f"PTR#{code}", "sk": "PTR"}


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


def phone(lock: str) -> Key:
    """The lock of a phone on which a prompt may be open; the number itself stands nowhere in the key."""
    return {"pk": f"PHONE#{lock}", "sk": "PHONE"}


FOUND: Final = "FOUND#"
"""What the partitions of a search begin with."""


def finding(word: str, session_number: int) -> Key:
    """That a session goes by a phone number or an address, which stands in the key only as a keyed hash."""
    return {"pk": f"{FOUND}{word}", "sk": f"{session_number:016d}"}


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
    return {"pk": partition, "sk": f"HOUR#{what}#{instant(hour)}"}


def notice(ref: str, digest: str) -> Key:
    """A stored notice about an attempt by the hash of its route, token and raw body; earlier ones had their own partitions."""
    return {"pk": f"ATT#{ref}", "sk": f"{NOTICES}{digest}"}


NOTICES: Final = "INBOX#0#"
"""What the sort keys of an attempt's notices begin with; an earlier release takes the number for a refund's, which is none."""


def order_sequence(day: str) -> Key:
    """The counter of a day's order numbers; `day` is `YYYYMMDD`."""
    return {"pk": f"SEQUENCE#ORD#{day}", "sk": "SEQUENCE"}


LISTINGS: Final = "LISTING"
SERVICES: Final = "SERVICE"
PROMOS: Final = "PROMO#"
"""The partitions of listings and of services, and what those of promo codes begin with."""


def listing(number: int) -> Key:
    """One listing of produce."""
    return {"pk": LISTINGS, "sk": f"{number:012d}"}


def listing_counter(name: str) -> Key:
    """How many entries of the catalogue the public list of that name shows."""
    return {"pk": "SHELF", "sk": name}


def service(kind: str, number: int) -> Key:
    """One service by its type (`PUJA`, `ASTROLOGY`)."""
    return {"pk": SERVICES, "sk": f"{kind}#{number:012d}"}


def listing_number(item: Mapping[str, Any]) -> int:
    """The number of a listing."""
    return int(item["sk"])


def service_of(item: Mapping[str, Any]) -> tuple[str, int]:
    """Type and number of a service."""
    kind, _, number = str(item["sk"]).partition("#")
    return kind, int(number)


def slot(service_type: str, service_id: int, day: date, at: time) -> Key:
    """One start of one service, by its own clock; the slots of a day follow each other."""
    return {"pk": f"SLOT#{service_type}#{service_id:012d}", "sk": f"{day.isoformat()}T{at.isoformat()}"}


def start_of(item: Mapping[str, Any]) -> datetime:
    """Day and time of a slot, by its service's own clock."""
    return datetime.fromisoformat(item["sk"])


def appointment(day: date, at: time, code: str) -> Key:
    """One booking among those of a day, by the time on its service's own clock; it says whose booking that is."""
    return {"pk": f"DAY#{day.isoformat()}", "sk": f"{at.isoformat()}#{code}"}


def promo_uses(sub: str, code: str) -> Key:
    """How often one customer has used a promo code."""
    return {"pk": owner(sub), "sk": f"P#{code.upper()}"}


def erasure(sub: str, at: datetime) -> Key:
    """The record that a customer was erased at this instant."""
    return {"pk": owner(sub), "sk": f"ERASED#{instant(at)}"}


def promo(code: str) -> Key:
    """One promo code, in upper case."""
    return {"pk": f"{PROMOS}{code.upper()}", "sk": "PROMO"}


EVENT_COUNTS: Final = "COUNTS"
"""The partition of the counters of events."""


def event_counts(minute: datetime, kind: str, shard: int) -> Key:
    """How many events of each name happened to one kind of session made in the minute that begins at `minute`, in shards."""
    return {"pk": EVENT_COUNTS, "sk": f"{instant(minute)}#{kind}#~{shard}"}


def counted_by(item: Mapping[str, Any]) -> tuple[str, str, str]:
    """From when on, of which kind and which event a counter is: by releases before this one of an hour and one event, else of
    a minute and every event, which is the empty word."""
    at, kind, event = str(item["sk"]).partition("~")[0].split("#")
    return at, kind, event


MONEY: Final = "MONEY#"
"""What the partitions of payments and refunds of a day begin with."""

TOTALS: Final = "TOTALS"
"""The partition of the counters of money; days follow each other."""


def totals(day: date, gateway: str, currency: str, shard: int) -> Key:
    """One shard of what a gateway's money of one currency came to on a day of the shop's."""
    return {"pk": TOTALS, "sk": f"{day.isoformat()}#{gateway}#{currency}#{shard}"}


def totals_of(item: Mapping[str, Any]) -> tuple[str, str, str]:
    """Day, gateway and currency of such a shard."""
    day, gateway, currency, _ = str(item["sk"]).split("#")
    return day, gateway, currency


def money(what: str, day: date, at: datetime, name: str) -> Key:
    """That a payment came, or that a refund went back, on a day of the shop's: by its instant and its reference or id."""
    return {"pk": money_of_day(what, day), "sk": f"{instant(at)}#{name}"}


def money_of_day(what: str, day: date) -> str:
    """The partition of what came, or of what went back, on that day."""
    return f"{MONEY}{what}#{day.isoformat()}"


NEWS: Final = "NEWS"
"""The partition of what the shop is still to hear by e-mail."""


def news(at: datetime, event_id: str) -> Key:
    """One event that the shop is to hear of; they follow each other in the order in which they left."""
    return {"pk": NEWS, "sk": f"{instant(at)}#{event_id}"}


def news_id(item: Mapping[str, Any]) -> str:
    """The event's id that one of them holds."""
    return str(item["sk"]).partition("#")[2]


def news_turn() -> Key:
    """From when on the next e-mail to the shop may leave."""
    return {"pk": "TURN", "sk": NEWS}


def gateway_token(gateway: str) -> Key:
    """The access token that containers share."""
    return {"pk": f"TOKEN#{gateway}", "sk": "TOKEN"}


def due(what: str, key: Key, at: datetime) -> Key:
    """The keys of the sparse index for an item at `key` that needs work of kind `what` at `at`."""
    return {"due_pk": due_partition(what, shard_of(key)), "due_sk": instant(at)}


def is_due_as(item: Mapping[str, Any], what: str) -> bool:
    """Whether the item waits for work of kind `what`."""
    return str(item.get("due_pk", "")).startswith(f"{what}#")


def waits_for(item: Mapping[str, Any]) -> Due:
    """What kind of work an item that is due waits for; a dead letter waits for a person."""
    return Due(str(item["due_pk"]).partition("#")[0])


def due_partition(what: str, shard: int) -> str:
    """One of the 8 partitions of a kind of work."""
    return f"{what}#{shard}"


def dead_letters(what: str) -> str:
    """Where entries of a kind of work wait that failed too often: on the person's list, in one partition of their own."""
    return f"{REVIEW}#{what}"


def shard_of(key: Key) -> int:
    """The shard of an item, from its key alone."""
    return hashlib.sha256(f"{key['pk']}|{key['sk']}".encode()).digest()[0] % SHARDS


@dataclass(frozen=True, slots=True)
class Named:
    """What stands at a key: the attempt (`ref`) or the customer (`owner`) that it belongs to, and its number there."""

    thing: Thing
    ref: str | None
    owner: str | None
    number: int | None


def key_of(item: Mapping[str, Any]) -> Key:
    """The key of an item, or of an entry of the index."""
    return {"pk": item["pk"], "sk": item["sk"]}


def named(key: Mapping[str, Any]) -> Named:
    """What stands at `key`; ValueError for what never needs work."""
    partition, sort = str(key["pk"]), str(key["sk"]).split("#")
    ref = partition.removeprefix("ATT#") if partition.startswith("ATT#") else None
    sub = partition.removeprefix("U#") if partition.startswith("U#") else None
    thing = Thing(sort[0])
    numbered = len(sort) > 1 and thing not in (Thing.DOUBT, Thing.NOTICE)
    return Named(thing, ref, sub, int(sort[1]) if numbered else None)


def name_of(key: Mapping[str, Any]) -> str:
    """What people call the thing at `key`: an attempt's reference, a refund's id, else the key in one line."""
    there = named(key)
    if there.thing is Thing.REFUND:
        return refund_id(there.ref or "", there.number or 0)
    if there.thing is Thing.NOTICE and there.ref is not None:
        return f"INBOX#{there.ref}#{str(key['sk']).removeprefix(NOTICES)}"
    if there.owner is not None:
        return f"{key['pk']} {key['sk']}"
    return there.ref or str(key["pk"])


def key_named(name: str) -> Key | None:
    """The key of the thing with that name (see `name_of`); None for what is no name."""
    back = parts_of_refund_id(name)
    if back is not None:
        return refund(*back)
    partition, _, sort = name.partition(" ")
    if partition.startswith("INBOX#"):
        ref, _, digest = partition.removeprefix("INBOX#").rpartition("#")
        return notice(ref, digest) if ref else {"pk": partition, "sk": Thing.NOTICE.value}
    if partition.startswith("U#"):
        return {"pk": partition, "sk": sort} if sort.partition("#")[0] in _OF_CUSTOMERS else None
    return attempt(name)


_OF_CUSTOMERS: Final = frozenset({Thing.SESSION, Thing.BOOKING, Thing.EVENT})

FAILURES: Final = ("tries", "dead_since")
"""What an item remembers of its failures: how many in a row, and since when it is a dead letter."""

NOT_DUE: Final = ("due_pk", "due_sk")
"""The attributes to remove from an item that needs no more work."""
