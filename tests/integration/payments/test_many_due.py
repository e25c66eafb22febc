"""Thousands of sessions fall due at once, several sweeps overlap, and one session is broken.

`PAYFIRST_MANY_DUE=10000` takes ten thousand; the usual run takes a thousand.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

from payfirst.domain.clock import Deadline
from payfirst.domain.ids import new_identifier
from payfirst.domain.session import Session
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Update, to_wire
from payfirst.storage.dynamodb.table import write
from payfirst.storage.items import session_to_item
from payfirst.usecases.sweeps.expire_sessions import ExpiryReport, expire_sessions
from tests.integration.payments.shop import LIFETIME, Shop, new_customer

MANY = int(os.environ.get("PAYFIRST_MANY_DUE", "1000"))
OVERLAPPING = 3
BATCH = 25


def _copies(shop: Shop, session: Session) -> Iterator[dict[str, Any]]:
    """As many sessions of other customers, due at the same instant."""
    for _ in range(MANY - 1):
        identifier = new_identifier(shop.now, secrets.token_bytes)
        copy = replace(session, customer=new_customer(), number=identifier.number, uuid=str(identifier.uuid))
        item = session_to_item(copy)
        key = {"pk": item["pk"], "sk": item["sk"]}
        yield {"PutRequest": {"Item": to_wire(item | due_index.due(due_index.EXPIRE, key, copy.expires_at))}}


def test_all_but_the_broken_one_expire_once_while_sweeps_overlap(shop: Shop) -> None:
    broken = shop.session(new_customer())
    puts: list[Any] = list(_copies(shop, broken))
    for start in range(0, len(puts), BATCH):
        shop.table.client.batch_write_item(RequestItems={shop.table.name: puts[start : start + BATCH]})
    key = keys.owned(broken.customer.sub, keys.SESSION, broken.number)
    write(shop.table, Update("session", key, remove=("snapshot",)))
    shop.now += LIFETIME

    def sweep(_: int) -> ExpiryReport:
        return expire_sessions(shop.table, now=shop.now, deadline=Deadline(lambda: 600.0), grace=timedelta(0))

    with ThreadPoolExecutor(OVERLAPPING) as pool:
        reports = list(pool.map(sweep, range(OVERLAPPING)))

    assert sum(report.expired for report in reports) == MANY - 1
    assert all(report.finished for report in reports)
    assert {item["pk"] for item in shop.items() if str(item.get("due_pk", "")).startswith("expire#")} == {key["pk"]}
