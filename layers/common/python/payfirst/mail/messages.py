"""What each e-mail says. Its words stand here once; the templates give them two forms, HTML and plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from payfirst.domain.paid_back import NOTHING
from payfirst.domain.refund import BY_HAND, WHY_MONEY_GOES_BACK
from payfirst.domain.session import OrderSnapshot
from payfirst.mail.details import (
    Line,
    booking_sums,
    bought_facts,
    delivery_facts,
    order_line,
    order_of,
    order_sums,
    outcome_facts,
    package_line,
    receipt_facts,
    service_facts,
    time_before,
)
from payfirst.mail.formats import amount_text
from payfirst.mail.occasion import Occasion
from payfirst.mail.plain import harmless, plain_name

if TYPE_CHECKING:
    from jinja2 import Environment

_WAIT: Final = "You do not have to do anything. We write again when it is done."
"""When that is nobody promises."""


@dataclass(frozen=True, slots=True)
class Words:
    """An e-mail before it has a form: `facts` are labels with their texts, `lines` and `sums` a bill."""

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[Line, ...] = ()
    sums: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """An e-mail as it leaves."""

    subject: str
    text: str
    html: str


def _order_confirmed(about: Occasion) -> Words:
    number = about.facts["order_number"]
    order = order_of(about)
    return Words(
        subject=f"Your order {number} is confirmed",
        heading="Thank you, your order is confirmed",
        paragraphs=("We have received your payment and are preparing your order.",),
        facts=(("Order", number), ("Ordered", about.when), *receipt_facts(about), *delivery_facts(about, order)),
        lines=tuple(order_line(line) for line in order.lines),
        sums=order_sums(about, order),
    )


def _booking_confirmed(about: Occasion) -> Words:
    code = about.facts["book_id"]
    return Words(
        subject=f"Your booking {code} is confirmed",
        heading="Thank you, your booking is confirmed",
        paragraphs=("We have received your payment. This is your booking:",),
        facts=(("Booking", code), *service_facts(about), *receipt_facts(about)),
        lines=(package_line(about),),
        sums=booking_sums(about),
    )


def _payment_failed(about: Occasion) -> Words:
    failure = about.session.failure
    reason = failure.message if failure else "The payment was not completed."
    again = " You can try again; what you chose is kept for you." if failure is None or failure.retryable else ""
    return Words(
        subject="Your payment did not go through",
        heading="Your payment did not go through",
        paragraphs=(f"{reason}{again}", "Nothing was booked or ordered."),
        facts=(("Amount", amount_text(about.session.amount)), ("Tried", about.when), *bought_facts(about)),
    )


def _refund_due(about: Occasion) -> Words:
    return Words(
        subject=f"You get {about.amount} back",
        heading="You get money back",
        paragraphs=(_why_back(about), *((BY_HAND,) if about.by_hand else ()), _WAIT),
        facts=(("Amount", about.amount), *outcome_facts(about), *bought_facts(about)),
    )


def _refund_needs_a_person(about: Occasion) -> Words:
    """What an e-mail about the refund has not said before: no gateway pays it back, or nobody knows whether one has."""
    if about.by_hand:
        subject, said = f"The shop pays {about.amount} back by hand", "The payment service could not pay this amount back."
    else:
        subject = f"We are looking into your refund of {about.amount}"
        said = "The payment service does not tell us whether it has paid this amount back. The shop looks into it by hand."
    return Words(
        subject=subject,
        heading=subject,
        paragraphs=(f"{said} {BY_HAND}" if about.by_hand else said, _WAIT),
        facts=(("Amount", about.amount), ("Refund", about.facts["refund"]), *outcome_facts(about), *bought_facts(about)),
    )


def _refund_paid(about: Occasion) -> Words:
    through = "The shop has paid it back by hand." if about.by_hand else ""
    return Words(
        subject=f"We have sent back {about.amount}",
        heading="Your refund has been sent",
        paragraphs=(through or "Your bank or mobile money account may take a few days to show it.",),
        facts=(("Amount", about.amount), ("Refund", about.facts["refund"]), ("Sent", about.when), *outcome_facts(about)),
    )


def _order_cancelled(about: Occasion) -> Words:
    number = about.facts["order_number"]
    return Words(
        subject=f"Your order {number} is cancelled",
        heading="Your order is cancelled",
        paragraphs=(
            "The shop had to cancel this order." if "why" in about.facts else "It is cancelled as you asked.",
            *_money_back(about),
        ),
        facts=(("Order", number), ("Cancelled", about.when)),
        lines=tuple(order_line(line) for line in order_of(about).lines),
        sums=order_sums(about, order_of(about)),
    )


_MOVED: Final = {
    "order.packed": ("is packed", "What you ordered is packed and waits for its way to you."),
    "order.out_for_delivery": ("is on its way", "Your order has left the shop."),
    "order.delivered": ("was delivered", "Your order has been handed over. If it has not reached you, answer this mail."),
}
"""What has become of an order on its way, and no more than that: when it comes nobody promises."""


def _order_moved(about: Occasion) -> Words:
    became, said = _MOVED[about.event]
    number, order = about.facts["order_number"], order_of(about)
    return Words(
        subject=f"Your order {number} {became}",
        heading=f"Your order {became}",
        paragraphs=(said,),
        facts=(("Order", number), ("Since", about.when), *delivery_facts(about, order)),
        lines=tuple(order_line(line) for line in order.lines),
    )


def _booking_rescheduled(about: Occasion) -> Words:
    code = about.facts["book_id"]
    return Words(
        subject=f"Your booking {code} has a new time",
        heading="Your booking has a new time",
        paragraphs=("Nothing else has changed, and nothing was charged.",),
        facts=(("Booking", code), *service_facts(about), *time_before(about)),
    )


def _booking_cancelled(about: Occasion) -> Words:
    code = about.facts["book_id"]
    reason = about.facts.get("reason")
    return Words(
        subject=f"Your booking {code} is cancelled",
        heading="Your booking is cancelled",
        paragraphs=_money_back(about),
        facts=(
            ("Booking", code),
            *service_facts(about),
            ("Cancelled", about.when),
            *((("Reason", harmless(str(reason))),) if reason else ()),
        ),
    )


MESSAGES: Final[Mapping[str, Callable[[Occasion], Words]]] = {
    "order.created": _order_confirmed,
    **dict.fromkeys(_MOVED, _order_moved),
    "order.cancelled": _order_cancelled,
    "booking.created": _booking_confirmed,
    "booking.rescheduled": _booking_rescheduled,
    "booking.cancelled": _booking_cancelled,
    "payment.failed": _payment_failed,
    "refund.due": _refund_due,
    "refund.needs_review": _refund_needs_a_person,
    "refund.refunded": _refund_paid,
}
"""The events that a customer is written to about."""


def write_message(about: Occasion) -> Message:
    """The e-mail for an event of `MESSAGES`, in both forms."""
    why = f"You receive this because of a payment at {about.shop}. Answer this mail if something is wrong."
    return rendered(MESSAGES[about.event](about), about.shop, name=_name(about), why=why)


def rendered(words: Words, shop: str, *, why: str, name: str | None = None) -> Message:
    """`words` in both forms, from `shop` to somebody of that name; `why` they receive it stands below the HTML."""
    given = {"words": words, "shop": shop, "name": name, "why": why}
    return Message(
        subject=" ".join(words.subject.split()),
        text=_templates().get_template("message.txt").render(given),
        html=_templates().get_template("message.html").render(given),
    )


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape  # noqa: PLC0415 - words need none of it

    return Environment(
        loader=PackageLoader("payfirst.mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _name(about: Occasion) -> str | None:
    """Whom an e-mail greets: by a short and plain name or by none, since customers choose theirs."""
    if about.session.customer.name:
        return plain_name(about.session.customer.name)
    return plain_name(about.content.delivery.full_name) if isinstance(about.content, OrderSnapshot) else None


def _why_back(about: Occasion) -> str:
    """The reason for a refund as its customer reads it; what an operator wrote stays with the operators."""
    if about.session.outcome is not None and about.facts.get("refund"):
        return "This is a refund of what you paid."
    why = WHY_MONEY_GOES_BACK.get(about.facts.get("reason", ""))
    return why.message if why else "We received money that we cannot use for anything you chose."


def _money_back(about: Occasion) -> tuple[str, ...]:
    if about.money.minor:
        what = f"The shop pays {about.amount} back by hand." if about.by_hand else f"You get {about.amount} back."
        return (what, _WAIT)
    if about.event == "order.cancelled":
        return ("An earlier refund covers what you paid.",)
    if about.session.paid_back != NOTHING:
        return ("Nothing is paid back beside your earlier refund.",)
    return ("By its terms nothing is paid back.",)
