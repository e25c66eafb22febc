"""What the package calls besides the table and the gateways, in memory: the queue, the bus, shared tokens and the log."""

from __future__ import annotations

import json
import sys
import threading
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from payfirst.gateways.base import StoredToken
from payfirst.usecases.settlement.take_notice import Taken
from payfirst.usecases.sweeps.deliver_events import SOURCE
from tests.faults.seam import Seam, Service, lost_connection, met

BEGIN: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""The instant at which every world begins."""


@dataclass(slots=True)
class FakeQueue:
    """The settle queue: what was sent, in the order of sending."""

    seam: Seam
    sent: list[str] = field(default_factory=list)

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> None:  # noqa: N803 - SQS's names
        del QueueUrl
        if not 0 <= DelaySeconds <= 900:
            raise AssertionError("SQS delays no message that long")
        met(self.seam.passes(Service.QUEUE, "SendMessage"), lambda: self.sent.append(MessageBody), lost_connection)


@dataclass(slots=True)
class FakeBus:
    """The event bus: the ids of what came of sessions, repetitions included."""

    seam: Seam
    came: list[str] = field(default_factory=list)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - EventBridge's name
        def take() -> dict[str, Any]:
            self.came += [json.loads(entry["Detail"])["id"] for entry in Entries if entry["Source"] == SOURCE]
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}

        return met(self.seam.passes(Service.BUS, "PutEvents"), take, lost_connection)


@dataclass(slots=True)
class FakePost:
    """SES: the events whose letters came, repetitions included. The next `refuse` letters are refused."""

    seam: Seam
    came: list[str] = field(default_factory=list)
    refuse: int = 0

    def send_email(self, **request: Any) -> dict[str, Any]:
        def take() -> dict[str, Any]:
            if self.refuse:
                self.refuse -= 1
                raise ClientError({"Error": {"Code": "MessageRejected", "Message": "refused"}}, "SendEmail")
            self.came += [tag["Value"] for tag in request["EmailTags"]]
            return {"MessageId": f"m{len(self.came)}"}

        return met(self.seam.passes(Service.POST, "SendEmail"), take, lost_connection)


class KnownTokens:
    """A token store that always has one, so that no schedule is about fetching tokens."""

    def read(self, gateway: str) -> StoredToken:
        return StoredToken(f"{gateway}-token-known", BEGIN + timedelta(days=900), BEGIN + timedelta(days=899))

    def lease(self, *_: Any, **__: Any) -> bool:
        raise AssertionError("the stored token never runs out")

    write = lease


@dataclass(slots=True)
class Log:
    """Every line that the package logs, as one text each; `raised` are the errors that it logged instead of raising them.

    `taken` says of each thread what became of the notice that it delivered last.
    """

    lines: list[str] = field(default_factory=list)
    raised: list[BaseException] = field(default_factory=list)
    taken: dict[int, Taken] = field(default_factory=dict)
    name: str = "payfirst"

    def info(self, event: str, *, extra: dict[str, Any], exc_info: bool = False) -> None:
        error = sys.exc_info()[1] if exc_info else None
        if error is not None:
            self.raised.append(error)
        if "taken" in extra:
            self.taken[threading.get_ident()] = extra["taken"]
        self.lines.append(f"{event} {extra} {traceback.format_exc() if error else ''}")

    warning = error = info

    def append_keys(self, **_: Any) -> None:
        """Keys of the request's own; nothing here reads them."""
