"""Whether credentials are whole, fit where they are going, and are known to their gateway."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import fields as fields_of
from typing import Final
from urllib.parse import urlsplit

import typer

from ops.credential_fields import MPESA_FIELDS, PHONEPE_FIELDS, CredentialError, Values, check_together, checked
from ops.credential_input import CALLBACK_URL, Given
from ops.credential_target import Account, Target
from payfirst.domain.clock import utc_now
from payfirst.gateways.mpesa import Mpesa, MpesaCredentials, Severity, callback_address_problem
from payfirst.gateways.phonepe import PhonePe, PhonePeCredentials
from payfirst.settings import Stage

FIELDS: Final = {Account.MPESA: MPESA_FIELDS, Account.PHONEPE: PHONEPE_FIELDS}
TITLES: Final = {Account.MPESA: "M-Pesa", Account.PHONEPE: "PhonePe"}
ADDRESSES: Final[Mapping[Account, Mapping[Stage, str]]] = {
    Account.MPESA: {
        Stage.SANDBOX: "https://sandbox.safaricom.co.ke",
        Stage.PRODUCTION: "https://api.safaricom.co.ke",
    },
    Account.PHONEPE: {
        Stage.SANDBOX: "https://api-preprod.phonepe.com/apis/pg-sandbox/v1/oauth/token",
        Stage.PRODUCTION: "https://api.phonepe.com/apis/identity-manager/v1/oauth/token",
    },
}
TIMEOUT_S: Final = 15.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def check_whole(account: Account, values: Values, stage: Stage | None) -> None:
    """CredentialError names the first of `values` that is missing, is not what it must be, or does not fit the others."""
    for field in FIELDS[account]:
        if field.name in values:
            checked(field, values[field.name])
        elif field.required:
            raise CredentialError(f"{field.variable} is not stored: run `payfirst credentials set {account}`.")
    check_together(values, production=stage is Stage.PRODUCTION)


def stage_of(account: Account, given: Given, stage: str | None, target: Target) -> Stage | None:
    """Which of the gateway's worlds the credentials are for; None if neither the operator nor a stack says so."""
    variable = f"{account.value.upper()}_ENVIRONMENT"
    word = stage or given.variable(variable)
    if word is None:
        return target.stage
    if word not in ("sandbox", "production"):
        raise CredentialError(f"{'--stage' if stage else variable} must be sandbox or production.")
    if target.stage in (Stage.SANDBOX, Stage.PRODUCTION) and word != target.stage:
        raise CredentialError(f"The stack's stage is {target.stage}, and these credentials are for {word}.")
    return Stage(word)


def address_of(account: Account, stage: Stage | None, base_url: str | None, target: Target) -> str:
    """M-Pesa's base address or PhonePe's token address: the operator's, else the stack's own, else the stage's."""
    if base_url is not None:
        address = base_url.rstrip("/") + ("/v1/oauth/token" if account is Account.PHONEPE else "")
    elif target.address is not None:
        address = target.address
    elif stage is not None and stage in ADDRESSES[account]:
        address = ADDRESSES[account][stage]
    else:
        raise CredentialError(f"Say where {TITLES[account]} is to be asked: --stage sandbox or --stage production.")
    try:
        parts = urlsplit(address)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    except ValueError:
        is_safe = False
    if not is_safe:
        raise CredentialError("Credentials are sent to https addresses only, or to a simulator on this machine.")
    return address


def prove(account: Account, values: Values, address: str) -> None:
    """CredentialError unless the gateway at `address` gives a token for `values`."""
    client: Mpesa | PhonePe
    if account is Account.MPESA:
        mpesa = MpesaCredentials(**_known(values, MpesaCredentials))
        client = Mpesa(mpesa, address, None, "payfirst")
    else:
        phonepe = PhonePeCredentials(**_known(values, PhonePeCredentials))
        client = PhonePe(phonepe, address, address, None, "payfirst")
    failure = client.refusal_of_credentials(now=utc_now(), timeout_s=TIMEOUT_S)
    if failure is None:
        return
    reason = _without_secrets(account, values, failure.reason)
    if failure.configuration:
        raise CredentialError(f"{TITLES[account]} does not know these credentials ({reason}); nothing was changed.")
    raise CredentialError(f"{TITLES[account]} could not be asked ({reason}); nothing was changed. Try again later.")


def _known(values: Values, kind: type[MpesaCredentials | PhonePeCredentials]) -> dict[str, str]:
    names = {field.name for field in fields_of(kind)}
    return {name: value for name, value in values.items() if name in names}


def _without_secrets(account: Account, values: Values, text: str) -> str:
    """`text` without what must not be shown, should a gateway repeat it."""
    secrets = [values[field.name] for field in FIELDS[account] if field.hidden and field.name in values]
    if account is Account.MPESA:
        pair = f"{values['consumer_key']}:{values['consumer_secret']}"
        secrets.append(base64.b64encode(pair.encode()).decode("ascii"))
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def check_callback_url(url: str | None, stage: Stage | None) -> None:
    """Warn about an address at which M-Pesa would not post, CredentialError in production; only its origin is ever used."""
    if url is None:
        return
    try:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        origin = url
    problem = callback_address_problem(f"{origin}/cb/stk/0", stage or Stage.SANDBOX)
    if problem is None:
        return
    if problem.severity is Severity.ERROR:
        raise CredentialError(f"M-Pesa would not post to the origin of {CALLBACK_URL}: {problem.message}.")
    typer.echo(f"Warning: in production M-Pesa would not post to the origin of {CALLBACK_URL}: {problem.message}.", err=True)
