"""What the shop reads about its day: each line says what happened, and stays true whatever follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from ops.api_reference import samples
from payfirst.api.wire.events import EVENTS
from payfirst.domain.session import Kind, OrderSnapshot
from payfirst.mail.messages import Message
from payfirst.mail.news import FOR_A_PERSON, NEWS, SOLD, write_news
from payfirst.mail.occasion import Occasion
from payfirst.mail.post import Post
from payfirst.usecases.sweeps.tell_shop import news_for

AT: Final = datetime(2026, 11, 21, 21, 30, tzinfo=UTC)
FACTS: Final[dict[str, Any]] = {
    "book_id": "BK-449034CB",
    "amount": 35000,
    "refund": "RMT7a8b9c0d1e2f3-1",
    "selected_date": "2025-07-21",
    "selected_time": "09:00:00",
}


def occasion(event: str) -> Occasion:
    session = samples.BOOKED if event.startswith("booking.") else samples.ORDERED
    facts = {**FACTS, **({} if event.startswith("booking.") else {"order_number": "ORD-20261122-001"})}
    return Occasion(event, AT, facts, session, session.snapshot, "The <Shop>")


def told(happened: list[Occasion], *, more: bool = False) -> Message:
    return write_news([(about, NEWS[about.event](about)) for about in happened], more=more)


@pytest.mark.parametrize("event", sorted(NEWS))
def test_every_line_says_the_same_in_both_forms(event: str) -> None:
    letter = told([occasion(event)])
    assert "None" not in letter.text
    assert "&lt;Shop&gt;" in letter.html
    assert ("payfirst stuck" in letter.text) is (event in FOR_A_PERSON)
    assert ("Sold" in letter.text) is (event in SOLD)


def test_news_are_events_that_exist_and_an_e_mail_counts_them() -> None:
    assert set(NEWS) <= set(EVENTS)
    letter = told([occasion(event) for event in sorted(NEWS)], more=True)
    assert letter.subject == "3 need a person, 2 sales, 3 changes"
    assert "Monday, 21 July 2025 at 9:00" in letter.text.replace("\u202f", " ")


def test_a_product_s_name_is_data_in_it() -> None:
    snapshot = samples.ORDERED.snapshot
    assert isinstance(snapshot, OrderSnapshot)
    sold = replace(snapshot, lines=tuple(replace(line, product_name="<b>Kale</b>") for line in snapshot.lines))
    letter = told([replace(occasion("order.created"), content=sold)])
    assert "<b>" not in letter.html


@pytest.mark.parametrize(
    ("by", "to", "hears"), [("payfirst", "a@b", True), ("operator:amina", "a@b", False), ("customer", "", False)]
)
def test_the_shop_hears_of_what_others_did_where_it_has_an_address(by: str, to: str, hears: bool) -> None:  # noqa: FBT001
    post = Post(client=None, senders={Kind.ORDER: "Shop <shop@example.com>", Kind.BOOKING: ""})  # type: ignore[arg-type]
    assert news_for(to, post)({"event": "order.created", "by": by}) is hears
    assert not news_for(to, post)({"event": "session.created", "by": by})
    nobody = replace(post, senders=dict.fromkeys(Kind, ""))
    assert not news_for(to, nobody)({"event": "order.created", "by": by})
