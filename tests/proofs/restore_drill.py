"""`make restore-drill`: a shop does business, loses its table, gets it back, and goes on; the books have to agree."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

from local.embedded_aws import TEMPLATE, EmbeddedAws
from local.resources import create_table
from local.stack import LocalStack
from ops.backup import export, restore
from ops.reconcile.books import Books
from ops.table_file import Contents
from ops.token import mint
from payfirst.domain.clock import Deadline
from payfirst.storage.dynamodb.table import Table
from tests.proofs.ledgers import books_of
from tests.proofs.storm_customers import Payment, Storm

SWEEP_S: Final = 1.0
CUSTOMERS: Final = 4
OPERATION_S: Final = 60.0

Say = Callable[[str], None]


class DrillError(Exception):
    """The drill did not end well; the message says where."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill in a folder that is gone afterwards; 1 when anything is missing or the books differ."""
    parser = argparse.ArgumentParser(prog="make restore-drill", description="Export, destroy and restore a table.")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long payments are begun before the loss (10)")
    given = parser.parse_args(arguments)
    started = time.monotonic()

    def say(sentence: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {sentence}", flush=True)

    with tempfile.TemporaryDirectory(prefix="payfirst-drill-") as folder:
        try:
            drill(Path(folder), given.seconds, say)
        except DrillError as error:
            print(error, file=sys.stderr)
            return 1
    say("The drill is over: nothing was lost, and the books agree.")
    return 0


def drill(folder: Path, seconds: float, say: Say) -> Contents:
    """What was lost and came back; DrillError when it is not the same, or the shop cannot go on with it."""
    state, file = folder / "state", folder / "table.jsonl.gz"
    with LocalStack(state_dir=state, schedule_seconds=SWEEP_S) as stack:
        name, tokens = stack.environment["TABLE_NAME"], stack.environment["GATEWAY_TOKENS_TABLE_NAME"]
        payments = storm(stack, seconds)
        check(books_of(stack.environment), "before the loss")
        say(f"{len(payments)} payments were tried in a whole stack; its books agree.")
    with EmbeddedAws(0, state / "aws") as aws:  # the data alone: nobody reads or writes beside the drill
        client = aws.client("dynamodb")
        table = Table(client, name, Deadline(lambda: OPERATION_S))
        exported = export(table, file)
        say(f"{exported.items} items are in a file of {file.stat().st_size:,} bytes.")
        client.delete_table(TableName=name)
        client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        client.delete_table(TableName=tokens)
        say("The table is gone, and the gateways' tokens, which are in no backup.")
        create_table(client, TEMPLATE, name)
        began = time.monotonic()
        restored = restore(table, file)
        say(f"{restored.items} items are back after {time.monotonic() - began:.1f} s, the same as before.")
    if restored != exported:
        raise DrillError("What came back is not what was lost.")
    with LocalStack(state_dir=state, schedule_seconds=SWEEP_S) as stack:
        check(books_of(stack.environment), "after the restore")
        say("The shop is open again; reconcile finds no difference.")
        payments = storm(stack, 0.0)
        check(books_of(stack.environment), "after going on")
        say(f"{len(payments)} more payments were tried; the books still agree.")
    return restored


def storm(stack: LocalStack, seconds: float) -> list[Payment]:
    """Payments with every outcome by customers of the stack's own pool, once each has ended and its customer was told so."""
    stack.wait_until_warm()
    run = uuid4().hex[:8]
    tokens = [mint(stack.environment, 8000 + number, f"drill-{run}-{number}@example.com") for number in range(CUSTOMERS)]
    operator = mint(stack.environment, 7999, f"drill-{run}-operator@example.com", groups=("operators",))
    draw = random.Random(11)  # noqa: S311 - which payments are tried, nothing secret
    at = {"base_url": stack.base_url, "simulator_url": stack.simulator_url}
    customers = Storm(**at, tokens=tokens, operator=operator, draw=draw)
    payments = customers.run(seconds=seconds, each=1, advance=lambda _: None)
    complaints = [payment.complaint for payment in payments if payment.complaint]
    if complaints:
        raise DrillError("\n".join(complaints))
    return payments


def check(books: Books, when: str) -> None:
    """DrillError with every difference."""
    if books.differences or not books.lines:
        raise DrillError("\n".join([f"The books differ {when}:", *map(str, books.differences)]))


if __name__ == "__main__":
    raise SystemExit(main())
