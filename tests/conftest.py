"""What tests share: an embedded AWS, tables made from `template.yaml`, and a whole running stack.

Everything is started on free ports when the first test needs it; with several test processes each has its own.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

import botocore.session
import pytest
import requests
from botocore.loaders import Loader
from hypothesis import settings

from local.deployed import STACK, DeployedStack
from local.embedded_aws import TEMPLATE, AwsEndpoint, EmbeddedAws
from local.host.process import HostProcess
from local.resources import create_table
from local.stack import Issuer, LocalStack
from payfirst.domain.clock import Deadline
from payfirst.gateways.registry import check_settings
from payfirst.storage.dynamodb.table import Table
from tests import recorded_rights, tools
from tests.clients import CLIENTS, choose, chosen, table_client
from tests.issuer import Signer, TokenIssuer, pool_signer, running_issuer
from tests.recorded_rights import pytest_sessionfinish, pytest_unconfigure
from tests.sharing import pytest_xdist_make_scheduler

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

__all__ = ["pytest_sessionfinish", "pytest_unconfigure", "pytest_xdist_make_scheduler"]
"""Hooks: a run notes which rights the functions need, and keeps files together that share something."""

HERE: Final = Path(__file__).parent
SUITES: Final = ("replay", "e2e", "faults", "contract", "integration", "browser", "stack", "unit")
"""From those with the longest files to those with the shortest."""
SCHEDULE_SECONDS: Final = 2.0
NO_REVERSALS: Final = {"MPESA_INITIATOR": "none"}
"""Refunds of M-Pesa's payments stay where a test puts them."""
TOLD: Final = pytest.StashKey[list[str]]()
"""How far the deployed stack had come, and when."""

# Megabytes of JSON about each service, which each of boto3's sessions would read for itself.
DESCRIPTIONS: Final = Loader(include_default_search_paths=True)
botocore.session.create_loader = lambda search_path_string=None: DESCRIPTIONS  # noqa: ARG005 - as it is called

# Several test processes are told a width by xdist; what commands print to a file would be cut to it.
os.environ.pop("COLUMNS", None)

# How long one example takes says more about who shares the machine than about the code.
settings.register_profile("payfirst", deadline=None)
settings.load_profile("payfirst")


def pytest_configure(config: pytest.Config) -> None:
    """Let functions have the table's client that was chosen, and note which rights they need."""
    choose(config.getoption("client"))
    recorded_rights.pytest_configure(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that is marked so needs these tools."""
    for mark in item.iter_markers("needs"):
        tools.need(*mark.args)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """With `-n auto` one process more than cores, for tests wait too, and three at most, for each has a stack of its own.

    The tests of one file stay together, in this process.
    """
    files = {Path(argument.partition("::")[0]) for argument in config.args}
    return 0 if len(files) == 1 and files.pop().is_file() else min(3, (os.cpu_count() or 1) + 1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The suites whose files take minutes come first, so that no process waits at the end for the other's last file.

    Each test has an id of its own: of those that share one, xdist would run one and say nothing.
    """
    shared = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if shared:
        raise pytest.UsageError(f"several tests are called {', '.join(shared)}")
    rank = {suite: number for number, suite in enumerate(SUITES)}
    suites = {path: path.relative_to(HERE).parts[0] for path in {item.path for item in items} if path.is_relative_to(HERE)}
    items.sort(key=lambda item: rank.get(suites.get(item.path, ""), 0))


@pytest.fixture(scope="session")
def embedded_aws() -> Iterator[EmbeddedAws]:
    """A running MiniStack whose state is gone afterwards."""
    tools.need("aws")
    with EmbeddedAws() as aws:
        yield aws


@pytest.fixture(scope="session")
def dynamodb(embedded_aws: EmbeddedAws) -> DynamoDBClient:
    """A low-level client of the embedded DynamoDB that retries nothing."""
    client: DynamoDBClient = embedded_aws.client("dynamodb")
    return client


@pytest.fixture
def table_clients(request: pytest.FixtureRequest, embedded_aws: EmbeddedAws) -> list[Any]:
    """A client of the embedded DynamoDB of each kind, or of the one that was chosen, for whoever takes them in turn."""
    return [table_client(embedded_aws, client) for client in chosen(request.config.getoption("client"))]


@pytest.fixture
def table_name(dynamodb: DynamoDBClient) -> Iterator[str]:
    """A new, empty table as the template declares it, for one test, whose clock may stand months before the table's."""
    name = f"payfirst-{uuid4().hex}"
    create_table(dynamodb, TEMPLATE, name, expires=False)
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


class Hand:
    """Customers of the tests' own making, and a hand on the simulators, of whatever stack runs."""

    signer: Signer
    simulator_url: str

    def token(self, *, user_id: int = 1, email: str = "user@example.com", sub: str | None = None, **claims: Any) -> str:
        """An ID token for a customer who may be new; `sub` is who they are, a new one if absent."""
        return self.signer.token(user_id=user_id, email=email, sub=sub, **claims)

    def decide(self, gateway: str, reference: str, outcome: str = "pay", **more: Any) -> None:
        """Let the simulator end the attempt `reference` at `gateway` (`mpesa`, `phonepe`)."""
        answer = requests.post(
            f"{self.simulator_url}/control/{gateway}/{reference}", json={"outcome": outcome, **more}, timeout=10
        )
        assert answer.ok, f"the simulator answers {answer.status_code}: {answer.text}"


class RunningStack(Hand, LocalStack):
    """A whole stack of a test's own, in the light host."""

    def __init__(self, issuer: TokenIssuer, **options: Any) -> None:
        options.setdefault("schedule_seconds", SCHEDULE_SECONDS)
        options.setdefault("environment", NO_REVERSALS)
        super().__init__(issuer=Issuer(issuer.issuer, issuer.audience, issuer.jwks_url), **options)
        self.signer = issuer

    def start(self) -> Self:
        """Start it all, or skip the test for want of a tool."""
        tools.need("aws")
        return super().start()

    @contextmanager
    def beside(self, variables: Mapping[str, str], log_dir: Path) -> Iterator[SecondFront]:
        """The same table and gateways behind a second host with other settings, which is ready in a fraction of a stack's time.

        It answers requests and nothing else: notices, schedules, queue and stream stay with the stack's own host.
        """
        config = self._host_config
        assert config is not None, "the stack is not running"
        settings = {**config.variables, **variables}
        check_settings(settings)
        other = replace(config, port=0, log_dir=log_dir, variables=settings, warm=False, requests_only=True)
        with HostProcess(other) as host:
            yield SecondFront(host.base_url, self.simulator_url, self.signer)


class SecondFront(Hand):
    """The API of a running stack, answered with other settings."""

    def __init__(self, base_url: str, simulator_url: str, signer: Signer) -> None:
        self.base_url = base_url
        self.simulator_url = simulator_url
        self.signer = signer


class PooledStack(Hand, DeployedStack):
    """A deployed stack, whose customers' tokens are signed as its user pool signs them."""

    def __init__(self, *, state_dir: Path, **options: Any) -> None:
        super().__init__(state_dir=state_dir, environment=NO_REVERSALS, **options)
        self._directory = state_dir

    def start(self) -> Self:
        """Start it all, then find the pool's key."""
        tools.need("aws", "sam")
        super().start()
        self.signer = pool_signer(self.environment, self._directory)
        return self

    @contextmanager
    def settings_of(self, logical_id: str, **variables: str) -> Iterator[None]:
        """One function with other settings than the template gives it, while this lasts."""
        aws = AwsEndpoint(int(self.endpoint.rsplit(":", 1)[1]))
        functions = aws.client("lambda")
        found = aws.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
        name = found["StackResourceDetail"]["PhysicalResourceId"]
        before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        [alias] = functions.list_aliases(FunctionName=name)["Aliases"]
        live = {"FunctionName": name, "Name": alias["Name"]}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**before, **variables}})
        try:
            functions.update_alias(**live, FunctionVersion=functions.publish_version(FunctionName=name)["Version"])
            yield
        finally:
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})
            functions.update_alias(**live, FunctionVersion=alias["FunctionVersion"])


class AnnouncedStack(Hand):
    """A stack that somebody else runs, as it announces itself in `file`; its API is called at `base_url`, if one is given."""

    def __init__(self, file: Path, base_url: str | None) -> None:
        told = json.loads(file.read_text(encoding="utf-8"))
        self.base_url: str = base_url or told["base_url"]
        self.simulator_url = told["simulator_url"]
        self.endpoint: str = told["endpoint"]
        self.environment: dict[str, str] = told["environment"]
        self.signer = pool_signer(self.environment, file.parent)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let whoever runs the tests choose what `stack` is."""
    parser.addoption("--deployed", action="store_true", help="take a stack that SAM deploys; say how long it took")
    parser.addoption("--against", type=Path, help="take the stack that runs and says so in this file: .local/stack.json")
    parser.addoption("--all-pages", action="store_true", help="tests/browser: all of it, where `make test` takes a short set")
    parser.addoption("--pictures", type=Path, help="tests/browser: keep in this folder how the pages looked at each step")
    parser.addoption("--client", choices=CLIENTS, help="let functions, and the fault machine, ask the table by this client")
    parser.addoption("--base-url", help="with --against: where that stack's API is called instead")


@pytest.fixture(scope="session")
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PooledStack]:
    """The stack, built from the code as it is and deployed to an embedded AWS of its own; sweeps run every minute."""
    started = time.monotonic()
    told: list[str] = request.config.stash.setdefault(TOLD, [])

    def say(step: str) -> None:
        told.append(f"{time.monotonic() - started:5.0f} s  {step}")

    with PooledStack(state_dir=tmp_path_factory.mktemp("deployed"), progress=say) as running:
        say("deployed: the tests begin")
        yield running
        say("the tests have ended")


AnyStack = RunningStack | PooledStack | AnnouncedStack


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, issuer: TokenIssuer) -> Iterator[AnyStack]:
    """The whole stack: embedded AWS, catalogue, simulators and functions; sweeps run every other second."""
    yield from chosen_stack(request, issuer)


SettingsBeside = Callable[..., AbstractContextManager[RunningStack | SecondFront]]
"""Takes settings of functions, as `DELIVERY_FEES="1=75"`; while its context lasts, there is an API that has them."""


@pytest.fixture(scope="session")
def stack_with(request: pytest.FixtureRequest, issuer: TokenIssuer, tmp_path_factory: pytest.TempPathFactory) -> SettingsBeside:
    """The API with other settings: of the running stack where that is the light host's, else of a stack of its own."""

    @contextmanager
    def made(**variables: str) -> Iterator[RunningStack | SecondFront]:
        if request.config.getoption("against") or request.config.getoption("deployed"):
            with RunningStack(issuer, variables=variables) as running:
                yield running
        else:
            own: RunningStack = request.getfixturevalue("stack")
            with own.beside(variables, tmp_path_factory.mktemp("beside")) as front:
                yield front

    return made


def chosen_stack(request: pytest.FixtureRequest, issuer: TokenIssuer) -> Iterator[AnyStack]:
    """A new stack in the light host; with `--deployed` the deployed one, with `--against` one that runs already."""
    if request.config.getoption("against"):
        yield AnnouncedStack(request.config.getoption("against"), request.config.getoption("base_url"))
        return
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
