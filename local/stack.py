"""The whole stack on one machine: embedded AWS, catalogue, gateways' simulators and the host of the functions.

    with LocalStack(state_dir=Path(".local/state")) as stack:
        requests.get(f"{stack.base_url}/health")

Whatever ends the `with` block ends every process; should this process die without a word, its children notice and stop.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from local.credentials import load_credentials
from local.embedded_aws import REGION, TEMPLATE, AwsEndpoint, EmbeddedAws
from local.host.config import HostConfig
from local.host.process import HostProcess, Listener
from local.part import Part
from local.ports import LOOPBACK, free_port
from local.resources import SharedResources, create_shared_resources, verify_senders
from local.simulator_process import SimulatorProcess
from ops.seed import seed
from payfirst.domain.clock import Deadline
from payfirst.gateways.registry import check_settings, setting_names
from payfirst.storage.dynamodb.table import Table

SEED_SECONDS: Final = 60.0
SIGN_IN: Final = "/sign-in"
"""The host's own page, at the address of the shop, whatever that is called."""


class StackError(Exception):
    """The stack cannot be started; the message is one sentence for whoever runs it."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the stack listens on 127.0.0.1; 0 takes a free port."""

    front: int = 0
    simulators: int = 0
    aws: int = 0


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs the customers' tokens, where it is not the user pool of the embedded AWS."""

    issuer: str
    audience: str
    jwks_url: str


class LocalStack(Part):
    """One running stack: started by `start` or `with`, ended by `stop`.

    With `state_dir` what was booked and paid survives; without, everything is gone afterwards. `variables` win over what the
    functions' environment would hold. `schedule_seconds` fires the schedules that often instead of every minute; without
    `streams` events leave by their schedule alone. `progress` gets a sentence at each step, `listener` everything that the host
    tells. `environment` of this process lends M-Pesa credentials (`MPESA_CONSUMER_KEY` …), or a salt key of PhonePe's first API
    (`PHONEPE_SALT_KEY`); with `MPESA_INITIATOR=none` there the shop cannot reverse M-Pesa's payments.
    """

    def __init__(
        self,
        *,
        state_dir: Path | None = None,
        log_dir: Path | None = None,
        ports: Ports | None = None,
        variables: Mapping[str, str] | None = None,
        schedule_seconds: float | None = None,
        streams: bool = True,
        max_workers: int = 4,
        issuer: Issuer | None = None,
        progress: Callable[[str], None] | None = None,
        listener: Listener | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._asked_state_dir = state_dir
        self._asked_log_dir = log_dir
        self._asked_ports = ports or Ports()
        self._variables = dict(variables or {})
        self._schedule_seconds = schedule_seconds
        self._streams = streams
        self._max_workers = max_workers
        self._issuer = issuer
        self._progress = progress or (lambda _: None)
        self._listener = listener
        self._given = dict(environment or {})
        self._running = contextlib.ExitStack()
        self._host: HostProcess | None = None
        self._host_config: HostConfig | None = None
        self._simulators: SimulatorProcess | None = None
        self.base_url = ""
        self.simulator_url = ""
        self.endpoint = ""
        self.environment: dict[str, str] = {}

    def start(self) -> Self:
        """Start everything and return once the API answers; what was started is ended again if a part fails."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything in the reverse order; interrupts wait until that is done."""
        with _without_interrupts():
            self._running.close()
            self._host = self._host_config = self._simulators = None

    def broken_part(self) -> str | None:
        """What has ended by itself, which nothing should; None while all is well."""
        if self._host is None or not self._host.running:
            return "the functions' host"
        if self._simulators is None or not self._simulators.running:
            return "the gateways' simulators"
        return None

    @property
    def host_pid(self) -> int:
        """The process id of the functions' host, whose children are their workers."""
        if self._host is None:
            raise StackError("the stack is not running")
        return self._host.pid

    def wait_until_warm(self) -> None:
        """Wait until each function behind a route has a worker."""
        if self._host is None:
            raise StackError("the stack is not running")
        self._host.wait_until_warm()

    def _start(self) -> None:
        state_dir = self._state_dir()
        asked = self._asked_ports
        ports = Ports(asked.front or free_port(), asked.simulators or free_port(), asked.aws or free_port())
        self.base_url = f"http://{LOOPBACK}:{ports.front}"
        self.simulator_url = f"http://{LOOPBACK}:{ports.simulators}"
        simulated = "MPESA_BASE_URL" not in self._variables
        secrets = load_credentials(state_dir / "credentials.json", self._given, simulated=simulated)

        self._simulators = simulators = SimulatorProcess(
            port=ports.simulators,
            state=state_dir / "simulators.sqlite",
            log=self._log_dir(state_dir) / "simulators.log",
            webhook_url=f"{self.base_url}/api/payments/webhook/phonepe",
            phonepe=secrets["phonepe"],
            mail_source=f"http://{LOOPBACK}:{ports.aws}/_ministack/ses/messages",
            listener=self._listener,
        )
        simulators.launch()
        self._running.callback(simulators.stop)

        with self._step("the embedded AWS"):
            kept = state_dir / "aws" if self._asked_state_dir else None
            aws = self._running.enter_context(EmbeddedAws(ports.aws, kept))
        self.endpoint = aws.endpoint
        with self._step("table, queue, customers and secrets"):
            resources = create_shared_resources(aws.client, TEMPLATE)
            keeper = aws.client("secretsmanager")  # what is kept already may be older than this environment
            keeper.put_secret_value(SecretId=resources.secret_ids["GatewaysSecret"], SecretString=json.dumps(secrets))
        self.environment = self._environment(aws, resources)
        senders = (self.environment[name] for name in ("BOOKINGS_MAIL_SENDER", "ORDERS_MAIL_SENDER"))
        verify_senders(aws.client("sesv2"), senders)
        with self._step("the catalogue"):
            seed(Table(aws.client("dynamodb"), resources.table_name, Deadline(lambda: SEED_SECONDS)))
        with self._step("the gateways' simulators"):
            simulators.wait_until_ready()
        with self._step("the functions"):
            self._host_config = self._configure_host(ports, aws, resources, state_dir)
            self._host = self._running.enter_context(HostProcess(self._host_config, self._listener))

    @contextlib.contextmanager
    def _step(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self._progress(f"{what} ({time.monotonic() - started:.1f} s)")

    def _state_dir(self) -> Path:
        if self._asked_state_dir is not None:
            self._asked_state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            return self._asked_state_dir
        directory = Path(tempfile.mkdtemp(prefix="payfirst-stack-"))
        self._running.callback(shutil.rmtree, directory)
        return directory

    def _log_dir(self, state_dir: Path) -> Path:
        return self._asked_log_dir or state_dir / "logs"

    def _environment(self, aws: EmbeddedAws, resources: SharedResources) -> dict[str, str]:
        users = resources.users
        values = {
            "STAGE": "local",
            "WATCHING": "small",
            "TABLE_NAME": resources.table_name,
            "GATEWAY_TOKENS_TABLE_NAME": resources.gateway_tokens_table_name,
            "SETTLE_QUEUE_URL": resources.settle_queue_url,
            "EVENT_BUS_NAME": resources.event_bus_name,
            "TOKEN_ISSUER": self._issuer.issuer if self._issuer else users.issuer,
            "TOKEN_AUDIENCE": self._issuer.audience if self._issuer else users.audience,
            "SIGN_IN_PAGE": "" if self._issuer else SIGN_IN,
            "PUBLIC_ORIGIN": self.base_url,
            "CALLBACK_ORIGIN": self.base_url,
            "RETURN_URL": "",
            "SHOP_ORIGIN": "http://localhost:3000",
            "ALLOW_PAST_DATES": "true",
            "CUSTOMERS_CANCEL_ORDERS": "true",
            "HORIZON_DAYS": "400",
            "SESSION_TTL_SECONDS": "900",
            "EXPIRY_GRACE_SECONDS": "0",
            "LATE_PAYMENT": "honour",
            "PHONE_PACE_SECONDS": "0",
            "OPEN_SESSIONS_PER_USER": "0",
            "SESSIONS_PER_USER_HOUR": "0",
            "PROMPTS_PER_USER_HOUR": "0",
            "PROMPTS_PER_PHONE_HOUR": "0",
            "CURSOR_SECRET_ID": resources.secret_ids["CursorSecret"],
            "GATEWAYS_SECRET_ID": resources.secret_ids["GatewaysSecret"],
            "MPESA_BASE_URL": f"{self.simulator_url}/mpesa",
            "MPESA_NO_ANSWER_SECONDS": "180",
            "MPESA_CONFIRM_WITH_QUERY": "advisory",
            "MPESA_NOTICE_SOURCES": "",
            "PHONEPE_BASE_URL": f"{self.simulator_url}/phonepe",
            "PHONEPE_TOKEN_URL": f"{self.simulator_url}/phonepe/v1/oauth/token",
            "PHONEPE_NOTICE_SOURCES": "",
            "PHONEPE_SCRIPT": "",
            "DELIVERY_FEES": "*=50.00",
            "BOOKINGS_MAIL_SENDER": "Puja Bookings <bookings@shop.example>",
            "ORDERS_MAIL_SENDER": "Green Valley Produce <orders@shop.example>",
            "SHOP_MAIL": "",
        }
        unknown = self._variables.keys() - values.keys()
        if unknown:
            raise StackError(f"there is no setting {', '.join(sorted(unknown))}")
        values |= self._variables
        check_settings(values)  # names the first setting that the functions would refuse
        return {
            **aws.environment(),
            **{name: values[name] for name in setting_names()},
            "PAYFIRST_BASE_URL": self.base_url,
            "PAYFIRST_SIMULATOR_URL": self.simulator_url,
        }

    def _configure_host(self, ports: Ports, aws: AwsEndpoint, resources: SharedResources, state_dir: Path) -> HostConfig:
        jwks_url = f"{aws.endpoint}/{resources.users.pool_id}/.well-known/jwks.json"
        return HostConfig(
            template=TEMPLATE,
            log_dir=self._log_dir(state_dir),
            port=ports.front,
            region=REGION,
            variables={name: self.environment[name] for name in setting_names()},
            aws=aws.environment(),
            queue_urls={"SettleQueue": resources.settle_queue_url},
            streams={"Table": resources.stream_arn} if self._streams else {},
            issuer=self.environment["TOKEN_ISSUER"],
            audience=(self.environment["TOKEN_AUDIENCE"],),
            jwks_url=self._issuer.jwks_url if self._issuer else jwks_url,
            max_workers=self._max_workers,
            schedule_seconds=self._schedule_seconds,
            sign_in={} if self._issuer else self.environment,
            simulators=self.simulator_url,
        )


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C and SIGTERM are let pass while this lasts: what they ask for is under way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {asked: signal.signal(asked, signal.SIG_IGN) for asked in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for asked, handler in before.items():
            signal.signal(asked, handler)
