"""Every setting of the deployed functions, read from the environment once and typed.

A setting that is missing is an error that names it: there is no default that could be wrong in somebody's shop. Secrets are
not settings: the environment holds only the names under which Secrets Manager keeps them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from typing import Any, Final


class SettingError(Exception):
    """A setting is missing or cannot be read; the function does not start."""


class Stage(StrEnum):
    """Where the stack runs; `production` accepts only the gateways' own hosts over https."""

    LOCAL = "local"
    SANDBOX = "sandbox"
    PRODUCTION = "production"


class LatePayment(StrEnum):
    """What becomes of money that arrives after its session ended."""

    HONOUR = "honour"
    REFUND = "refund"


class ConfirmWithQuery(StrEnum):
    """How much M-Pesa's own status query counts when a notice with the right token says that a payment succeeded."""

    STRICT = "strict"
    ADVISORY = "advisory"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings; each field is the environment variable of the same name in upper case. Times are seconds."""

    stage: Stage
    table_name: str
    settle_queue_url: str
    event_bus_name: str
    token_issuer: str
    token_audience: str
    public_origin: str
    callback_origin: str
    allow_past_dates: bool
    session_ttl_seconds: int
    expiry_grace_seconds: int
    late_payment: LatePayment
    phone_pace_seconds: int
    cursor_secret_id: str
    mpesa_secret_id: str
    mpesa_base_url: str
    mpesa_no_answer_seconds: int
    mpesa_confirm_with_query: ConfirmWithQuery
    phonepe_secret_id: str
    phonepe_base_url: str
    phonepe_token_url: str


def _flag(text: str) -> bool:
    words = {"true": True, "false": False}
    return words[text.lower()]


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "str": str,
    "int": int,
    "bool": _flag,
    "Stage": Stage,
    "LatePayment": LatePayment,
    "ConfirmWithQuery": ConfirmWithQuery,
}


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings found in `environment`; SettingError names the first one that is missing or cannot be read."""
    values: dict[str, Any] = {}
    for field in fields(Settings):
        name = field.name.upper()
        if name not in environment:
            raise SettingError(f"the setting {name} is missing")
        try:
            values[field.name] = _READERS[str(field.type)](environment[name])
        except (ValueError, KeyError) as exc:
            raise SettingError(f"the setting {name} cannot be read as {field.type}") from exc
    return Settings(**values)


@cache
def settings() -> Settings:
    """The settings of this process."""
    return read_settings(os.environ)
