"""What `make run` is told: by its environment and by the file `.env` beside the Makefile, of which the environment wins."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from local.credentials import CREDENTIALS, INITIATOR
from local.embedded_aws import ROOT
from ops.printing import visible
from payfirst.gateways.registry import setting_names

ENV_FILE: Final = ROOT / ".env"
OF_THE_STACK: Final = frozenset(
    {
        *("STAGE", "WATCHING", "TABLE_NAME", "GATEWAY_TOKENS_TABLE_NAME", "SETTLE_QUEUE_URL", "EVENT_BUS_NAME"),
        *("TOKEN_ISSUER", "TOKEN_AUDIENCE", "SIGN_IN_PAGE", "CURSOR_SECRET_ID", "GATEWAYS_SECRET_ID"),
    }
)
"""Settings of the functions that the stack gives them; the others may be chosen here."""
SETTINGS: Final = tuple(name for name in setting_names() if name not in OF_THE_STACK)

PHONEPE_SANDBOX: Final = "https://api-preprod.phonepe.com/apis/pg-sandbox"
SANDBOXES: Final = {
    "MPESA_ENVIRONMENT": {"MPESA_BASE_URL": "https://sandbox.safaricom.co.ke"},
    "PHONEPE_ENVIRONMENT": {"PHONEPE_BASE_URL": PHONEPE_SANDBOX, "PHONEPE_TOKEN_URL": f"{PHONEPE_SANDBOX}/v1/oauth/token"},
}
"""What reaches a gateway's sandbox, by the variable that asks for it."""

PORTS: Final = ("PORT", "SIMULATOR_PORT", "AWS_PORT")
SCHEDULE: Final = "SCHEDULE_SECONDS"
CALLBACK_URL: Final = "MPESA_CALLBACK_URL"
GATEWAYS: Final = ("MPESA_", "PHONEPE_")
"""What begins like this is never meant for the other one."""
KNOWN: Final = frozenset({*SETTINGS, *PORTS, SCHEDULE, CALLBACK_URL, *SANDBOXES, INITIATOR, *CREDENTIALS})


class ChoiceError(Exception):
    """A name in `.env` or in the environment cannot be followed; the sentence repeats no value."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The functions' settings that were chosen, and everything that was given, credentials among it."""

    settings: dict[str, str]
    given: dict[str, str]


def read_env_file(path: Path, say: Callable[[str], None]) -> dict[str, str]:
    """The names and values of a `.env`; none where there is no such file. What is not known here is said, by its name alone."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            lines = list(parse_stream(file))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ChoiceError(f"{path.name} cannot be read: it must be a text file in UTF-8 that you may read.") from error
    found: dict[str, str] = {}
    for line in lines:
        if line.error or (line.key is not None and line.value is None):
            text = line.original.string
            blank = text[: len(text) - len(text.lstrip())].count("\n")
            raise ChoiceError(f"Line {line.original.line + blank} of {path.name} is not NAME=value.")
        if line.key is not None:
            found[line.key] = line.value or ""
    for name in found.keys() - KNOWN:
        gateway = next((each for each in GATEWAYS if name.upper().startswith(each)), "")
        near = difflib.get_close_matches(name, [known for known in KNOWN if known.startswith(gateway)], n=1)
        say(f"{path.name} names {visible(name)}, which is unknown here{f'; {near[0]} is known' if near else ''}")
    return {name: value for name, value in found.items() if name in KNOWN}


def choose(environment: Mapping[str, str], file: Mapping[str, str], say: Callable[[str], None]) -> Choices:
    """What holds of both; `say` is told of each name that is given and cannot be used here, and why. ChoiceError."""
    given = {**file, **{name: environment[name] for name in KNOWN & environment.keys()}}
    given = {name: value.strip() for name, value in given.items() if value.strip()}
    settings = {name: given[name] for name in SETTINGS if name in given}
    for stage, sandbox in SANDBOXES.items():
        match given.get(stage):
            case "sandbox":
                settings = sandbox | settings
            case "production":
                say(f"{stage}=production is not for this machine: {stage.split('_')[0]} is simulated")
            case None:
                pass
            case _:
                raise ChoiceError(f"{stage} must be sandbox, or left out for the simulation.")
    if CALLBACK_URL in given:
        settings = _callback_origin(given[CALLBACK_URL], settings, say) | settings
    if "PHONEPE_MERCHANT_ID" in given and "PHONEPE_BASE_URL" not in settings:
        say("PHONEPE_MERCHANT_ID is not used: the simulated PhonePe has a merchant of its own")
        del given["PHONEPE_MERCHANT_ID"]
    if given.get(INITIATOR, "none") != "none":
        raise ChoiceError(f"{INITIATOR} must be none, or left out.")
    return Choices(settings, given)


def _callback_origin(url: str, settings: Mapping[str, str], say: Callable[[str], None]) -> dict[str, str]:
    """Where M-Pesa posts to: of the given address only the origin counts, and the simulated M-Pesa posts to this machine."""
    try:
        address = urlsplit(url)
    except ValueError:
        address = urlsplit("")
    if address.scheme not in ("http", "https") or not address.netloc:
        raise ChoiceError(f"{CALLBACK_URL} must be an address, https://HOST/….")
    if "MPESA_BASE_URL" not in settings:
        say(f"{CALLBACK_URL} is not used: the simulated M-Pesa posts its notices to this machine")
        return {}
    return {"CALLBACK_ORIGIN": f"{address.scheme}://{address.netloc}"}
