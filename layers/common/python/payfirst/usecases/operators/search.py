"""Find a payment by whatever a person has of it: a receipt, a code, a phone number or its last four digits, an address."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from payfirst.domain.errors import FairUseError, FieldProblem, InvalidInputError
from payfirst.domain.fair_use import seconds_until_next_hour
from payfirst.domain.ids import read_id
from payfirst.domain.money import Money
from payfirst.domain.refund import parts_of_refund_id
from payfirst.domain.searching import LAST_DIGITS, By, keyed
from payfirst.domain.session import Kind, RefundShown, Session
from payfirst.domain.text import clean
from payfirst.gateways.registry import names
from payfirst.observability import note
from payfirst.storage import findings, lookup
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table, batch_get
from payfirst.usecases.checkout.phone_number import number_to_find

MOST_AN_HOUR: Final = 120
"""Searches of one person: all four-digit ends of numbers would take four days."""

LONGEST: Final = 100
CODE, RECEIPT = "code", "receipt"

_RECEIPT: Final = re.compile(r"[A-Za-z0-9_-]{5,64}")
_WRITE: Final = "Write a receipt, TXN…, MT…, ORD-…, BK-…, R…, an e-mail address, or a phone number or its last four digits."
_KINDS: Final = {Kind.BOOKING: keys.BOOKING, Kind.ORDER: keys.ORDER}


@dataclass(frozen=True, slots=True)
class Found:
    """One payment: what it became (an order, a booking, or still a session), under which code, how that stands, and since when.

    `code` is what `payfirst show` takes; `customer` whose it is; `refund` the latest one.
    """

    kind: str
    code: str
    status: str
    amount: Money
    at: datetime
    customer: str
    refund: RefundShown | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What was searched for (`By`, `CODE`, `RECEIPT`), the payments, newest first, and where older ones begin."""

    what: str
    found: tuple[Found, ...]
    before: int | None = None


def search(
    table: Table,
    key: Callable[[], bytes],
    text: str,
    now: datetime,
    *,
    by: str,
    token: str,
    size: int,
    before: int | None = None,
) -> Search:
    """The payments that go by `text`: `size` of them (100 at most), or as many older than `before`.

    Recorded with who (`by`) and for what kind of name, never the name. InvalidInputError on `q`; FairUseError after 120 in a
    clock hour.
    """
    what, name = read(text)
    try:
        findings.record(table, MOST_AN_HOUR, what, now, by=by, token=token)
    except ConditionFailedError as error:
        said = f"You have searched {MOST_AN_HOUR} times in this hour, as often as one person may; please try again later."
        raise FairUseError(said, retry_after_seconds=seconds_until_next_hour(now)) from error
    note("operator.searched", what=what)
    if what in (CODE, RECEIPT):
        session = lookup.by_code(table, name) if what == CODE else lookup.by_receipt(table, names(), (name, name.upper()))
        return Search(what, _shown(table, () if session is None else (session,), now))
    page = findings.page(table, keyed(key(), By(what), name), size=size, before=before)
    return Search(what, _shown(table, page.sessions, now), page.before)


def read(text: str) -> tuple[str, str]:
    """What kind of name `text` is, and the name as it is looked up; InvalidInputError on `q` for what can be none."""
    try:
        given = clean(text)
    except ValueError as error:
        raise InvalidInputError(FieldProblem("q", str(error))) from error
    refund = parts_of_refund_id(given)
    if refund is not None:
        return CODE, refund[0]
    for form in (given, given.upper(), given[:2].upper() + given[2:].lower()):
        known = read_id(form)
        if known is not None and known.code is not None:
            return CODE, known.code
    if len(given) <= LONGEST and "@" in given[1:-1]:
        return By.EMAIL, given.casefold()
    if len(given) == LAST_DIGITS and given.isascii() and given.isdigit():
        return By.LAST_DIGITS, given
    number = number_to_find(given) if len(given) <= LONGEST else None
    if number is not None:
        return By.PHONE, number
    if not _RECEIPT.fullmatch(given):
        raise InvalidInputError(FieldProblem("q", _WRITE))
    return RECEIPT, given


def _shown(table: Table, sessions: tuple[Session, ...], now: datetime) -> tuple[Found, ...]:
    """Each with the status of what it became, which is read in one request for all."""
    became = [session for session in sessions if session.outcome]
    places = [keys.owned(each.customer.sub, _KINDS[each.kind], each.outcome.number) for each in became if each.outcome]
    statuses = {each.uuid: item["status"] for each, item in zip(became, batch_get(table, places), strict=True) if item}
    return tuple(_found(session, statuses.get(session.uuid), now) for session in sessions)


def _found(session: Session, status: str | None, now: datetime) -> Found:
    code = session.outcome.code if session.outcome else session.latest.ref if session.latest else session.uuid
    return Found(
        session.kind if session.outcome else "session",
        code,
        status or session.status_at(now),
        session.amount,
        session.created_at,
        session.customer.sub,
        session.refund,
    )
