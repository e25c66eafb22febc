"""Phone numbers that customers give, and the names that a payment is found by."""

from __future__ import annotations

import re
from typing import Final

from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.searching import LAST_DIGITS, By
from payfirst.domain.session import OrderSnapshot, Session
from payfirst.domain.text import folded
from payfirst.gateways.registry import GATEWAYS, declaration_of

_WRITTEN: Final = re.compile(r"\+?[0-9][0-9 ().-]{5,24}")
_INTERNATIONAL: Final = range(7, 16)
"""How many digits a number has with its country (E.164)."""

_INDIA: Final = re.compile(r"(?:91|0)?([6-9][0-9]{9})")


def number_to_prompt(terms: GatewayTerms, field: str, given: str) -> str:
    """`given` as the gateway takes it; InvalidInputError on `field` for what is no number that it can prompt."""
    try:
        return declaration_of(terms.name).payer(given)
    except ValueError as exc:
        raise InvalidInputError(FieldProblem(field, str(exc))) from exc


def number_to_find(written: str) -> str | None:
    """The digits by which a number is found, however it was written: with its country where a gateway or India's plan tells
    it; None for what is no phone number."""
    for gateway in GATEWAYS:
        if gateway.terms.prompts_phone:
            try:
                return gateway.payer(written)
            except ValueError:
                continue
    text = folded(written)
    if not _WRITTEN.fullmatch(text):
        return None
    digits = re.sub(r"\D", "", text).removeprefix("00")
    indian = _INDIA.fullmatch(digits)
    return f"91{indian[1]}" if indian else digits if len(digits) in _INTERNATIONAL else None


def names_of(session: Session, prompted: str | None) -> set[tuple[By, str]]:
    """By what the payment of `session` is found: the phone that is prompted, the one that the shop calls, and the address."""
    snapshot, email = session.snapshot, session.customer.email
    written = [prompted, snapshot.delivery.phone_number if isinstance(snapshot, OrderSnapshot) else snapshot.phone_number]
    numbers = {number for number in (number_to_find(each) for each in written if each) if number}
    names = {(By.PHONE, number) for number in numbers} | {(By.LAST_DIGITS, number[-LAST_DIGITS:]) for number in numbers}
    return names | ({(By.EMAIL, email.casefold())} if email else set())
