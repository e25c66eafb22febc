"""What tests share: an embedded AWS, tables made from `template.yaml`, and a whole running stack.

Everything is started on free ports when the first test needs it; with several test processes each has its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
import requests
from hypothesis import settings

from local.deployed import DeployedStack
from local.embedded_aws import TEMPLATE, EmbeddedAws, create_table
from local.stack import Issuer, LocalStack
from ops.token import mint
from payfirst.domain.clock import Deadline
from payfirst.storage.table import Table
from tests import recorded_rights
from tests.issuer import TokenIssuer, running_issuer
from tests.recorded_rights import pytest_configure, pytest_sessionfinish, pytest_unconfigure

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

__all__ = ["pytest_configure", "pytest_sessionfinish", "pytest_unconfigure"]
"""The hooks by which a run notes which rights the functions need."""

SCHEDULE_SECONDS: Final = 2.0
TOLD: Final = pytest.StashKey[list[str]]()
"""How far the deployed stack had come, and when."""

# How long one example takes says more about who shares the machine than about the code.
settings.register_profile("payfirst", deadline=None)
settings.load_profile("payfirst")


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


class SignedUpStack(DeployedStack):
    """A deployed stack whose customers are signed up in its user pool."""

    def token(self, *, user_id: int, email: str, sub: str) -> str:
        """An ID token for a new customer; who they are is for the user pool to say, `sub` only keeps their address apart."""
        return mint(self.environment, user_id, f"{sub}-{email}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let whoever runs the tests choose what `stack` is."""
    parser.addoption("--deployed", action="store_true", help="take a stack that SAM deploys; say how long it took")


@pytest.fixture(scope="session")
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedUpStack]:
    """The stack, built from the code as it is and deployed to an embedded AWS of its own; sweeps run every minute."""
    started = time.monotonic()
    told: list[str] = request.config.stash.setdefault(TOLD, [])

    def say(step: str) -> None:
        told.append(f"{time.monotonic() - started:5.0f} s  {step}")

    with SignedUpStack(state_dir=tmp_path_factory.mktemp("deployed"), progress=say) as running:
        say("deployed: the tests begin")
        yield running
        say("the tests have ended")


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, issuer: TokenIssuer) -> Iterator[RunningStack | SignedUpStack]:
    """The whole stack: embedded AWS, catalogue, simulators and functions; sweeps run every other second.

    With `--deployed` it is the deployed one.
    """
    if request.config.getoption("deployed"):
        yield request.getfixturevalue("deployed")
        return
    with RunningStack(issuer) as running:
        running.wait_until_warm()
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """By which rights this run differs; with `--deployed`, when the stack had come how far."""
    recorded_rights.summarize(terminalreporter, config)
    if config.getoption("deployed"):
        terminalreporter.section("the deployed stack")
        for line in config.stash.get(TOLD, []):
            terminalreporter.line(line)
