"""A fault befalls a request to the table whichever client makes it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.faults.seam import Fault, Seam
from tests.faults.wire import wired

KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}


@pytest.mark.parametrize(
    ("fault", "error", "stored"),
    [
        (Fault.THROTTLE, ClientError, False),
        (Fault.LOST_REQUEST, BotoCoreError, False),
        (Fault.LOST_RESPONSE, BotoCoreError, True),
        (Fault.SENT_AGAIN, ClientError, True),
    ],
)
def test_each_client_meets_it(
    table_clients: list[Any],
    table_name: str,
    fault: Fault,
    error: type[Exception],
    stored: bool,  # noqa: FBT001 - a case
) -> None:
    for client in table_clients:
        seam = Seam(plan=lambda _: fault, active=True)
        with wired(client, seam), pytest.raises(error):
            client.put_item(TableName=table_name, Item=KEY, ConditionExpression="attribute_not_exists(pk)")
        assert [boundary.operation for boundary in seam.made] == ["PutItem"]
        assert ("Item" in client.get_item(TableName=table_name, Key=KEY)) is stored
        client.delete_item(TableName=table_name, Key=KEY)
