"""One engine's answers: what each case was answered, and what its table held afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from local.embedded_aws import TEMPLATE, AwsEndpoint
from ops.template import load_template
from tests.replay.outcomes import Case, placed
from tests.replay.recording import METHODS, Wire

BATCH: Final = 25
KEY: Final = ("pk", "sk")


@dataclass(frozen=True, slots=True)
class Answer:
    """How one case ended: `code` is DynamoDB's word for a refusal, `items` what stood at its keys afterwards."""

    code: str
    told: Any
    items: tuple[Wire, ...]

    @property
    def failed(self) -> frozenset[int]:
        """The positions whose conditions were false."""
        if self.code == "TransactionCanceledException":
            return frozenset(n for n, reason in enumerate(self.told) if reason["Code"] == "ConditionalCheckFailed")
        return frozenset({0} if self.code == "ConditionalCheckFailedException" else ())


class Engine:
    """A DynamoDB behind `client`, with a table that has the template's keys and indexes."""

    def __init__(self, client: Any) -> None:
        self._client, self._table = client, f"replay-{uuid4().hex}"
        declared = load_template(TEMPLATE)["Resources"]["Table"]["Properties"]
        # Without the stream: moto copies all that has been in it for each action of a transaction.
        keys = {name: declared[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")}
        client.create_table(TableName=self._table, **keys)

    def answer(self, case: Case) -> Answer:
        """What the case is answered. The table is empty before and after, for moto copies it, too."""
        self._write([{"PutRequest": {"Item": item}} for item in case.before if item is not None])
        request = placed(case, self._table, uuid4().hex)
        told = [self._told(case.written.operation, request) for _ in range(case.times)][-1]
        items = sorted(self._client.scan(TableName=self._table, ConsistentRead=True)["Items"], key=by_key)
        self._write([{"DeleteRequest": {"Key": {name: item[name] for name in KEY}}} for item in items])
        return Answer(*told, tuple(items))

    def _write(self, requests: Sequence[Wire]) -> None:
        for start in range(0, len(requests), BATCH):
            answer = self._client.batch_write_item(RequestItems={self._table: requests[start : start + BATCH]})
            if answer.get("UnprocessedItems"):
                raise RuntimeError("the engine left items out")

    def _told(self, operation: str, request: Wire) -> tuple[str, Any]:
        try:
            answer = getattr(self._client, METHODS[operation])(**request)
        except ClientError as error:
            response: Any = error.response
            reasons = [_reason(reason) for reason in response.get("CancellationReasons", ())]
            return response["Error"]["Code"], reasons or response.get("Item")
        return "", answer.get("Attributes")


def of_ministack(port: int, cases: Sequence[Case]) -> list[Answer]:
    """What MiniStack at `port` answers to each case: for a process of its own, beside which moto works in this one."""
    engine = Engine(AwsEndpoint(port).client("dynamodb"))
    return [engine.answer(case) for case in cases]


def _reason(reason: Wire) -> dict[str, Any]:
    return {name: reason[name] for name in ("Code", "Item") if reason.get(name)}


def by_key(item: Wire) -> tuple[str, str]:
    """By what items are sorted."""
    return item["pk"]["S"], item["sk"]["S"]
