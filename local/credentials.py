"""What the local stack keeps in its secrets: made once per state directory, readable by its owner only."""

from __future__ import annotations

import base64
import json
import os
import secrets
import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from payfirst.gateways.account import Form, checked
from payfirst.gateways.mpesa.account import FORM, SANDBOX_PASSKEY, SANDBOX_SHORTCODE
from payfirst.gateways.phonepe.account import CHECKOUT, FIRST_API

CREDENTIALS: Final = frozenset(field.variable for form in (FORM, CHECKOUT, FIRST_API) for field in form.fields)
"""The names that `payfirst credentials set` reads are those that are read here."""

INITIATOR: Final = "MPESA_INITIATOR"
"""`none`: the simulated shop has no initiator, as many shops have none, and pays M-Pesa's customers back by hand."""

OWNER_ONLY: Final = 0o600

SIMULATED_MERCHANT: Final = "PAYFIRSTUAT"

_NAMED_BEFORE: Final = {"MpesaSecret": "mpesa", "PhonePeSecret": "phonepe"}
"""What an earlier release, which kept a secret for each gateway, called them."""

Secrets = dict[str, dict[str, str]]


def load_credentials(kept_in: Path, environment: Mapping[str, str], *, simulated: bool = True) -> Secrets:
    """The content of the gateways' secret: of each gateway its credentials, under `mpesa` and `phonepe`.

    Random ones are made when `kept_in` does not exist yet. `MPESA_CONSUMER_KEY` and its like in `environment` win over what is
    kept, and are not kept; with a `PHONEPE_SALT_KEY` there the shop speaks PhonePe's first API. A `simulated` M-Pesa knows the
    initiator that is made here, unless MPESA_INITIATOR is `none`; any other only one that is given. CredentialError names what
    is not as it should be.
    """
    kept: Secrets = json.loads(kept_in.read_text(encoding="utf-8")) if kept_in.exists() else _made()
    kept = {_NAMED_BEFORE.get(name, name): content for name, content in kept.items()}
    if not kept_in.exists() or "initiator_name" not in kept["mpesa"]:
        kept["mpesa"] |= _initiator()  # an earlier release made none
        write_for_owner(kept_in, json.dumps(kept))
    mpesa = dict(kept["mpesa"])
    if not simulated or environment.get(INITIATOR) == "none":
        del mpesa["initiator_name"], mpesa["security_credential"]
    found = {"mpesa": mpesa | _given(FORM, environment), "phonepe": _phonepe(kept, environment)}
    FORM.check_together(found["mpesa"], production=False)
    return found


def _phonepe(kept: Secrets, environment: Mapping[str, str]) -> dict[str, str]:
    if environment.get("PHONEPE_SALT_KEY"):
        usual = {"merchant_id": SIMULATED_MERCHANT, "salt_index": "1"}
        return usual | _given(FIRST_API, environment)
    return kept["phonepe"] | _given(CHECKOUT, environment)


def _given(form: Form, environment: Mapping[str, str]) -> dict[str, str]:
    fields = {field.name: field for field in form.fields if environment.get(field.variable)}
    return {name: checked(field, environment[field.variable]) for name, field in fields.items()}


def _initiator() -> dict[str, str]:
    """What the simulated M-Pesa takes for an initiator, in the form that Safaricom's certificate gives the real thing."""
    return {"initiator_name": "payfirst", "security_credential": base64.b64encode(secrets.token_bytes(256)).decode()}


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
        "mpesa": {
            "consumer_key": secrets.token_hex(16),
            "consumer_secret": secrets.token_hex(16),
            "shortcode": SANDBOX_SHORTCODE,
            "passkey": SANDBOX_PASSKEY,
        },
        "phonepe": {
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
