"""The same faults on the wire of both real clients: requests are dropped, answers cut off or forged, where they leave them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError, ProtocolError

from payfirst.storage.dynamodb.expressions import from_wire
from payfirst.storage.dynamodb.signed import JSON, SignedClient
from tests.faults.model_table import ModelTable
from tests.faults.seam import Fault, Seam, Service, fulfils, lost_connection, met, refusal_body

EVENT: Final = "before-send.dynamodb"
BATCH: Final = 25
TYPED: Final = {"Content-Type": JSON}


class _Raw:
    """An answer's body as urllib3 would hand it over."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body


def wired(client: Any, seam: Seam) -> AbstractContextManager[None]:
    """Every request of `client`, ours or botocore's, passes `seam` while the block runs."""
    return _wired_pool(client, seam) if isinstance(client, SignedClient) else _wired_botocore(client, seam)


def _fate(seam: Seam, operation: str, body: bytes) -> tuple[Fault | None, bytes | None]:
    """What befalls a request, and with which words it is refused."""
    actions = json.loads(body or b"{}").get("TransactItems", ())
    fault = seam.passes(Service.TABLE, operation, fulfils=fulfils(actions))
    refusal = fault and refusal_body(fault, operation, len(actions))
    return fault, json.dumps(refusal).encode() if refusal else None


class _Pool:
    """Takes the place of our client's connections."""

    def __init__(self, pool: Any, seam: Seam) -> None:
        self._pool, self._seam = pool, seam

    def urlopen(self, *given: Any, body: bytes, headers: Mapping[str, str], **more: Any) -> Any:
        def send() -> Any:
            return self._pool.urlopen(*given, body=body, headers=headers, **more)

        fault, refusal = _fate(self._seam, headers["X-Amz-Target"].rsplit(".", 1)[1], body)
        if refusal is not None:
            return HTTPResponse(refusal, status=400, headers=TYPED)
        if fault is Fault.SENT_AGAIN:
            with suppress(HTTPError):  # an answer that nobody hears
                send()
            return send()
        return met(fault, send, lambda: ProtocolError("lost"))


@contextmanager
def _wired_pool(client: Any, seam: Seam) -> Iterator[None]:
    before, client._pool = client._pool, _Pool(client._pool, seam)  # noqa: SLF001 - where its requests leave it
    try:
        yield
    finally:
        client._pool = before  # noqa: SLF001


@contextmanager
def _wired_botocore(client: Any, seam: Seam) -> Iterator[None]:
    connection = URLLib3Session(timeout=30)

    def before_send(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse | None:
        body: Any = request.body
        fault, refusal = _fate(seam, event_name.rsplit(".", 1)[1], body)
        if fault is None:
            return None
        if refusal is not None:
            headers: Any = TYPED
            return AWSResponse(request.url, 400, headers, _Raw(refusal))
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
