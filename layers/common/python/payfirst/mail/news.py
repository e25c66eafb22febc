"""What the shop itself reads: each sale, what customers change, and each thing that needs a person, many in one e-mail.

Each line says what happened, which stays true; what has become of it since, `payfirst` and the API say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from typing import Final

from payfirst.domain.money import Money
from payfirst.domain.session import BookingSnapshot
from payfirst.mail.details import Line, order_line, order_of, service_facts
from payfirst.mail.formats import amount_text, slot_text
from payfirst.mail.messages import Message, Words, rendered
from payfirst.mail.occasion import Occasion

FROM_OUR_PEOPLE: Final = "operator:"
"""What the name of whoever did something begins with where the shop knows of it already."""


_WHERE_TO_SEE: Final = "`payfirst stuck` lists what still needs a person, and `payfirst show` tells what has become of each."
"""Who reads this sits at the shop's command line: an e-mail is an edge, and says what to do there in that line's own words."""


def _sold(about: Occasion) -> Line:
    code = about.facts.get("order_number") or about.facts["book_id"]
    return Line(f"Sold: {code}", _content(about), amount_text(about.session.amount))


def _moved(about: Occasion) -> Line:
    day, at = date.fromisoformat(about.facts["selected_date"]), time.fromisoformat(about.facts["selected_time"])
    when = slot_text(day, at, about.zone, about.session.amount.currency)
    return Line(f"Moved by its customer: {about.facts['book_id']}", f"{_service(about)}, now {when}", "")


def _cancelled(about: Occasion) -> Line:
    code = about.facts.get("order_number") or about.facts["book_id"]
    back = f"-{about.amount}" if about.facts.get("amount") else ""
    return Line(f"Cancelled by its customer: {code}", _service(about) or _content(about), back)


def _payment(about: Occasion) -> Line:
    return Line(
        "Needs a person: a payment", f"session {about.session.uuid}, {_content(about)}", amount_text(about.session.amount)
    )


def _refund(about: Occasion) -> Line:
    amount = amount_text(Money(int(about.facts["amount"]), about.session.amount.currency))
    return Line(f"Needs a person: refund {about.facts['refund']}", _content(about), amount)


def _service(about: Occasion) -> str:
    """Which service a booking is of; nothing of an order. When it takes place may have changed since its session."""
    return service_facts(about)[0][1] if isinstance(about.content, BookingSnapshot) else ""


def _content(about: Occasion) -> str:
    if isinstance(about.content, BookingSnapshot):
        return ", ".join(text for _, text in service_facts(about)[:2])
    bought = (order_line(line) for line in order_of(about).lines)
    return ", ".join(f"{line.name} ({line.detail})" for line in bought)


NEWS: Final[Mapping[str, Callable[[Occasion], Line]]] = {
    "order.created": _sold,
    "booking.created": _sold,
    "booking.rescheduled": _moved,
    "booking.cancelled": _cancelled,
    "order.cancelled": _cancelled,
    "payment.needs_review": _payment,
    "payment.contradicted": _payment,
    "refund.needs_review": _refund,
}
"""The events that the shop is written to about, where its own people have not caused them."""

SOLD: Final = frozenset({"order.created", "booking.created"})
FOR_A_PERSON: Final = frozenset({"payment.needs_review", "payment.contradicted", "refund.needs_review"})


def write_news(lines: Sequence[tuple[Occasion, Line]], *, more: bool) -> Message:
    """The e-mail that tells all of `lines` (at least one), in their order; `more` says that another one follows."""
    happened = [about for about, _ in lines]
    sold, cases = (sum(about.event in kind for about in happened) for kind in (SOLD, FOR_A_PERSON))
    others = len(happened) - sold - cases
    counted = ((cases, "needs a person", "need a person"), (sold, "sale", "sales"), (others, "change", "changes"))
    subject = ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counted if count)
    listed = (_WHERE_TO_SEE,) if cases else ()
    words = Words(
        subject=subject,
        heading=subject,
        paragraphs=(*listed, *(("More has happened; the next e-mail tells it.",) if more else ())),
        lines=tuple(line for _, line in lines),
    )
    return rendered(words, happened[0].shop, why="You receive this because the shop is to hear of sales here (ShopMail).")
