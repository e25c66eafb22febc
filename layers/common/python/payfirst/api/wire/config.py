"""What pages and apps need to know of the shop before anybody has signed in; nothing of it is secret."""

from __future__ import annotations

from typing import Final

from payfirst.api.wire.fields import Out
from payfirst.domain.mailbox import name_and_address
from payfirst.gateways.registry import GATEWAYS, currencies
from payfirst.settings import Settings

LANGUAGES: Final = ("en",)
"""What answers and e-mails are written in."""


class NamesOut(Out):
    """What the shop calls itself where it sells services and where it sells produce; null where it writes no e-mails."""

    bookings: str | None
    orders: str | None


class ScriptOut(Out):
    """A gateway's own script: its address, and the name of the object in `window` whose `transact` shows its page in ours."""

    address: str
    name: str


class GatewayOut(Out):
    """Who collects: `name` is the `method` of a payment, `label` what people read; the payer is prompted or sent to a page,
    which `script` shows within the shop's own where the shop has it so."""

    name: str
    label: str
    currencies: list[str]
    prompts_phone: bool
    script: ScriptOut | None


class SignInOut(Out):
    """Where customers get their ID token: an OpenID Connect issuer, the client to sign in with, and a page if there is one."""

    issuer: str
    client_id: str
    page: str | None


class ConfigOut(Out):
    """The shop, as anybody may know it."""

    shop: NamesOut
    currencies: list[str]
    gateways: list[GatewayOut]
    sign_in: SignInOut
    languages: list[str]

    @classmethod
    def of(cls, settings: Settings) -> ConfigOut:
        bookings, orders = (
            name_and_address(sender)[0] or None for sender in (settings.bookings_mail_sender, settings.orders_mail_sender)
        )
        return cls(
            shop=NamesOut(bookings=bookings, orders=orders),
            currencies=[*currencies()],
            gateways=[
                GatewayOut(
                    name=each.terms.name,
                    label=each.terms.label,
                    currencies=sorted(each.terms.currencies),
                    prompts_phone=each.terms.prompts_phone,
                    script=ScriptOut(address=script.address, name=script.name) if (script := each.checkout_script()) else None,
                )
                for each in GATEWAYS
            ],
            sign_in=SignInOut(
                issuer=settings.token_issuer, client_id=settings.token_audience, page=settings.sign_in_page or None
            ),
            languages=[*LANGUAGES],
        )
