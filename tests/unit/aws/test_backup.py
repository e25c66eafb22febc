"""A table is written to a file and back through DynamoDB's own batches, whatever part of them it takes at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from local.embedded_aws import TEMPLATE
from local.resources import create_table
from ops import backup
from ops.backup import export, restore
from ops.table_file import TableFileError
from payfirst.domain.clock import Deadline
from payfirst.storage.dynamodb.expressions import Put
from payfirst.storage.dynamodb.table import Table, write
from tests.unit.aws.conftest import ELSEWHERE, InProcessAws

ITEMS = 60


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.jsonl.gz"


def table(aws: InProcessAws, name: str) -> Table:
    client = aws.client("dynamodb")
    create_table(client, TEMPLATE, name)
    return Table(client, name, Deadline(lambda: 25.0))


def filled(aws: InProcessAws) -> Table:
    shop = table(aws, "shop")
    for number in range(ITEMS):
        write(shop, Put("item", {"pk": f"A#{number}", "sk": "A", "amount": number}))
    return shop


def test_a_table_comes_back_as_it_was(aws: InProcessAws, file: Path) -> None:
    written = export(filled(aws), file)
    empty = table(aws, "another")
    requests = aws.heard(empty.client, "BatchWriteItem")
    assert restore(empty, file) == written
    assert [len(request["RequestItems"]["another"]) for request in requests] == [25, 25, 10]
    with pytest.raises(TableFileError, match="not empty"):
        restore(empty, file)


def test_what_a_batch_leaves_out_is_put_again_and_not_for_ever(aws: InProcessAws, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = table(aws, "shop")
    monkeypatch.setattr(backup, "FIRST_PAUSE_S", 0.0)
    items: list[dict[str, Any]] = [{"pk": {"S": f"A#{number}"}, "sk": {"S": "A"}} for number in range(3)]
    puts = [{"PutRequest": {"Item": item}} for item in items]
    with Stubber(shop.client) as stubbed:
        stubbed.add_response("batch_write_item", {"UnprocessedItems": {"shop": puts[1:]}}, {"RequestItems": {"shop": puts}})
        stubbed.add_response("batch_write_item", {"UnprocessedItems": {}}, {"RequestItems": {"shop": puts[1:]}})
        backup.put_all(shop, iter(items))
        stubbed.assert_no_pending_responses()
        for _ in range(backup.MOST_TRIES):
            stubbed.add_response("batch_write_item", {"UnprocessedItems": {"shop": puts[:1]}}, {"RequestItems": ANY})
        with pytest.raises(TableFileError, match="1 items could not be written"):
            backup.put_all(shop, iter(items))


def test_a_table_of_another_region_is_not_there(aws: InProcessAws, file: Path) -> None:
    filled(aws)
    there = Table(aws.client("dynamodb", ELSEWHERE), "shop", Deadline(lambda: 25.0))
    with pytest.raises(there.client.exceptions.ResourceNotFoundException):
        export(there, file)
