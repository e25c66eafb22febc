"""What the functions meet: the embedded AWS with its meter, gateways that answer at once, the template's own limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Any, Final, Self, cast

from benchmarks.gateway import Gateways
from benchmarks.loopback import LOOPBACK, serving
from benchmarks.meter import Meter
from local.embedded_aws import REGION, ROOT, TEMPLATE, EmbeddedAws
from local.resources import create_shared_resources
from ops.resolve import Resolver
from ops.seed import seed
from ops.template import load_template
from payfirst.domain.clock import Deadline
from payfirst.storage.dynamodb.table import Table

WEBHOOK: Final = ("shop", "hook-word")
"""The name and the password that PhonePe's notices prove themselves by."""

SECRETS: Final = {
    "mpesa": {"consumer_key": "key", "consumer_secret": "secret", "shortcode": "174379", "passkey": "pass" * 16},
    "phonepe": {
        "client_id": "client",
        "client_secret": "secret",
        "client_version": "1",
        "webhook_username": WEBHOOK[0],
        "webhook_password": WEBHOOK[1],
    },
}
SEED_S: Final = 60.0
STOP_S: Final = 30.0


class Stage:
    """One shop with the example catalogue, open while the `with` block lasts; `metered` puts the meter before the table.

    With a `certificate`, a file of chain and key, the gateways speak https.
    """

    def __init__(self, *, metered: bool, certificate: str = "") -> None:
        self._metered = metered
        self._certificate = certificate
        self._open = ExitStack()
        self.gateways = Gateways()
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            port = opening.enter_context(serving(self.gateways.serve, self._certificate))
            self.gateway_url = f"{'https' if self._certificate else 'http'}://localhost:{port}"
            self.aws = opening.enter_context(EmbeddedAws())
            self.meter = Meter(self.aws)
            self._meter_url = f"http://{LOOPBACK}:{opening.enter_context(serving(self.meter.serve))}"
            self.environment = self._settings()
            table = Table(self.aws.client("dynamodb"), self.environment["TABLE_NAME"], Deadline(lambda: SEED_S))
            seed(table)
            self._open = opening.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    def _settings(self) -> dict[str, str]:
        """What Lambda and the template give a function, with every parameter at its default but the addresses."""
        made = create_shared_resources(self.aws.client, TEMPLATE, secrets={"GatewaysSecret": json.dumps(SECRETS)})
        template = load_template(TEMPLATE)
        known = {
            "Table": made.table_name,
            "GatewayTokens": made.gateway_tokens_table_name,
            "SettleQueue": made.settle_queue_url,
            "EventBus": made.event_bus_name,
            "UserPool": made.users.pool_id,
            "UserPoolClient": made.users.client_id,
            "AWS::Region": REGION,
            "AWS::NoValue": "",
            "MpesaBaseUrl": f"{self.gateway_url}/mpesa",
            "PhonePeBaseUrl": f"{self.gateway_url}/phonepe",
            "PhonePeTokenUrl": f"{self.gateway_url}/phonepe/v1/oauth/token",
            "PublicOrigin": "https://shop.example",
            "OrdersMailSender": "Shop <orders@shop.example>",
            "BookingsMailSender": "Shop <bookings@shop.example>",
            **made.secret_ids,
        }
        declared: Mapping[str, Any] = template["Globals"]["Function"]["Environment"]["Variables"]
        values = {name: str(Resolver(template, known).value(value)) for name, value in declared.items()}
        service = {"AWS_LAMBDA_FUNCTION_NAME": "payfirst", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "TZ": ":UTC"}
        asked = self._meter_url if self._metered else self.aws.endpoint
        own = {"AWS_ENDPOINT_URL": asked, "CALLBACK_ORIGIN": "https://shop.example"}
        return {**values, **service, **self.aws.environment(), **own}

    @property
    def issuer(self) -> tuple[str, str]:
        """Who signs the customers' tokens, and for whom."""
        return self.environment["TOKEN_ISSUER"], self.environment["TOKEN_AUDIENCE"]


class Worker:
    """One process of `benchmarks.worker` or of another module like it, in `environment` and nothing else of this machine's."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *options: str,
        module: str = "benchmarks.worker",
        python: str = sys.executable,
        paths: Sequence[str] = (),
    ) -> None:
        layer = ROOT / "layers" / "common" / "python"
        path = os.pathsep.join([*paths, str(ROOT), str(layer)])
        own = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONHASHSEED": "0", "PYTHONSAFEPATH": "1"}
        self.python, self.environment = python, {**environment, **own}
        self.process = subprocess.Popen(
            [python, "-m", module, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=self.environment,
            text=True,
        )
        self._input, self._output = cast("IO[str]", self.process.stdin), cast("IO[str]", self.process.stdout)

    def ask(self, **asked: Any) -> dict[str, Any]:
        """The worker's answer to one line; RuntimeError if it ended without one."""
        self._input.write(json.dumps(asked) + "\n")
        self._input.flush()
        line = self._output.readline()
        if not line:
            raise RuntimeError(f"a worker ended with code {self.process.wait()}")
        told: dict[str, Any] = json.loads(line)
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._input.close()
        self.process.wait(STOP_S)
        self._output.close()
