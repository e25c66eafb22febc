"""Whether M-Pesa will deliver to an address.

Safaricom's rules for addresses that are registered with it: https in production, none of its forbidden words in any
spelling, no tunnels and request bins. It enforces them unevenly, and a refused address is found out by a payment that
nobody hears of; so they are checked when the stack is set up.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from payfirst.settings import Stage

# Longest first, so that the word that is named is the one that a person sees.
FORBIDDEN_WORDS: Final = ("m-pesa", "mpesa", "safaricom", "exec", "exe", "cmd", "sql", "query")
_JOINTS: Final = re.compile(r"[\s_-]+")
_PLACEHOLDERS: Final = frozenset({"example", "mydomain", "my-domain", "yourdomain", "your-domain"})
_TUNNELS_AND_BINS: Final = frozenset(
    {"ngrok", "ngrok-free", "mockbin", "requestbin", "hookbin", "localtunnel", "trycloudflare"}
)
_BIN_HOSTS: Final = ("webhook.site", "pipedream.net", "loca.lt")
_NOWHERE: Final = frozenset({"test", "invalid", "local", "localhost", "example", "internal"})


class Severity(StrEnum):
    """An error stops the stack from being set up; a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class AddressProblem:
    """What is wrong with an address; `word` is the forbidden word, `place` where it stands: host, path or query."""

    severity: Severity
    message: str
    word: str | None = None
    place: str | None = None


def callback_address_problem(url: str, stage: Stage) -> AddressProblem | None:
    """The first thing wrong with `url` as an address for M-Pesa's notices, or `None`.

    An error in production, a warning elsewhere. On the local stage, where only the simulator calls, http and this
    machine's own names are right; forbidden words are named all the same, since such a path may be deployed later.
    """
    severity = Severity.ERROR if stage is Stage.PRODUCTION else Severity.WARNING
    try:
        address = urlsplit(url)
        host = (address.hostname or "").lower()
    except ValueError:
        return AddressProblem(severity, "this is not an address")
    if address.scheme not in {"http", "https"} or not host or re.search(r"[\s\x00-\x1f\x7f]", url):
        return AddressProblem(severity, "an address begins with https://, names a host and has no blanks")
    if address.username is not None or address.password is not None:
        return AddressProblem(severity, "an address must not hold a user or a password")
    found = _forbidden_word(address, host)
    if found is not None:
        word, place = found
        message = f"Safaricom refuses addresses with the word {word!r}, and the {place} has it"
        return AddressProblem(severity, message, word, place)
    if stage is Stage.LOCAL:
        return None
    if address.scheme != "https":
        return AddressProblem(severity, "M-Pesa's production calls https addresses only")
    if _is_placeholder(host):
        return AddressProblem(severity, f"{host} is a placeholder, a tunnel or this machine: M-Pesa cannot call it")
    return None


def _forbidden_word(address: SplitResult, host: str) -> tuple[str, str] | None:
    for place, part in (("host", host), ("path", address.path), ("query", f"{address.query} {address.fragment}")):
        plain = unquote(part).lower()
        joined = _JOINTS.sub("", plain)
        for word in FORBIDDEN_WORDS:
            # `M-PESA` is also spelt m_pesa; the short words must stand as they are, or `the-x-exit` would be one.
            if word in plain or (word == "mpesa" and word in joined):
                return word, place
    return None


def _is_placeholder(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        labels = host.rstrip(".").split(".")
    if len(labels) == 1 or labels[-1] in _NOWHERE or labels[-2] in _PLACEHOLDERS:
        return True
    return not _TUNNELS_AND_BINS.isdisjoint(labels) or ".".join(labels[-2:]) in _BIN_HOSTS
