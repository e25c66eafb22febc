"""What tests share: an embedded AWS, tables made from `template.yaml`, and a whole running stack.

Everything is started on free ports when the first test needs it; with several test processes each has its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
import requests

from local.embedded_aws import TEMPLATE, EmbeddedAws, create_table
from local.stack import Issuer, LocalStack
from payfirst.domain.clock import Deadline
from payfirst.storage.table import Table
from tests.issuer import TokenIssuer, running_issuer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

SCHEDULE_SECONDS: Final = 2.0


@pytest.fixture(scope="session")
def embedded_aws() -> Iterator[EmbeddedAws]:
    """A running MiniStack whose state is gone afterwards."""
    with EmbeddedAws() as aws:
        yield aws


@pytest.fixture(scope="session")
def dynamodb(embedded_aws: EmbeddedAws) -> DynamoDBClient:
    """A low-level client of the embedded DynamoDB that retries nothing."""
    client: DynamoDBClient = embedded_aws.client("dynamodb")
    return client


@pytest.fixture
def table_name(dynamodb: DynamoDBClient) -> Iterator[str]:
    """A new, empty table as the template declares it, for one test."""
    name = f"payfirst-{uuid4().hex}"
    create_table(dynamodb, TEMPLATE, name)
    yield name
    dynamodb.delete_table(TableName=name)


@pytest.fixture
def table(dynamodb: DynamoDBClient, table_name: str) -> Table:
    """A new, empty table behind the handle that the package's functions take."""
    return Table(dynamodb, table_name, Deadline(lambda: 30.0))


@pytest.fixture(scope="session")
def issuer() -> Iterator[TokenIssuer]:
    """Signs customers' tokens with any claims."""
    with running_issuer() as running:
        yield running


class RunningStack(LocalStack):
    """A whole stack with customers of the tests' own making and a hand on the simulators."""

    def __init__(self, issuer: TokenIssuer, **options: Any) -> None:
        super().__init__(
            issuer=Issuer(issuer.issuer, issuer.audience, issuer.jwks_url), schedule_seconds=SCHEDULE_SECONDS, **options
        )
        self._tokens = issuer

    def token(self, *, user_id: int = 1, email: str = "user@example.com", sub: str | None = None, **claims: Any) -> str:
        """An ID token for a customer who may be new; `sub` is who they are, a new one if absent."""
        return self._tokens.token(user_id=user_id, email=email, sub=sub, **claims)

    def decide(self, gateway: str, reference: str, outcome: str = "pay", **more: Any) -> None:
        """Let the simulator end the attempt `reference` at `gateway` (`mpesa`, `phonepe`)."""
        answer = requests.post(
            f"{self.simulator_url}/control/{gateway}/{reference}", json={"outcome": outcome, **more}, timeout=10
        )
        assert answer.ok, f"the simulator answers {answer.status_code}: {answer.text}"


@pytest.fixture(scope="session")
def stack(issuer: TokenIssuer) -> Iterator[RunningStack]:
    """The whole stack: embedded AWS, catalogue, simulators and functions; sweeps run every other second."""
    with RunningStack(issuer) as running:
        running.wait_until_warm()
        yield running
