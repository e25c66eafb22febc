"""The keys of what may need work: where it waits in the sparse index `due`, and what people call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from payfirst.domain.clock import instant, read_instant
from payfirst.domain.refund import parts_of_refund_id, refund_id
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.keys import Key, shard_of


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

    ATTEMPT = keys.ATTEMPT
    REFUND = keys.REFUND
    NOTICE = keys.NOTICE
    DOUBT = keys.DOUBT
    EVENT = keys.EVENT
    SESSION = keys.SESSION
    BOOKING = keys.BOOKING


NOT_DUE: Final = ("due_pk", "due_sk")
"""The attributes to remove from an item that needs no more work."""

FAILURES: Final = ("tries", "dead_since")
"""What an item remembers of its failures: how many in a row, and since when it is a dead letter."""


def due(what: str, key: Key, at: datetime) -> Key:
    """The keys of the index for an item at `key` that needs work of kind `what` at `at`."""
    return place(partition(what, shard_of(key)), at)


def place(partition: str, at: datetime) -> Key:
    """The keys of the index for what waits in that partition of it until `at`."""
    return {"due_pk": partition, "due_sk": instant(at)}


def is_due(item: Mapping[str, Any]) -> bool:
    """Whether the item waits for work of any kind, now or later."""
    return "due_pk" in item


def is_due_as(item: Mapping[str, Any], what: str) -> bool:
    """Whether the item waits for work of kind `what`."""
    return str(item.get("due_pk", "")).startswith(f"{what}#")


def waits_for(item: Mapping[str, Any]) -> Due:
    """What kind of work an item that is due waits for; a dead letter waits for a person."""
    return Due(str(item["due_pk"]).partition("#")[0])


def partition_of(item: Mapping[str, Any]) -> str:
    """The partition of the index in which an item that is due waits."""
    return str(item["due_pk"])


def due_at(item: Mapping[str, Any]) -> datetime:
    """When an item that is due needs its work."""
    return read_instant(item["due_sk"])


def partition(what: str, shard: int) -> str:
    """One of the 8 partitions of a kind of work."""
    return f"{what}#{shard}"


def dead_letters(what: str) -> str:
    """Where entries of a kind of work wait that failed too often: on the person's list, in one partition of their own."""
    return f"{REVIEW}#{what}"


def work_in(partition: str) -> str:
    """The kind of work that an entry of this partition of the index needs, whether it is a dead letter or not."""
    kind, _, shard_or_kind = partition.partition("#")
    return kind if shard_or_kind.isdigit() else shard_or_kind


_PLACE: Final = (*NOT_DUE, "pk", "sk")


def text_of_place(entry: Mapping[str, Any]) -> str:
    """Where an entry stands in the index, in one line."""
    return " ".join(entry[name] for name in _PLACE)


def place_in(text: str) -> dict[str, str]:
    """The inverse of `text_of_place`; ValueError for any other text."""
    head, _, sort = text.rpartition(" ")
    where, at, owner = head.split(" ", 2)
    if not owner:
        raise ValueError("a place without a partition")
    return dict(zip(_PLACE, (where, at, owner, sort), strict=True))


@dataclass(frozen=True, slots=True)
class Named:
    """What stands at a key: the attempt (`ref`) or the customer (`owner`) that it belongs to, and its number there."""

    thing: Thing
    ref: str | None
    owner: str | None
    number: int | None


def named(key: Mapping[str, Any]) -> Named:
    """What stands at `key`; ValueError for what never needs work."""
    sort = str(key["sk"]).split("#")
    thing = Thing(sort[0])
    numbered = len(sort) > 1 and thing not in (Thing.DOUBT, Thing.NOTICE)
    of_attempt, of_customer = (str(key["pk"]).startswith(head) for head in (keys.ATTEMPTS, keys.OWNERS))
    return Named(
        thing,
        keys.ref_of(key) if of_attempt else None,
        keys.owner_of(key) if of_customer else None,
        int(sort[1]) if numbered else None,
    )


def name_of(key: Mapping[str, Any]) -> str:
    """What people call the thing at `key`: an attempt's reference, a refund's id, else the key in one line."""
    there = named(key)
    if there.thing is Thing.REFUND:
        return refund_id(there.ref or "", there.number or 0)
    if there.thing is Thing.NOTICE and there.ref is not None:
        return f"{_NOTICE}{there.ref}#{str(key['sk']).removeprefix(keys.NOTICES)}"
    if there.owner is not None:
        return keys.in_line(key)
    return there.ref or str(key["pk"])


def key_named(name: str) -> Key | None:
    """The key of the thing with that name (see `name_of`); None for what is no name."""
    back = parts_of_refund_id(name)
    if back is not None:
        return keys.refund(*back)
    partition, _, sort = name.partition(" ")
    if partition.startswith(_NOTICE):
        ref, _, digest = partition.removeprefix(_NOTICE).rpartition("#")
        return keys.notice(ref, digest) if ref else {"pk": partition, "sk": Thing.NOTICE.value}
    if partition.startswith(keys.OWNERS):
        return {"pk": partition, "sk": sort} if sort.partition("#")[0] in _OF_CUSTOMERS else None
    return keys.attempt(name)


def is_like_a_key(name: str) -> bool:
    """Whether that is the name of a notice or of what a customer owns: people call all else by a reference or an id."""
    return name.startswith((_NOTICE, keys.OWNERS))


_NOTICE: Final = f"{Thing.NOTICE}#"
_OF_CUSTOMERS: Final = frozenset({Thing.SESSION, Thing.BOOKING, Thing.EVENT})
