"""What a gateway's credentials consist of: their names everywhere, and what each must look like.

The names in capitals are those of M-Pesa's usual configuration and their like for PhonePe; they are read from the environment
and named in every sentence. A sentence never repeats a value.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SANDBOX_SHORTCODE: Final = "174379"
SANDBOX_PASSKEY: Final = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
"""Both are printed on Safaricom's developer portal for everybody; nobody's money goes there."""

_RSA_BYTES: Final = frozenset({128, 256, 384, 512})

Values = dict[str, str]
"""Credentials by the names of the fields of `MpesaCredentials`, `PhonePeCredentials` or `PhonePeV1Credentials`."""


class Form(StrEnum):
    """What a secret consists of. PhonePe's has two forms: its first API knows a shop by a salt key instead of a client."""

    MPESA = "mpesa"
    PHONEPE = "phonepe"
    PHONEPE_V1 = "phonepe_v1"


class CredentialError(Exception):
    """Why nothing was stored or why a check failed: one sentence for the operator, without any secret."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value: `name` in the secret's JSON, `variable` in the environment, `title` on the terminal, `rule` in a sentence."""

    name: str
    variable: str
    title: str
    rule: str
    holds: Callable[[str], bool]
    hidden: bool = False
    required: bool = True


def _like(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


def _is_security_credential(text: str) -> bool:
    """Whether this can be a password that was encrypted with a certificate: base64 of one RSA block."""
    try:
        return len(base64.b64decode(text, validate=True)) in _RSA_BYTES
    except (binascii.Error, ValueError):
        return False


def _is_webhook_password(text: str) -> bool:
    fits = _like(r"[A-Za-z0-9]{8,20}")(text)
    return fits and any(map(str.isalpha, text)) and any(map(str.isdigit, text))


_VISIBLE: Final = _like(r"[!-~]{1,512}")
_NO_BLANKS: Final = "must be 1 to 512 letters, digits and signs without blanks"
_DIGITS: Final = _like(r"\d{5,7}")

MPESA_FIELDS: Final = (
    Field(
        "consumer_key",
        "MPESA_CONSUMER_KEY",
        "Consumer key",
        f"{_NO_BLANKS} and without a colon",
        _like(r"[!-9;-~]{1,512}"),
        hidden=True,
    ),
    Field("consumer_secret", "MPESA_CONSUMER_SECRET", "Consumer secret", _NO_BLANKS, _VISIBLE, hidden=True),
    Field(
        "shortcode",
        "MPESA_BUSINESS_SHORTCODE",
        "PayBill number, or the till's head office number",
        "must be 5 to 7 digits",
        _DIGITS,
    ),
    Field("passkey", "MPESA_PASSKEY", "Passkey", _NO_BLANKS, _VISIBLE, hidden=True),
    Field("till", "MPESA_TILL", "Till number (empty for a PayBill)", "must be 5 to 7 digits", _DIGITS, required=False),
    Field(
        "initiator_name",
        "MPESA_INITIATOR_NAME",
        "Initiator's name, for refunds (empty for none)",
        _NO_BLANKS,
        _VISIBLE,
        required=False,
    ),
    Field(
        "security_credential",
        "MPESA_SECURITY_CREDENTIAL",
        "Security credential, for refunds (empty for none)",
        "must be the initiator's password as Safaricom's certificate encrypts it, in base64 (344 characters for most), "
        "not the password itself",
        _is_security_credential,
        hidden=True,
        required=False,
    ),
)
PHONEPE_FIELDS: Final = (
    Field("client_id", "PHONEPE_CLIENT_ID", "Client id", _NO_BLANKS, _VISIBLE),
    Field("client_secret", "PHONEPE_CLIENT_SECRET", "Client secret", _NO_BLANKS, _VISIBLE, hidden=True),
    Field("client_version", "PHONEPE_CLIENT_VERSION", "Client version", "must be a whole number", _like(r"\d{1,9}")),
    Field(
        "webhook_username",
        "PHONEPE_WEBHOOK_USERNAME",
        "Webhook's user name",
        "must be 5 to 20 letters, digits and underscores",
        _like(r"\w{5,20}"),
    ),
    Field(
        "webhook_password",
        "PHONEPE_WEBHOOK_PASSWORD",
        "Webhook's password",
        "must be 8 to 20 letters and digits, with at least one of each",
        _is_webhook_password,
        hidden=True,
    ),
    Field(
        "merchant_id",
        "PHONEPE_MERCHANT_ID",
        "Merchant id to compare notices with (empty for none)",
        _NO_BLANKS,
        _VISIBLE,
        required=False,
    ),
)
PHONEPE_V1_FIELDS: Final = (
    Field(
        "merchant_id",
        "PHONEPE_MERCHANT_ID",
        "Merchant id",
        "must be 1 to 37 letters, digits, underscores and hyphens",
        _like(r"[\w-]{1,37}"),
    ),
    Field("salt_key", "PHONEPE_SALT_KEY", "Salt key", _NO_BLANKS, _VISIBLE, hidden=True),
    Field("salt_index", "PHONEPE_SALT_INDEX", "Salt index", "must be a whole number", _like(r"\d{1,4}"), hidden=True),
)
FIELDS: Final[Mapping[Form, tuple[Field, ...]]] = {
    Form.MPESA: MPESA_FIELDS,
    Form.PHONEPE: PHONEPE_FIELDS,
    Form.PHONEPE_V1: PHONEPE_V1_FIELDS,
}
PAIRS: Final[Mapping[Form, tuple[str, ...]]] = {
    Form.PHONEPE: ("webhook_username", "webhook_password"),
    Form.PHONEPE_V1: ("salt_key", "salt_index"),
}
"""What notices are recognised by; while it is changed, the one before is kept beside it as `previous_…`."""


def checked(field: Field, text: str) -> str:
    """`text` as it will be stored; CredentialError if it is not what `field` must be."""
    if not field.holds(text):
        raise CredentialError(f"{field.variable} {field.rule}.")
    return text


def check_together(values: Mapping[str, str], *, production: bool) -> None:
    """CredentialError where values that are right by themselves do not fit together, or do not fit production."""
    if ("initiator_name" in values) != ("security_credential" in values):
        raise CredentialError("MPESA_INITIATOR_NAME and MPESA_SECURITY_CREDENTIAL are needed together, or neither.")
    if not production:
        return
    if values.get("shortcode") == SANDBOX_SHORTCODE:
        raise CredentialError("MPESA_BUSINESS_SHORTCODE is the sandbox's, and this is production.")
    if values.get("passkey") == SANDBOX_PASSKEY:
        raise CredentialError("MPESA_PASSKEY is the sandbox's, and this is production.")
