"""What the local stack keeps in its secrets: made once per state directory, readable by its owner only."""

from __future__ import annotations

import json
import os
import secrets
import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

SANDBOX_SHORTCODE: Final = "174379"
SANDBOX_PASSKEY: Final = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
FROM_ENVIRONMENT: Final = {
    "consumer_key": "MPESA_CONSUMER_KEY",
    "consumer_secret": "MPESA_CONSUMER_SECRET",
    "shortcode": "MPESA_BUSINESS_SHORTCODE",
    "passkey": "MPESA_PASSKEY",
}
OWNER_ONLY: Final = 0o600

SIMULATED_MERCHANT: Final = "PAYFIRSTUAT"

Secrets = dict[str, dict[str, str]]


def load_credentials(kept_in: Path, environment: Mapping[str, str]) -> Secrets:
    """The content of the gateways' secrets by their logical ids, `MpesaSecret` and `PhonePeSecret`.

    Random ones are made when `kept_in` does not exist yet. `MPESA_CONSUMER_KEY` and its like in `environment` win over what is
    kept, and are not kept; with a `PHONEPE_SALT_KEY` there the shop speaks PhonePe's first API.
    """
    if kept_in.exists():
        kept: Secrets = json.loads(kept_in.read_text(encoding="utf-8"))
    else:
        kept = _made()
        write_for_owner(kept_in, json.dumps(kept))
    given = {field: environment[name] for field, name in FROM_ENVIRONMENT.items() if environment.get(name)}
    found = {**kept, "MpesaSecret": kept["MpesaSecret"] | given}
    salt_key = environment.get("PHONEPE_SALT_KEY")
    if salt_key:
        index = environment.get("PHONEPE_SALT_INDEX", "1")
        found["PhonePeSecret"] = {"merchant_id": SIMULATED_MERCHANT, "salt_key": salt_key, "salt_index": index}
    return found


def write_for_owner(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on; it replaces an older one at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _made() -> Secrets:
    letters_and_digits = string.ascii_letters + string.digits
    return {
        "MpesaSecret": {
            "consumer_key": secrets.token_hex(16),
            "consumer_secret": secrets.token_hex(16),
            "shortcode": SANDBOX_SHORTCODE,
            "passkey": SANDBOX_PASSKEY,
        },
        "PhonePeSecret": {
            "client_id": f"LOCAL_{secrets.token_hex(6).upper()}",
            "client_secret": secrets.token_hex(16),
            "client_version": "1",
            "webhook_username": f"local_{secrets.token_hex(4)}",
            "webhook_password": _word(letters_and_digits, 18),
        },
    }


def _word(alphabet: str, length: int) -> str:
    """A random word with at least one letter and one digit, as PhonePe demands of passwords."""
    holds: tuple[Callable[[str], bool], ...] = (str.isalpha, str.isdigit)
    while True:
        word = "".join(secrets.choice(alphabet) for _ in range(length))
        if all(any(check(char) for char in word) for check in holds):
            return word
