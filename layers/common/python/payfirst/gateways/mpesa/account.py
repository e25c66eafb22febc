"""What Safaricom gives a shop for Daraja, under the names of M-Pesa's usual configuration, and how it is tried."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from payfirst.gateways.account import NO_BLANKS, VISIBLE, CredentialError, Field, Form, Values, like
from payfirst.gateways.declaration import from_secret
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.gateways.mpesa.deliverable_address import Severity, callback_address_problem
from payfirst.gateways.mpesa.terms import MPESA
from payfirst.gateways.tokens import TokenFailure
from payfirst.settings import Stage

SANDBOX_SHORTCODE: Final = "174379"
SANDBOX_PASSKEY: Final = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
"""Both are printed on Safaricom's developer portal for everybody; nobody's money goes there."""

_RSA_BYTES: Final = frozenset({128, 256, 384, 512})
_DIGITS: Final = like(r"\d{5,7}")


def _is_security_credential(text: str) -> bool:
    """Whether this can be a password that was encrypted with a certificate: base64 of one RSA block."""
    try:
        return len(base64.b64decode(text, validate=True)) in _RSA_BYTES
    except (binascii.Error, ValueError):
        return False


_FIELDS: Final = (
    Field(
        "consumer_key",
        "MPESA_CONSUMER_KEY",
        "Consumer key",
        f"{NO_BLANKS} and without a colon",
        like(r"[!-9;-~]{1,512}"),
        hidden=True,
    ),
    Field("consumer_secret", "MPESA_CONSUMER_SECRET", "Consumer secret", NO_BLANKS, VISIBLE, hidden=True),
    Field(
        "shortcode",
        "MPESA_BUSINESS_SHORTCODE",
        "PayBill number, or the till's head office number",
        "must be 5 to 7 digits",
        _DIGITS,
    ),
    Field("passkey", "MPESA_PASSKEY", "Passkey", NO_BLANKS, VISIBLE, hidden=True),
    Field("till", "MPESA_TILL", "Till number (empty for a PayBill)", "must be 5 to 7 digits", _DIGITS, required=False),
    Field(
        "initiator_name",
        "MPESA_INITIATOR_NAME",
        "Initiator's name, for refunds (empty for none)",
        NO_BLANKS,
        VISIBLE,
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


class MpesaForm(Form):
    """A Daraja app's keys, the short code with its passkey, and an initiator where the shop has one."""

    title = MPESA.label
    fields = _FIELDS
    addresses = {  # noqa: RUF012 - a mapping that nobody writes to
        Stage.SANDBOX: "https://sandbox.safaricom.co.ke",
        Stage.PRODUCTION: "https://api.safaricom.co.ke",
    }
    setting = "MPESA_BASE_URL"
    remark = "Short code and passkey are proved by the first payment: Safaricom does not look at them before."
    callback_variable = "MPESA_CALLBACK_URL"

    def check_together(self, values: Mapping[str, str], *, production: bool) -> None:
        if ("initiator_name" in values) != ("security_credential" in values):
            raise CredentialError("MPESA_INITIATOR_NAME and MPESA_SECURITY_CREDENTIAL are needed together, or neither.")
        if not production:
            return
        if values.get("shortcode") == SANDBOX_SHORTCODE:
            raise CredentialError("MPESA_BUSINESS_SHORTCODE is the sandbox's, and this is production.")
        # Safaricom prints it for everybody, so nothing is learnt from how long this takes.
        if values.get("passkey") == SANDBOX_PASSKEY:  # nosemgrep: compared-secret
            raise CredentialError("MPESA_PASSKEY is the sandbox's, and this is production.")

    def refusal(self, values: Values, address: str, *, now: datetime, timeout_s: float) -> TokenFailure | None:
        client = Mpesa(from_secret(MpesaCredentials, values), address, None, "payfirst")
        return client.refusal_of_credentials(now=now, timeout_s=timeout_s)

    def secrets(self, values: Values) -> list[str]:
        pair = f"{values['consumer_key']}:{values['consumer_secret']}"
        return [*super().secrets(values), base64.b64encode(pair.encode()).decode("ascii")]

    def callback_problem(self, origin: str, stage: Stage) -> tuple[str, bool] | None:
        problem = callback_address_problem(f"{origin}/cb/stk/0", stage)
        return None if problem is None else (problem.message, problem.severity is Severity.ERROR)


FORM: Final = MpesaForm()
