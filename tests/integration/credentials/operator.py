"""An operator at the command line, whose secrets are watched: none may ever be printed."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any
from unittest.mock import patch

from typer.testing import CliRunner

from local.embedded_aws import EmbeddedAws
from ops.main import app


@dataclass(frozen=True, slots=True)
class Canaries:
    """Secrets that occur nowhere else."""

    key: str = field(default_factory=lambda: f"key{token_hex(12)}")
    secret: str = field(default_factory=lambda: f"secret{token_hex(12)}")
    passkey: str = field(default_factory=lambda: f"pass{token_hex(30)}")
    credential: str = field(default_factory=lambda: base64.b64encode(bytes.fromhex(token_hex(256))).decode())
    client_secret: str = field(default_factory=lambda: f"client{token_hex(12)}")
    password: str = field(default_factory=lambda: f"Pw{token_hex(8)}0")
    new_password: str = field(default_factory=lambda: f"Nw{token_hex(8)}0")
    salt_key: str = field(default_factory=lambda: f"salt{token_hex(12)}")
    new_salt_key: str = field(default_factory=lambda: f"pepper{token_hex(12)}")
    wrong: str = field(default_factory=lambda: f"wrong{token_hex(12)}")

    def all(self) -> list[str]:
        """Every secret, and the form in which M-Pesa's key and secret travel."""
        plain = [getattr(self, name) for name in self.__slots__]
        return [*plain, base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()]


@dataclass(frozen=True, slots=True)
class Said:
    """What the command answered; `error` is what it wrote to standard error, blanks folded."""

    code: int
    output: str
    error: str


@dataclass(slots=True)
class Operator:
    """Runs `payfirst credentials` against one secret in the embedded AWS, of which `keeper` is the Secrets Manager."""

    aws: EmbeddedAws
    keeper: Any
    secret_id: str
    gateway_url: str
    canaries: Canaries
    printed: list[str] = field(default_factory=list)

    def run(self, *words: str, given: dict[str, str] | None = None, stdin: Any = None) -> Said:
        """`payfirst credentials words…` with the variables `given` and, as JSON, `stdin`."""
        with patch.dict(os.environ):  # a command that is told of a running stack takes over its environment
            result = CliRunner().invoke(
                app,
                ["credentials", *words],
                input=stdin if isinstance(stdin, str) or stdin is None else json.dumps(stdin),
                env={**self.aws.environment(), **dict.fromkeys(VARIABLES), **(given or {})},
            )
        self.printed.append(result.output)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, " ".join(result.stdout.split()), " ".join(result.stderr.split()))

    def do(self, what: str, gateway: str, *words: str, given: dict[str, str] | None = None, stdin: Any = None) -> Said:
        """The command on this operator's own secret, with the simulated gateway."""
        base_url = [] if "--base-url" in words else ["--base-url", f"{self.gateway_url}/{gateway}"]
        return self.run(what, gateway, "--secret-id", self.secret_id, *base_url, *words, given=given, stdin=stdin)

    def stored(self, stage: str = "AWSCURRENT") -> dict[str, str] | None:
        """What the secret holds of both gateways, together; None while it is empty."""
        try:
            kept = self.keeper.get_secret_value(SecretId=self.secret_id, VersionStage=stage)
        except self.keeper.exceptions.ResourceNotFoundException:
            return None
        parts: dict[str, dict[str, str]] = json.loads(kept.get("SecretString") or "{}")
        return {name: value for part in parts.values() for name, value in part.items()} or None

    def mpesa(self, **changes: str | None) -> dict[str, str]:
        """Variables of a whole M-Pesa account; None takes one away."""
        whole = {
            "MPESA_CONSUMER_KEY": self.canaries.key,
            "MPESA_CONSUMER_SECRET": self.canaries.secret,
            "MPESA_BUSINESS_SHORTCODE": "600123",
            "MPESA_PASSKEY": self.canaries.passkey,
        }
        return {name: value for name, value in {**whole, **changes}.items() if value is not None}

    def phonepe(self, **changes: str | None) -> dict[str, str]:
        """Variables of a whole PhonePe account; None takes one away."""
        whole = {
            "PHONEPE_CLIENT_ID": "SHOP_2611",
            "PHONEPE_CLIENT_SECRET": self.canaries.client_secret,
            "PHONEPE_CLIENT_VERSION": "1",
            "PHONEPE_WEBHOOK_USERNAME": "shop_notices",
            "PHONEPE_WEBHOOK_PASSWORD": self.canaries.password,
        }
        return {name: value for name, value in {**whole, **changes}.items() if value is not None}

    def first_api(self, **changes: str | None) -> dict[str, str]:
        """Variables of a whole PhonePe account of the first API; None takes one away."""
        whole = {
            "PHONEPE_MERCHANT_ID": "PAYFIRSTUAT",
            "PHONEPE_SALT_KEY": self.canaries.salt_key,
            "PHONEPE_SALT_INDEX": "1",
        }
        return {name: value for name, value in {**whole, **changes}.items() if value is not None}

    def whole(self, gateway: str, **changes: str | None) -> dict[str, str]:
        return self.mpesa(**changes) if gateway == "mpesa" else self.phonepe(**changes)


VARIABLES = (
    "MPESA_CONSUMER_KEY",
    "MPESA_CONSUMER_SECRET",
    "MPESA_BUSINESS_SHORTCODE",
    "MPESA_PASSKEY",
    "MPESA_TILL",
    "MPESA_INITIATOR_NAME",
    "MPESA_SECURITY_CREDENTIAL",
    "MPESA_CALLBACK_URL",
    "MPESA_ENVIRONMENT",
    "PHONEPE_CLIENT_ID",
    "PHONEPE_CLIENT_SECRET",
    "PHONEPE_CLIENT_VERSION",
    "PHONEPE_MERCHANT_ID",
    "PHONEPE_WEBHOOK_USERNAME",
    "PHONEPE_WEBHOOK_PASSWORD",
    "PHONEPE_SALT_KEY",
    "PHONEPE_SALT_INDEX",
    "PHONEPE_ENVIRONMENT",
    "AWS_PROFILE",
)
"""What a developer's own environment may hold, and these tests must not see."""
