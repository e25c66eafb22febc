"""Whether the webhook takes what a gateway would send: tried with a notice about nothing, signed as the gateway signs."""

from __future__ import annotations

from typing import Final

import requests

from ops.credential_target import Target
from payfirst.gateways.account import CredentialError, Form, Values
from payfirst.gateways.registry import terms_of

TIMEOUT_S: Final = 15.0
_REFUSED: Final = 401


def try_notice(form: Form, values: Values, target: Target) -> str | None:
    """Try a notice that is signed with the stored values; a sentence about who took it, None where nothing is signed.

    CredentialError where the webhook would refuse it, or does. A stack that takes notices from the gateway's networks alone is
    not asked from here: then its own check is made on this machine.
    """
    if form.proof is None:
        return None  # each attempt has an address of its own
    its_name, signed_by = terms_of(target.account.upper()).label, form.proof.named()
    header, raw = form.harmless_notice(values)
    if not form.recogniser(values).recognises(header[1], raw):
        raise CredentialError(f"A notice that {its_name} signs with {signed_by} as stored would be refused: set them anew.")
    if target.notice_url is None:
        return f"A notice signed with {signed_by} would be taken; no stack is named, so its webhook was not asked."
    if target.notice_sources:
        return (
            f"A notice signed with {signed_by} would be taken; the webhook was not asked from here, for it takes notices "
            f"from {its_name}'s networks only."
        )
    _post(signed_by, target.notice_url, header, raw)
    return f"The webhook takes a notice signed with {signed_by}; whether {its_name} has the same its first one shows."


def _post(signed_by: str, url: str, header: tuple[str, str], raw: bytes) -> None:
    try:
        answer = requests.post(
            url, data=raw, headers={header[0]: header[1], "Content-Type": "application/json"}, timeout=TIMEOUT_S
        )
    except requests.RequestException as error:
        raise CredentialError(f"The webhook {url} could not be reached ({type(error).__name__}).") from error
    if answer.status_code == _REFUSED:
        raise CredentialError(
            f"The webhook {url} refuses a notice signed with {signed_by} as stored. Functions read a new secret within "
            "five minutes: try again then."
        )
    if not answer.ok:
        raise CredentialError(f"The webhook {url} answered a notice with {answer.status_code}: look into its log.")
