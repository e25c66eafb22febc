"""One entry of a session's timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """What happened (`payment.received`), when, by whom, and its facts; amounts in minor units.

    `sequence` counts the session's own writes.
    """

    sequence: int
    name: str
    at: datetime
    by: str
    facts: Mapping[str, Any]
    delivered: bool
