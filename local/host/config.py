"""What the host is told when it starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from local.embedded_aws import AwsEndpoint
from local.resources import Client

Json: TypeAlias = Any
"""What JSON or YAML text decodes to."""

ACCOUNT: Final = "000000000000"


@dataclass(frozen=True, slots=True)
class HostConfig:
    """One host. Paths are absolute; ports are on 127.0.0.1; 0 takes a free one."""

    template: Path
    log_dir: Path
    port: int = 0
    region: str = "us-east-1"
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values of the functions' environment variables that the template computes in AWS, by name."""
    aws: Mapping[str, str] = field(default_factory=dict)
    """Variables of every function that the Lambda service itself sets: endpoint and credentials."""
    queue_urls: Mapping[str, str] = field(default_factory=dict)
    """Addresses of queues that functions are fed from, by the queue's logical id."""
    streams: Mapping[str, str] = field(default_factory=dict)
    """ARNs of streams that functions are fed from, by the table's logical id; one that is not here feeds nobody."""
    issuer: str = ""
    audience: tuple[str, ...] = ()
    jwks_url: str = ""
    max_workers: int = 4
    schedule_seconds: float | None = None
    """Fires every schedule this often instead of what the template says; for impatient people and tests."""
    sign_in: Mapping[str, str] = field(default_factory=dict)
    """The environment of the running stack, whose user pool gives tokens at `/sign-in`; empty has no such page."""
    simulators: str = ""
    """Where the phones and banks are that `/sign-in/phone` leads to."""
    warm: bool = True
    """Start one worker of each function behind a route before it is asked for."""
    requests_only: bool = False
    """Leave schedules, queues and streams to another host of the same stack."""

    def client(self, service: str, *, read_s: float) -> Client:
        """A client of the embedded AWS, which asks once."""
        return AwsEndpoint(urlsplit(self.aws["AWS_ENDPOINT_URL"]).port or 0).client(service, timeout_s=read_s)

    def to_json(self) -> str:
        """One line that `from_json` reads."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> HostConfig:
        """The configuration in `text`; TypeError or ValueError if it is none."""
        values = json.loads(text)
        paths = {name: Path(values[name]) for name in ("template", "log_dir")}
        return cls(**(values | paths | {"audience": tuple(values["audience"])}))
