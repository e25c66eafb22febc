"""The one list of gateways: whoever adds one adds its line here, and everything else reads what it declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any, Final

from payfirst.domain.errors import NotChargeableError
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.money import Currency, Money
from payfirst.gateways.declaration import Declaration
from payfirst.gateways.mpesa import MpesaGateway
from payfirst.gateways.phonepe import PhonePeGateway
from payfirst.settings import Settings, read, read_settings

GATEWAYS: Final[list[Declaration]] = [MpesaGateway(), PhonePeGateway()]
"""The first that takes a currency is the one that collects it where nobody chose another."""


def declaration_of(name: str) -> Declaration:
    """What the gateway `name` offers; LookupError for one that is not in the list."""
    for gateway in GATEWAYS:
        if gateway.terms.name == name:
            return gateway
    raise LookupError(f"there is no gateway {name}")


def terms_of(name: str) -> GatewayTerms:
    """What the gateway `name` declares of itself; LookupError for one that is not in the list."""
    return declaration_of(name).terms


def names() -> list[str]:
    """The words by which customers choose a gateway."""
    return [gateway.terms.name for gateway in GATEWAYS]


def currencies() -> list[Currency]:
    """The currencies that the shop can be paid in."""
    return [currency for currency in Currency if collecting(currency)]


def collecting(currency: Currency) -> list[GatewayTerms]:
    """The gateways that take `currency`."""
    return [gateway.terms for gateway in GATEWAYS if currency in gateway.terms.currencies]


def default_for(currency: Currency) -> GatewayTerms:
    """The gateway that collects `currency` for who chose none; NotChargeableError if there is none."""
    for terms in collecting(currency):
        return terms
    raise NotChargeableError(f"This shop cannot collect {currency}.")


def no_answer_after() -> timedelta:
    """How long the end of a push is waited for that cannot be asked about: the longest that a gateway says."""
    return max(gateway.no_answer_after() for gateway in GATEWAYS)


def setting_names() -> list[str]:
    """The environment variables that the functions read: the shop's own, and each gateway's."""
    kinds: list[type[Any]] = [Settings, *(gateway.settings for gateway in GATEWAYS)]
    return [field.name.upper() for kind in kinds for field in fields(kind)]


def check_settings(environment: Mapping[str, str]) -> None:
    """SettingError names the first of those that is missing or cannot be read."""
    read_settings(environment)
    for gateway in GATEWAYS:
        read(gateway.settings, environment)


def why_not_paid_back(amount: Money) -> str | None:
    """Why no gateway of its currency can pay back exactly `amount`, so that a person has to; None where one can."""
    reasons = [terms.why_not_paid_back(amount) for terms in collecting(amount.currency)]
    return None if not reasons or None in reasons else reasons[0]
