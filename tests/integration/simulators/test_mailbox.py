"""The customers' mailbox in a browser: every e-mail that SES has taken, newest first, in both of its forms."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any, Final

import pytest

from local.embedded_aws import EmbeddedAws
from local.resources import verify_senders
from payfirst.domain.session import Kind
from payfirst.mail.messages import Message
from payfirst.mail.post import Post

from .merchant import Merchant

SHOP: Final = "Green & Valley <orders@shop.example>"
NAMED: Final = re.compile(r'<a href="(/mail/[^"]+)">([^<]*)</a>')


@pytest.fixture
def post(embedded_aws: EmbeddedAws) -> Post:
    client: Any = embedded_aws.client("sesv2")
    verify_senders(client, (SHOP,))
    return Post(client, {Kind.ORDER: SHOP, Kind.BOOKING: SHOP})


@pytest.fixture
def reader(embedded_aws: EmbeddedAws, merchant_of: Callable[..., Merchant]) -> Merchant:
    """A browser on simulators that know where SES keeps its letters."""
    return merchant_of(mail_source=f"{embedded_aws.endpoint}/_ministack/ses/messages")


def sent(post: Post, *, to: str = "jo@example.com", html: str = "<h1>Hello</h1>") -> str:
    """A letter under a subject of its own."""
    subject = f"Order <{secrets.token_hex(4)}> & more"
    post.send(Kind.ORDER, to, Message(subject, "Plain <words>\nand more", html), "event-1")
    return subject


def listed(reader: Merchant) -> list[tuple[str, str]]:
    return NAMED.findall(reader.send("GET", "/mail").text)


def shown(subject: str) -> str:
    return subject.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_letters_are_listed_newest_first_with_whom_they_are_to(post: Post, reader: Merchant) -> None:
    first, second = sent(post, to="ann@example.com"), sent(post, to="ben@example.com")
    found = [subject for _, subject in listed(reader)]
    assert found.index(shown(second)) < found.index(shown(first))
    page = reader.send("GET", "/mail").text
    for word in ("ann@example.com", "ben@example.com", "Green &amp; Valley", "UTC"):
        assert word in page


def test_a_letter_is_shown_as_its_customer_sees_it_and_as_plain_text(post: Post, reader: Merchant) -> None:
    subject = sent(post)
    address = next(path for path, name in listed(reader) if name == shown(subject))
    page = reader.send("GET", address).text
    assert f"<h1>{shown(subject)}</h1>" in page
    assert "Plain &lt;words&gt;\nand more" in page
    assert 'srcdoc="&lt;h1&gt;Hello&lt;/h1&gt;"' in page
    assert 'href="/mail"' in page


def test_what_a_letter_holds_cannot_leave_its_frame(post: Post, reader: Merchant) -> None:
    subject = sent(post, html='"><script>steal()</script>')
    address = next(path for path, name in listed(reader) if name == shown(subject))
    page = reader.send("GET", address).text
    assert "<script" not in page
    assert re.findall(r'<iframe sandbox="([^"]*)"', page) == ["allow-same-origin"], "no script runs without allow-scripts"


def test_a_letter_that_there_is_not_is_not_found(reader: Merchant) -> None:
    assert reader.send("GET", "/mail/no-such-letter").status_code == 404


@pytest.mark.needs("aws")
def test_an_empty_mailbox_says_when_the_first_one_comes(merchant_of: Callable[..., Merchant]) -> None:
    empty = EmbeddedAws()
    with empty:
        page = merchant_of(mail_source=f"{empty.endpoint}/_ministack/ses/messages").send("GET", "/mail").text
    assert "No e-mail yet." in page


def test_simulators_without_an_embedded_aws_say_that_there_is_no_mail(merchant: Merchant) -> None:
    answer = merchant.send("GET", "/mail")
    assert answer.status_code == 404
    assert "No mail is sent here" in answer.text


def test_an_embedded_aws_that_has_gone_is_told_and_is_no_crash(merchant_of: Callable[..., Merchant]) -> None:
    answer = merchant_of(mail_source="http://127.0.0.1:9/_ministack/ses/messages").send("GET", "/mail")
    assert answer.status_code == 503
    assert "does not answer" in answer.text


def test_the_phone_leads_to_the_mailbox_and_the_mailbox_back(reader: Merchant) -> None:
    assert 'href="/mail"' in reader.send("GET", "/").text
    assert 'href="/"' in reader.send("GET", "/mail").text
