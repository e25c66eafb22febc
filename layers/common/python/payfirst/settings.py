"""Every setting of the deployed functions, read from the environment once and typed.

A setting that is missing is an error that names it: there is no default that could be wrong in somebody's shop. Secrets are
not settings: the environment holds only the names under which Secrets Manager keeps them.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from typing import Any, Final

from payfirst.domain.delivery import DeliveryArea, read_delivery_area


class SettingError(Exception):
    """A setting is missing or cannot be read; the function does not start."""


class Stage(StrEnum):
    """Where the stack runs; `production` accepts only the gateways' own hosts over https, and not their sandboxes."""

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


Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
"""Where a gateway's notices may come from; empty means anywhere."""


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
    open_sessions_per_user: int
    sessions_per_user_hour: int
    prompts_per_user_hour: int
    prompts_per_phone_hour: int
    cursor_secret_id: str
    mpesa_secret_id: str
    mpesa_base_url: str
    mpesa_no_answer_seconds: int
    mpesa_confirm_with_query: ConfirmWithQuery
    mpesa_notice_sources: Networks
    phonepe_secret_id: str
    phonepe_base_url: str
    phonepe_token_url: str
    phonepe_notice_sources: Networks
    delivery_fees: DeliveryArea
    bookings_mail_sender: str
    orders_mail_sender: str


def _flag(text: str) -> bool:
    words = {"true": True, "false": False}
    return words[text.lower()]


def _networks(text: str) -> Networks:
    """Networks with commas between them; ValueError for one that is none, or that names a host inside a network."""
    return tuple(ipaddress.ip_network(word.strip()) for word in text.split(",")) if text.strip() else ()


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "str": str,
    "int": int,
    "bool": _flag,
    "Stage": Stage,
    "LatePayment": LatePayment,
    "ConfirmWithQuery": ConfirmWithQuery,
    "Networks": _networks,
    "DeliveryArea": read_delivery_area,
}

_ORIGIN: Final = re.compile(r"https://(?P<host>[a-z0-9.-]+)(:\d+)?(/[\w.$~-]+)*", re.ASCII | re.IGNORECASE)
_GATEWAY: Final = re.compile(r"https://(?P<host>[a-z0-9.-]+)(/[\w.~-]+)*", re.ASCII | re.IGNORECASE)
_GATEWAYS: Final = {
    "mpesa_base_url": ".safaricom.co.ke",
    "phonepe_base_url": ".phonepe.com",
    "phonepe_token_url": ".phonepe.com",
}
_SANDBOXES: Final = frozenset({"sandbox.safaricom.co.ke", "api-preprod.phonepe.com"})


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
    found = Settings(**values)
    if found.stage is Stage.PRODUCTION:
        _check_production(found)
    return found


def _check_production(found: Settings) -> None:
    """SettingError for an address to which no real money may be trusted.

    Addresses are matched as a whole instead of being parsed: parsers disagree about users, backslashes and blanks in them.
    """
    for name in ("public_origin", "callback_origin"):
        if not _ORIGIN.fullmatch(getattr(found, name)):
            raise SettingError(f"the setting {name.upper()} must be an https origin in production, without a slash at its end")
    for name, domain in _GATEWAYS.items():
        address = _GATEWAY.fullmatch(getattr(found, name))
        host = address["host"].lower() if address else ""
        if not host.endswith(domain):
            raise SettingError(f"the setting {name.upper()} must be an https address on a host of {domain[1:]} in production")
        if host in _SANDBOXES:
            raise SettingError(f"the setting {name.upper()} is the gateway's sandbox, where nobody pays, in production")


@cache
def settings() -> Settings:
    """The settings of this process."""
    return read_settings(os.environ)
