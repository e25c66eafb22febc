"""Which attributes of stored items say who a customer is, and what an item is without them.

Amounts, receipts, ids, instants, and what was bought say nothing about the person once nobody can look up whose they are; they
stay for the books. Free texts stay as well, unless they hold one of the customer's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item

ERASED: Final = "erased on request"
"""What stands in place of a text that named the customer."""

_EMPTIED: Final = frozenset({"full_name", "phone_number", "detailed_address", "special_instructions"})
"""What readers of an item expect to be there."""

_TAKEN_OUT: Final = frozenset(
    {"email", "customer_name", "address", "estimated_delivery_date", "phone", "phone_lock", "payment_url", "raw"}
)
_FREE_TEXTS: Final = frozenset({"why", "reason", "detail", "review", "message", "closed_because"})
_CUSTOMERS_EVENTS: Final = ("booking.", "order.")
_NAMED: Final = frozenset({"full_name", "customer_name"})
_WRITTEN: Final = frozenset({"email", "detailed_address", "address", "special_instructions"})
_NUMBERS: Final = frozenset({"phone_number", "phone"})
_SUBSCRIBER: Final = 9
"""The last digits of a phone number, which all of its writings share."""

_SHORTEST_NAME: Final = 3
_SHORTEST_TEXT: Final = 6


@dataclass(frozen=True, slots=True)
class Words:
    """What a customer can be known by: parts of names, whole texts (both in lower case), and the ends of phone numbers."""

    names: frozenset[str]
    texts: frozenset[str]
    numbers: frozenset[str]

    @classmethod
    def of(cls, items: Iterable[Item]) -> Words:
        """The words in the customer's own items."""
        names: set[str] = set()
        texts: set[str] = set()
        numbers: set[str] = set()
        for name, text in _texts(list(items)):
            if name in _NAMED:
                names |= {part for part in re.findall(r"\w+", text.casefold()) if len(part) >= _SHORTEST_NAME}
            elif name in _WRITTEN and len(text) >= _SHORTEST_TEXT:
                texts.add(text.casefold())
            elif name in _NUMBERS:
                digits = re.sub(r"\D", "", text)
                numbers |= {digits[-_SUBSCRIBER:]} if len(digits) >= _SUBSCRIBER else set()
        return cls(frozenset(names), frozenset(texts), frozenset(numbers))

    def occur_in(self, text: str) -> bool:
        """Whether `text` holds any of them."""
        lower, digits = text.casefold(), re.sub(r"\D", "", text)
        parts = set(re.findall(r"\w+", lower))
        return (
            not self.names.isdisjoint(parts)
            or any(known in lower for known in self.texts)
            or any(known in digits for known in self.numbers)
        )


NO_WORDS: Final = Words(frozenset(), frozenset(), frozenset())


def _texts(value: Any, name: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for inner, each in value.items():
            yield from _texts(each, inner)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, name)


def without_the_person(item: Item, words: Words) -> Item:
    """`item` without what says who the customer is; the same item where nothing does."""
    theirs = _is_customers_own_text(item)
    cleaned: Item = _cleaned(item, words, drop_reasons=theirs)
    checkout = item.get("gateway_id")
    if keys.is_attempt(item) and checkout and item.get("phone"):
        cleaned["gateway_id"] = keys.hashed(checkout)  # what names a prompt may end with the payer's phone number
    return cleaned


def _is_customers_own_text(item: Item) -> bool:
    """Whether the reasons in `item` are the customer's words, or were written for them."""
    return keys.kind_of(item) in (keys.BOOKING, keys.ORDER) or str(item.get("event", "")).startswith(_CUSTOMERS_EVENTS)


def _cleaned(value: Any, words: Words, *, drop_reasons: bool, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {
            inner: _cleaned(each, words, drop_reasons=drop_reasons, name=inner)
            for inner, each in value.items()
            if inner not in _TAKEN_OUT and not (drop_reasons and inner == "reason")
        }
    if isinstance(value, list):
        return [_cleaned(each, words, drop_reasons=drop_reasons, name=name) for each in value]
    if isinstance(value, str) and name in _EMPTIED:
        return ""
    if isinstance(value, str) and name in _FREE_TEXTS and words.occur_in(value):
        return ERASED
    return value
