"""Every setting of the deployed functions, read from the environment once and typed.

A setting that is missing is an error that names it: there is no default that could be wrong in somebody's shop. Secrets are
not settings: the environment holds only the names under which Secrets Manager keeps them. What one gateway alone reads is
declared in its own folder, with `whole` and `gateway_address`, and read by `settings_of`.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar

from payfirst.domain.days import LONGEST_HORIZON, Days
from payfirst.domain.delivery import DeliveryArea, read_delivery_area

T = TypeVar("T")


class SettingError(Exception):
    """A setting is missing or cannot be read; the function does not start."""


class Stage(StrEnum):
    """Where the stack runs; `production` accepts only the gateways' own hosts over https, and not their sandboxes."""

    LOCAL = "local"
    SANDBOX = "sandbox"
    PRODUCTION = "production"


class Watching(StrEnum):
    """How closely the shop is watched: `small` by what AWS counts anyway, `full` by metrics of the functions' own too."""

    SMALL = "small"
    FULL = "full"


class LatePayment(StrEnum):
    """What becomes of money that arrives after its session ended."""

    HONOUR = "honour"
    REFUND = "refund"


class ConfirmWithQuery(StrEnum):
    """How much a gateway's own status counts when a notice on the attempt's own address says that a payment succeeded."""

    STRICT = "strict"
    ADVISORY = "advisory"
    OFF = "off"


Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
"""Where a gateway's notices may come from; empty means anywhere."""


Origins = frozenset[str]
"""The origins of the shop's own pages; empty lets no browser in."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most of a number, as the template bounds its parameter.

    `locally` is what it may be less than that where no gateway is asked: what ends before one's eyes.
    """

    least: int
    most: int
    locally: int


def whole(least: int, most: int, *, locally: int | None = None) -> Mapping[str, Bounds]:
    """The metadata of a field for a whole number in ASCII digits within these bounds."""
    return {"bounds": Bounds(least, most, least if locally is None else locally)}


def gateway_address(domain: str, *, sandbox: str, may_be_empty: bool = False) -> Mapping[str, Any]:
    """The metadata of a field for an address that production takes on a host of `domain` alone, and not on `sandbox`."""
    return {"domain": domain, "sandbox": sandbox, "may_be_empty": may_be_empty}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings; each field is the environment variable of the same name in upper case. Times are seconds."""

    stage: Stage
    watching: Watching
    table_name: str
    gateway_tokens_table_name: str
    settle_queue_url: str
    event_bus_name: str
    token_issuer: str
    token_audience: str
    sign_in_page: str
    public_origin: str
    callback_origin: str
    return_url: str
    shop_origin: Origins
    allow_past_dates: bool
    customers_cancel_orders: bool
    horizon_days: int = field(metadata=whole(1, LONGEST_HORIZON))
    session_ttl_seconds: int = field(metadata=whole(300, 3600, locally=1))
    expiry_grace_seconds: int = field(metadata=whole(0, 600))
    late_payment: LatePayment
    phone_pace_seconds: int = field(metadata=whole(0, 600))
    open_sessions_per_user: int = field(metadata=whole(0, 50))
    sessions_per_user_hour: int = field(metadata=whole(0, 1_000_000))
    prompts_per_user_hour: int = field(metadata=whole(0, 1_000_000))
    prompts_per_phone_hour: int = field(metadata=whole(0, 1_000_000))
    cursor_secret_id: str
    gateways_secret_id: str
    delivery_fees: DeliveryArea
    bookings_mail_sender: str
    orders_mail_sender: str
    shop_mail: str

    @property
    def days(self) -> Days:
        """The days for which the shop takes bookings and deliveries."""
        return Days(self.allow_past_dates, self.horizon_days)


def _flag(text: str) -> bool:
    words = {"true": True, "false": False}
    return words[text.lower()]


def _networks(text: str) -> Networks:
    """Networks with commas between them; ValueError for one that is none, or that names a host inside a network."""
    return tuple(ipaddress.ip_network(word.strip()) for word in text.split(",")) if text.strip() else ()


def _origins(text: str) -> Origins:
    """Origins with commas between them; ValueError for one that no browser could send."""
    found = frozenset(word.strip() for word in text.split(",") if word.strip())
    if not all(_PAGES.fullmatch(origin) for origin in found):
        raise ValueError(text)
    return found


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "str": str,
    "bool": _flag,
    "Stage": Stage,
    "Watching": Watching,
    "LatePayment": LatePayment,
    "ConfirmWithQuery": ConfirmWithQuery,
    "Networks": _networks,
    "Origins": _origins,
    "DeliveryArea": read_delivery_area,
}

_WHOLE: Final = re.compile(r"-?[0-9]{1,9}")
_ORIGIN: Final = re.compile(r"https://(?P<host>[a-z0-9.-]+)(:\d+)?(/[\w.$~-]+)*", re.ASCII | re.IGNORECASE)
_GATEWAY: Final = re.compile(r"https://(?P<host>[a-z0-9.-]+)(/[\w.~-]+)*", re.ASCII | re.IGNORECASE)
_RETURN: Final = re.compile(r"https://[^\s#/?@]+([/?][^\s#]*)?", re.ASCII | re.IGNORECASE)
_PAGES: Final = re.compile(r"https?://[a-z0-9.-]+(:\d+)?", re.ASCII)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings found in `environment`; SettingError names the first one that is missing or cannot be read."""
    found = read(Settings, environment)
    if found.stage is Stage.PRODUCTION:
        _check_production(found)
    return found


def read(kind: type[T], environment: Mapping[str, str]) -> T:
    """The dataclass `kind` from the variables of its fields' names in upper case.

    SettingError names the first that is missing or cannot be read, or that is no address for real money in production.
    """
    stage = Stage(_value("STAGE", "Stage", environment))
    return kind(**{each.name: _setting(each, environment, stage) for each in fields(kind)})  # type: ignore[arg-type]


def _setting(each: Field[Any], environment: Mapping[str, str], stage: Stage) -> Any:  # noqa: ANN401 - what its type says
    name = each.name.upper()
    bounds = each.metadata.get("bounds")
    if bounds is not None:
        return _bounded(name, _text(name, environment), bounds, stage)
    value = _value(name, str(each.type), environment)
    if "domain" in each.metadata and stage is Stage.PRODUCTION and (value or not each.metadata["may_be_empty"]):
        _check_address(name, value, each.metadata["domain"], each.metadata["sandbox"])
    return value


def _text(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise SettingError(f"the setting {name} is missing")
    return environment[name]


def _value(name: str, kind: str, environment: Mapping[str, str]) -> Any:  # noqa: ANN401 - what `kind` says
    try:
        return _READERS[kind](_text(name, environment))
    except (ValueError, KeyError) as exc:
        raise SettingError(f"the setting {name} cannot be read as {kind}") from exc


def _bounded(name: str, text: str, bounds: Bounds, stage: Stage) -> int:
    """A whole number in ASCII digits; SettingError names its bounds."""
    least = bounds.locally if stage is Stage.LOCAL else bounds.least
    if not _WHOLE.fullmatch(text) or not least <= int(text) <= bounds.most:
        raise SettingError(f"the setting {name} cannot be read as a whole number from {least} to {bounds.most}")
    return int(text)


def _check_address(name: str, address: str, domain: str, sandbox: str) -> None:
    """SettingError for a gateway's address to which no real money may be trusted.

    Addresses are matched as a whole instead of being parsed: parsers disagree about users, backslashes and blanks in them.
    """
    found = _GATEWAY.fullmatch(address)
    host = found["host"].lower() if found else ""
    if not host.endswith(f".{domain}"):
        raise SettingError(f"the setting {name} must be an https address on a host of {domain} in production")
    if host == sandbox:
        raise SettingError(f"the setting {name} is the gateway's sandbox, where nobody pays, in production")


def _check_production(found: Settings) -> None:
    """SettingError for an origin of the shop's own that is not https; matched as a whole like a gateway's address."""
    for name in ("public_origin", "callback_origin"):
        if getattr(found, name) and not _ORIGIN.fullmatch(getattr(found, name)):
            raise SettingError(f"the setting {name.upper()} must be an https origin in production, without a slash at its end")
    if found.return_url and not _RETURN.fullmatch(found.return_url):
        raise SettingError("the setting RETURN_URL must be an https address in production")
    if not all(origin.startswith("https://") and "localhost" not in origin for origin in found.shop_origin):
        raise SettingError("the setting SHOP_ORIGIN must name https origins in production, and not localhost")


@cache
def settings() -> Settings:
    """The settings of this process."""
    return read_settings(os.environ)


def settings_of(kind: type[T]) -> T:
    """The settings of this process that one gateway declares as the dataclass `kind`."""
    found: T = read_once(kind)  # type: ignore[arg-type]
    return found


@cache
def read_once(kind: type[Any]) -> Any:  # noqa: ANN401 - a value of `kind`
    """What `settings_of` keeps."""
    return read(kind, os.environ)
