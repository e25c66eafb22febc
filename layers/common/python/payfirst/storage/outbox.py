"""The outbox: entries of timelines that still have to leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from payfirst.domain.clock import instant
from payfirst.storage import keys
from payfirst.storage.expressions import Item, Update, present
from payfirst.storage.table import Table, transact


def mark_delivered(table: Table, items: Sequence[Item], now: datetime) -> None:
    """These entries (100 at most) have left; the timeline keeps them."""
    if items:
        transact(
            table,
            [
                Update(
                    f"event{number}",
                    {"pk": item["pk"], "sk": item["sk"]},
                    when=(present("pk"),),
                    set={"delivered_at": instant(now)},
                    remove=keys.NOT_DUE,
                )
                for number, item in enumerate(items)
            ],
        )
