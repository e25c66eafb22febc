"""The same faults on the wire of boto3's real client: requests are dropped, answers cut off or forged, where they leave it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from payfirst.storage.dynamodb.expressions import from_wire
from tests.faults.model_table import ModelTable
from tests.faults.seam import Fault, Seam, Service, fulfils, lost_connection, met, refusal_body

EVENT: Final = "before-send.dynamodb"
BATCH: Final = 25


class _Raw:
    """An answer's body as urllib3 would hand it over."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body


@contextmanager
def wired(client: Any, seam: Seam) -> Iterator[None]:
    """Every request of `client` passes `seam` while the block runs."""
    connection = URLLib3Session(timeout=30)

    def before_send(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rsplit(".", 1)[1]
        body: Any = request.body
        actions = json.loads(body or b"{}").get("TransactItems", ())
        fault = seam.passes(Service.TABLE, operation, fulfils=fulfils(actions))
        if fault is None:
            return None
        refusal = refusal_body(fault, operation, len(actions))
        if refusal is not None:
            headers: Any = {"Content-Type": "application/x-amz-json-1.0"}
            return AWSResponse(request.url, 400, headers, _Raw(json.dumps(refusal).encode()))
        if fault is Fault.SENT_AGAIN:
            with suppress(HTTPClientError):  # an answer that nobody hears
                connection.send(request)
            return None
        return met(fault, lambda: connection.send(request), lost_connection)

    client.meta.events.register(EVENT, before_send)
    try:
        yield
    finally:
        client.meta.events.unregister(EVENT, before_send)
        connection.close()


def become(client: Any, name: str, now: ModelTable, wanted: ModelTable) -> None:
    """Let the real table `name`, which holds the items of `now`, hold those of `wanted`."""
    deletes = [
        {"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in now.items if (pk, sk) not in wanted.items
    ]
    puts = [{"PutRequest": {"Item": item}} for key, item in wanted.items.items() if now.items.get(key) != item]
    writes: list[dict[str, Any]] = [*deletes, *puts]
    for start in range(0, len(writes), BATCH):
        answer = client.batch_write_item(RequestItems={name: writes[start : start + BATCH]})
        if answer.get("UnprocessedItems"):
            raise RuntimeError("the embedded table left items out")


def taken(client: Any, name: str) -> ModelTable:
    """The real table's items on a model table."""
    model = ModelTable()
    pages = client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
    for page in pages:
        for item in page["Items"]:
            key = from_wire({"pk": item["pk"], "sk": item["sk"]})
            model.load((key["pk"], key["sk"]), item)
    return model
