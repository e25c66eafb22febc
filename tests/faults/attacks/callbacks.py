"""Callbacks and webhooks for attacks: made, changed and posted; and gateways or tables that cannot be reached meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.storage.dynamodb import keys
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.settlement.take_notice import Taken, take_signed_notice
from tests.faults.attacks.meanwhile import has
from tests.faults.seam import Fault
from tests.faults.told import Notice
from tests.faults.world import World

HEADER: Final = sha256(b"shop:hook-word").hexdigest()
HOOK: Final = PhonePeCredentials("client", "client-secret", "1", webhook_username="shop", webhook_password="hook-word")
OUR_SHOP: Final = replace(HOOK, merchant_id="OURSHOP")


def changed(world: World, change: Callable[[dict[str, Any]], None]) -> Notice:
    """The next notice of M-Pesa's, with its result changed; it is not posted as it was."""
    notice = world.ledger.notices.pop(0)
    body = json.loads(notice.raw)
    change(body["Body"]["stkCallback"])
    return replace(notice, raw=json.dumps(body).encode())


def without_amount(result: dict[str, Any]) -> None:
    """A change for `changed`: the success states no amount."""
    result["CallbackMetadata"]["Item"] = [item for item in result["CallbackMetadata"]["Item"] if item["Name"] != "Amount"]


def without_ids(world: World, started: Started) -> None:
    """The answer to the push never came."""
    has(keys.attempt(started.attempt.ref), gateway_id=None, merchant_request_id=None, status="unknown")(world)


def calls(world: World, act: Callable[[], Any]) -> int:
    """How many requests `act` makes at the seam."""
    world.seam.active = True
    world.seam.made.clear()
    act()
    world.seam.active = False
    return len(world.seam.made)


def failing(world: World, fault: Fault, *operations: str) -> None:
    """From now on every one of these operations meets `fault`."""
    world.seam.active = True
    world.seam.plan = lambda boundary: fault if boundary.operation in operations else None


def found_again(world: World) -> None:
    """Nothing fails any more."""
    world.seam.active, world.seam.plan = False, lambda _: None
    world.seam.made.clear()


def phonepe(world: World, raw: bytes, credentials: PhonePeCredentials = HOOK) -> Taken:
    """What becomes of a webhook of PhonePe's with this body, which is signed as `credentials` want it."""
    return take_signed_notice(world.notice_context(), "PHONEPE", HEADER, raw, credentials)


def phonepe_body(ref: str | None, event: str = "checkout.order.completed", **facts: str) -> bytes:
    """A webhook of PhonePe's about one order, or about none; `facts` take the place of what it says."""
    payload = {"state": "COMPLETED", "amount": 51000} | facts | ({} if ref is None else {"merchantOrderId": ref})
    return json.dumps({"event": event, "payload": payload}).encode()
