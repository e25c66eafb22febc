"""Two ledgers, joined to the minor unit: what the gateways have collected, and what the shop made of it.

Every collected amount has to be a booking, an order, a refund or on the list that a person sees; and nothing of these may be
there without a collected amount.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import boto3
import requests

from local.simulators.ids import masked_ref
from payfirst.domain.moves import AttemptStatus, RefundStatus
from payfirst.storage import keys
from payfirst.storage.expressions import Item, from_wire

CALLBACK: Final = re.compile(r"/cb/stk/([0-9a-f]{13})")
PATIENCE_S: Final = 30


class Became(StrEnum):
    """What the shop made of a collected amount."""

    BOOKING = "booking"
    ORDER = "order"
    REFUND = "refund"
    REVIEW = "review"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Capture:
    """An amount that a gateway has collected, in minor units; `ref` is our attempt's, `shown` may stand in a log."""

    gateway: str
    ref: str | None
    shown: str
    amount: int
    currency: str
    refunded: int


@dataclass(frozen=True, slots=True)
class Line:
    """One capture and what it became; `difference` is what is wrong about it."""

    capture: Capture
    became: Became
    difference: str | None = None


@dataclass(frozen=True, slots=True)
class Books:
    """Every capture with what it became, and what the shop has without a capture."""

    lines: tuple[Line, ...]
    without_money: tuple[str, ...]

    @property
    def differences(self) -> list[str]:
        """Each difference as a sentence."""
        wrong = [f"{line.capture.gateway} {line.capture.shown}: {line.difference}" for line in self.lines if line.difference]
        return [*wrong, *self.without_money]


def read_captures(simulator_url: str) -> list[Capture]:
    """What the simulated gateways have collected."""
    book = _json(f"{simulator_url}/control/ledger")
    addresses = {seen["ref"]: seen["callback_url"] or "" for seen in _json(f"{simulator_url}/control/attempts")}
    return [
        Capture(
            gateway=entry["gateway"],
            ref=_our_ref(entry, addresses.get(entry["ref"], "")),
            shown=masked_ref(entry["ref"]),
            amount=entry["amount"],
            currency=entry["currency"],
            refunded=entry["refunded"],
        )
        for entry in book
    ]


def _our_ref(entry: Mapping[str, Any], address: str) -> str | None:
    """PhonePe carries our reference; M-Pesa only the address that we gave it, which begins with the reference's digits."""
    if entry["gateway"] == "phonepe":
        return str(entry["ref"])
    found = CALLBACK.search(address)
    return f"MT{found[1]}" if found else None


def _json(address: str) -> list[Any]:
    answer = requests.get(address, timeout=PATIENCE_S)
    answer.raise_for_status()
    return list(answer.json())


def read_items(environment: Mapping[str, str]) -> list[Item]:
    """Everything in the stack's table."""
    client = boto3.session.Session().client(
        "dynamodb",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    pages = client.get_paginator("scan").paginate(TableName=environment["TABLE_NAME"], ConsistentRead=True)
    return [from_wire(item) for page in pages for item in page["Items"]]


def compare(captures: Sequence[Capture], items: Iterable[Item], *, expected: Callable[[Item], bool] = lambda _: True) -> Books:
    """Join both ledgers. `expected` says which paid attempts the captures have to list, all of them if it is left out."""
    found = {(item["pk"], item["sk"]): item for item in items}
    lines = tuple(_line(capture, found) for capture in captures)
    return Books(lines, tuple(_without_money({capture.ref for capture in captures}, found, expected)))


Found = Mapping[tuple[str, str], Item]


def _line(capture: Capture, found: Found) -> Line:
    attempt = found.get((f"ATT#{capture.ref}", "ATT"))
    if attempt is None:
        return Line(capture, Became.NOTHING, "the shop knows no such attempt")
    if attempt["status"] == AttemptStatus.NEEDS_REVIEW:
        return Line(capture, Became.REVIEW)
    if "captured" not in attempt:
        return Line(capture, Became.NOTHING, f"the shop's attempt is {attempt['status']} and has no money")
    if (attempt["captured"], attempt["currency"]) != (capture.amount, capture.currency):
        return Line(capture, Became.NOTHING, f"{capture.amount} was collected, {attempt['captured']} recorded")
    refunds = [item for (pk, sk), item in found.items() if pk == attempt["pk"] and sk.startswith("R#")]
    owed = sum(item["amount"] for item in refunds if item["status"] != RefundStatus.FAILED)
    if max(owed, capture.refunded) > capture.amount:
        return Line(capture, Became.REFUND, f"{max(owed, capture.refunded)} of {capture.amount} goes back")
    if attempt["status"] == AttemptStatus.REFUND_DUE:
        stuck = any(item["status"] == RefundStatus.NEEDS_REVIEW for item in refunds)
        wrong = None if owed == capture.amount else f"{owed} of {capture.amount} goes back"
        return Line(capture, Became.REVIEW if stuck else Became.REFUND, wrong)
    return _outcome(capture, attempt, found)


def _outcome(capture: Capture, attempt: Item, found: Found) -> Line:
    owner = keys.owner(attempt["owner"])
    session = found.get((owner, keys.entry(keys.SESSION, int(attempt["session_number"]))))
    outcome = (session or {}).get("outcome")
    if session is None or outcome is None or session.get("captured") != capture.ref:
        return Line(capture, Became.NOTHING, "the money was recorded and became nothing")
    what = keys.ORDER if attempt["kind"] == "order" else keys.BOOKING
    became = Became.ORDER if what == keys.ORDER else Became.BOOKING
    made = [
        item
        for (pk, sk), item in found.items()
        if pk == owner and sk[:2] in ("O#", "B#") and item.get("session_number") == int(attempt["session_number"])
    ]
    if [item["sk"] for item in made] != [keys.entry(what, int(outcome["number"]))]:
        return Line(capture, became, f"its session has {len(made)} bookings or orders, not its one {became}")
    if made[0]["amount"] != capture.amount:
        return Line(capture, became, f"{capture.amount} was collected, the {became} is over {made[0]['amount']}")
    return Line(capture, became)


def _without_money(collected: set[str | None], found: Found, expected: Callable[[Item], bool]) -> Iterable[str]:
    sessions: Counter[tuple[str, int]] = Counter()
    for (pk, sk), item in found.items():
        ref = pk.removeprefix("ATT#")
        if sk == "ATT" and "captured" in item:
            if ref not in collected and expected(item):
                yield f"attempt {ref}: the shop recorded {item['captured']}, no gateway collected it"
            sessions[keys.owner(item["owner"]), int(item["session_number"])] += 1
    for (pk, sk), item in found.items():
        is_outcome = pk.startswith("U#") and sk[:2] in ("O#", "B#") and "session_number" in item
        if is_outcome and not sessions[pk, int(item["session_number"])]:
            yield f"{item.get('order_number') or item.get('book_id')}: nobody paid for it"
