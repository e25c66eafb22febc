"""The pages that people see, filled in from the templates beside this module; every value is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from email.utils import parseaddr
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from local.simulators.ids import KOLKATA, NAIROBI, amount_text, masked_ref
from local.simulators.outcomes import Outcome
from local.simulators.records import MPESA, PHONEPE, Attempt

_SYMBOLS: Final = {"KES": "KSh", "TZS": "TSh", "INR": "₹"}
_ENDINGS: Final = {
    "pay": "paid",
    "cancel": "cancelled",
    "wrong_pin": "wrong PIN",
    "insufficient_funds": "not enough money",
    "timeout": "no answer",
    "fail": "failed",
}


@dataclass(frozen=True, slots=True)
class _Gateway:
    """What the pages say of one gateway; `towards` and `label` come before the merchant and the payment's own label."""

    name: str
    brand: str
    heading: str
    towards: str
    label: str
    zone: tzinfo
    zone_name: str
    buttons: Mapping[Outcome, str]


_GATEWAYS: Final = {
    MPESA: _Gateway(
        name="M-Pesa",
        brand="M-PESA",
        heading="M-Pesa prompts",
        towards="To",
        label="account",
        zone=NAIROBI,
        zone_name="EAT",
        buttons={
            Outcome.PAY: "Enter PIN and pay",
            Outcome.CANCEL: "Cancel",
            Outcome.WRONG_PIN: "Wrong PIN",
            Outcome.INSUFFICIENT_FUNDS: "Low balance",
            Outcome.TIMEOUT: "No answer",
            Outcome.FAIL: "Network fails",
            Outcome.PENDING: "Leave it working",
        },
    ),
    PHONEPE: _Gateway(
        name="PhonePe",
        brand="PhonePe",
        heading="PhonePe pay pages",
        towards="For",
        label="",
        zone=KOLKATA,
        zone_name="IST",
        buttons={
            Outcome.PAY: "Pay",
            Outcome.CANCEL: "Decline",
            Outcome.WRONG_PIN: "Wrong UPI PIN",
            Outcome.INSUFFICIENT_FUNDS: "Low balance",
            Outcome.TIMEOUT: "Let it expire",
            Outcome.FAIL: "Bank fails",
            Outcome.PENDING: "Leave it working",
        },
    ),
}


def _money(attempt: Attempt) -> str:
    whole, _, cents = amount_text(attempt.amount).partition(".")
    return f"{_SYMBOLS[attempt.currency]} {int(whole):,}.{cents}"


def _clock(instant: float, at: _Gateway) -> str:
    return f"{datetime.fromtimestamp(instant, UTC).astimezone(at.zone):%H:%M:%S} {at.zone_name}"


def _ending(attempt: Attempt) -> str:
    return _ENDINGS.get(attempt.outcome or "", attempt.state.value.lower())


def _sender(source: str) -> str:
    name, address = parseaddr(source)
    return name or address


def _utc(instant: str | float) -> str:
    return datetime.fromtimestamp(float(instant), UTC).strftime("%d %b %Y %H:%M:%S UTC")


_TEMPLATES: Final = Environment(
    loader=PackageLoader("local.simulators"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.filters |= {
    "money": _money,
    "clock": _clock,
    "masked": masked_ref,
    "ending": _ending,
    "sender": _sender,
    "utc": _utc,
}


def _filled(template: str, title: str, **values: object) -> str:
    return _TEMPLATES.get_template(template).render(title=title, **values)


def phones_page(waiting: Sequence[Attempt], history: Sequence[Attempt]) -> str:
    """The customer's phones: open prompts and pay pages with a button for each outcome, then what was decided lately."""
    newest = sorted(waiting, key=lambda attempt: -attempt.seq)
    return _filled("phones.html", "The customer's phone", gateways=_GATEWAYS, waiting=newest, history=history)


def pay_page(attempt: Attempt, *, framed: bool = False) -> str:
    """PhonePe's pay page of one order: buttons while it is open, afterwards how it ended and the way back.

    In a frame of the shop's it can be closed as well.
    """
    return _filled("pay.html", f"Pay {_money(attempt)}", attempt=attempt, at=_GATEWAYS[attempt.gateway], framed=framed)


def over_page(said: str) -> str:
    """What a frame of the shop's ends with: it tells the script what PhonePe's page would."""
    return _filled("over.html", "Over", said=said)


def message_page(text: str) -> str:
    """One sentence."""
    return _filled("sentence.html", text)


def mailbox_page(messages: Sequence[Mapping[str, Any]]) -> str:
    """The messages, as the embedded SES lists them: each one's subject, from whom, to whom and when."""
    return _filled("mailbox.html", "Mail", messages=messages)


def email_page(message: Mapping[str, Any]) -> str:
    """One message as its customer sees it, and as plain text."""
    return _filled("message.html", str(message["Subject"]), message=message)
