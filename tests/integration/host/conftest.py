"""A running host with a small sample stack, fed by an embedded SQS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from local.embedded_aws import EmbeddedAws
from local.host.config import HostConfig
from local.host.process import HostProcess
from local.resources import create_table, stream_of
from tests.issuer import TokenIssuer

SAMPLE: Final = Path(__file__).with_name("sample") / "template.yaml"
SCHEDULE_SECONDS: Final = 0.5
PATIENCE_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class SampleHost:
    """The sample stack, running; `told` is everything the host said, `notes` what its worker function wrote down."""

    base_url: str
    queue_url: str
    table: str
    notes: Path
    logs: Path
    told: list[Mapping[str, Any]]

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.base_url + path, timeout=30, **options)

    def event(self, path: str, method: str = "GET", **options: Any) -> Any:
        """The event that the echoing function saw, with what else it tells."""
        answer = requests.request(method, self.base_url + path, timeout=30, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def answer(self, declared: Any) -> requests.Response:
        """What the client gets when the function returns `declared`."""
        return requests.post(
            f"{self.base_url}/answer", data=json.dumps(declared), headers={"content-type": "application/json"}, timeout=30
        )

    def events(self) -> list[Any]:
        """The events of schedules and queue so far."""
        text = self.notes.read_text(encoding="utf-8") if self.notes.exists() else ""
        return [json.loads(line) for line in text.splitlines()]


@contextmanager
def sample_host(
    directory: Path, embedded_aws: EmbeddedAws, issuer: TokenIssuer, queue_name: str, max_workers: int
) -> Iterator[SampleHost]:
    """The sample stack while this lasts, fed from a queue of its own."""
    created = embedded_aws.client("sqs").create_queue(QueueName=queue_name, Attributes={"VisibilityTimeout": "2"})
    tables, table = embedded_aws.client("dynamodb"), f"{queue_name}-notes"
    create_table(tables, SAMPLE, table, logical_id="Notes", expires=False)
    told: list[Mapping[str, Any]] = []
    config = HostConfig(
        template=SAMPLE,
        log_dir=directory / "logs",
        variables={"TABLE_NAME": str(directory / "notes")},
        aws=embedded_aws.environment(),
        queue_urls={"JobQueue": created["QueueUrl"]},
        streams={"Notes": stream_of(tables, SAMPLE, table, logical_id="Notes")},
        issuer=issuer.issuer,
        audience=(issuer.audience,),
        jwks_url=issuer.jwks_url,
        max_workers=max_workers,
        schedule_seconds=SCHEDULE_SECONDS,
    )
    with HostProcess(config, told.append) as process:
        process.wait_until_warm()
        yield SampleHost(process.base_url, created["QueueUrl"], table, directory / "notes", directory / "logs", told)


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory, embedded_aws: EmbeddedAws, issuer: TokenIssuer) -> Iterator[SampleHost]:
    """The sample stack as it usually runs."""
    with sample_host(tmp_path_factory.mktemp("host"), embedded_aws, issuer, "jobs", max_workers=4) as running:
        yield running


@pytest.fixture(scope="session")
def lone_host(tmp_path_factory: pytest.TempPathFactory, embedded_aws: EmbeddedAws, issuer: TokenIssuer) -> Iterator[SampleHost]:
    """The sample stack with one worker for each function, so that a test knows which one it meets."""
    with sample_host(tmp_path_factory.mktemp("lone-host"), embedded_aws, issuer, "lone-jobs", max_workers=1) as running:
        yield running


def eventually(found: Callable[[], Any]) -> Any:
    """The first answer that is true; AssertionError when patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := found()):
        assert time.monotonic() < deadline, f"nothing came within {PATIENCE_SECONDS} s"
        time.sleep(0.05)
    return answer


def tells_of(host: SampleHost, words: str) -> bool:
    """Whether the host told of a problem in these words; a thread of its own reads what it tells, so this waits for it."""
    return bool(eventually(lambda: any(told["kind"] == "problem" and words in told["text"] for told in host.told)))
