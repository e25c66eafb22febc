"""Whether credentials are whole, fit where they are going, and are known to their gateway."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import fields as fields_of
from typing import Final
from urllib.parse import urlsplit

import typer

from ops.credential_fields import FIELDS, CredentialError, Form, Values, check_together, checked
from ops.credential_input import CALLBACK_URL, Given
from ops.credential_target import Account, Target
from payfirst.domain.clock import utc_now
from payfirst.gateways.mpesa import Mpesa, MpesaCredentials, Severity, callback_address_problem
from payfirst.gateways.phonepe import PhonePe, PhonePeCredentials
from payfirst.gateways.phonepe_v1 import PhonePeV1, PhonePeV1Credentials
from payfirst.settings import Stage

TITLES: Final = {Form.MPESA: "M-Pesa", Form.PHONEPE: "PhonePe", Form.PHONEPE_V1: "PhonePe (first API)"}
ADDRESSES: Final[Mapping[Form, Mapping[Stage, str]]] = {
    Form.MPESA: {
        Stage.SANDBOX: "https://sandbox.safaricom.co.ke",
        Stage.PRODUCTION: "https://api.safaricom.co.ke",
    },
    Form.PHONEPE: {
        Stage.SANDBOX: "https://api-preprod.phonepe.com/apis/pg-sandbox/v1/oauth/token",
        Stage.PRODUCTION: "https://api.phonepe.com/apis/identity-manager/v1/oauth/token",
    },
    Form.PHONEPE_V1: {
        Stage.SANDBOX: "https://api-preprod.phonepe.com/apis/pg-sandbox",
        Stage.PRODUCTION: "https://api.phonepe.com/apis/hermes",
    },
}
TIMEOUT_S: Final = 15.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def form_of(account: Account, *, by_salt_key: bool) -> Form:
    """What the account's secret consists of."""
    if account is Account.MPESA:
        return Form.MPESA
    return Form.PHONEPE_V1 if by_salt_key else Form.PHONEPE


def form_given(account: Account, given: Given, *, first_api: bool) -> Form:
    """What the operator wants to store: PhonePe's first API if asked for, or if there is a salt key."""
    has_salt_key = given.variable("PHONEPE_SALT_KEY") is not None
    form = form_of(account, by_salt_key=first_api or has_salt_key)
    if form is Form.PHONEPE_V1 and given.variable("PHONEPE_CLIENT_ID") is not None:
        raise CredentialError("PHONEPE_SALT_KEY and PHONEPE_CLIENT_ID belong to two APIs of PhonePe: give one of them.")
    return form


def check_whole(form: Form, values: Values, stage: Stage | None) -> None:
    """CredentialError names the first of `values` that is missing, is not what it must be, or does not fit the others."""
    for field in FIELDS[form]:
        if field.name in values:
            checked(field, values[field.name])
        elif field.required:
            raise CredentialError(f"{field.variable} is not stored: run `payfirst credentials set {account_of(form)}`.")
    check_together(values, production=stage is Stage.PRODUCTION)


def account_of(form: Form) -> Account:
    """Whose secret has this form."""
    return Account.MPESA if form is Form.MPESA else Account.PHONEPE


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


def address_of(form: Form, stage: Stage | None, base_url: str | None, target: Target) -> str:
    """Where credentials are tried: the operator's address, else the stack's own, else the stage's.

    M-Pesa and PhonePe's first API are asked at their base address, PhonePe's second where it gives tokens.
    """
    its_own = target.address if form is Form.PHONEPE else target.base_address
    if base_url is not None:
        address = base_url.rstrip("/") + ("/v1/oauth/token" if form is Form.PHONEPE else "")
    elif its_own is not None:
        address = its_own
    elif stage is not None and stage in ADDRESSES[form]:
        address = ADDRESSES[form][stage]
    else:
        raise CredentialError(f"Say where {TITLES[form]} is to be asked: --stage sandbox or --stage production.")
    try:
        parts = urlsplit(address)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    except ValueError:
        is_safe = False
    if not is_safe:
        raise CredentialError("Credentials are sent to https addresses only, or to a simulator on this machine.")
    return address


def prove(form: Form, values: Values, address: str) -> None:
    """CredentialError unless the gateway at `address` gives a token for `values`, or takes their checksum."""
    client: Mpesa | PhonePe | PhonePeV1
    match form:
        case Form.MPESA:
            client = Mpesa(MpesaCredentials(**_known(values, MpesaCredentials)), address, None, "payfirst")
        case Form.PHONEPE:
            client = PhonePe(PhonePeCredentials(**_known(values, PhonePeCredentials)), address, address, None, "payfirst")
        case Form.PHONEPE_V1:
            client = PhonePeV1(PhonePeV1Credentials(**_known(values, PhonePeV1Credentials)), address)
    failure = client.refusal_of_credentials(now=utc_now(), timeout_s=TIMEOUT_S)
    if failure is None:
        return
    reason = _without_secrets(form, values, failure.reason)
    if failure.configuration:
        raise CredentialError(f"{TITLES[form]} does not know these credentials ({reason}); nothing was changed.")
    raise CredentialError(f"{TITLES[form]} could not be asked ({reason}); nothing was changed. Try again later.")


def _known(values: Values, kind: type[MpesaCredentials | PhonePeCredentials | PhonePeV1Credentials]) -> dict[str, str]:
    names = {field.name for field in fields_of(kind)}
    return {name: value for name, value in values.items() if name in names}


def _without_secrets(form: Form, values: Values, text: str) -> str:
    """`text` without what must not be shown, should a gateway repeat it."""
    # A salt index is a digit or two: it says nothing, and its replacement would spoil the reason.
    secrets = [values[each.name] for each in FIELDS[form] if each.hidden and each.name in values and each.name != "salt_index"]
    if form is Form.MPESA:
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
