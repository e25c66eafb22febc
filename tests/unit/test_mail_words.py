"""What customers choose cannot make the shop's mail say what they like, nor to whom."""

from __future__ import annotations

import pytest

from payfirst.api.request import Request, read_event
from payfirst.domain.clock import lasting, utc_now
from payfirst.mail.plain import LONGEST_TEXT, harmless, plain_name

ISSUER, AUDIENCE = "https://issuer.example", "shop"


def address_of(**claims: object) -> str | None:
    told = {"sub": "s", "iss": ISSUER, "aud": AUDIENCE, "token_use": "id", "email": "amina@example.com", **claims}
    context = {"http": {"method": "GET", "path": "/"}, "stage": "$default", "authorizer": {"jwt": {"claims": told}}}
    event = {"rawPath": "/", "routeKey": "GET /", "requestContext": context}
    return Request(read_event(event), utc_now(), lasting(1)).customer(ISSUER, AUDIENCE).email


@pytest.mark.parametrize("verified", [True, "true"])
def test_a_verified_address_is_written_to(verified: object) -> None:
    assert address_of(email_verified=verified) == "amina@example.com"


@pytest.mark.parametrize("verified", [False, "false", "", None, 1, "1", "yes", "TRUE", "True", [True], "unverified"])
def test_any_other_address_is_nobodys(verified: object) -> None:
    assert address_of(email_verified=verified) is None


def test_without_the_claim_nothing_is_verified() -> None:
    assert address_of() is None


@pytest.mark.parametrize(
    "address",
    ["", "a", "a@b@c", "a@b, c@d", "a@b\r\nBcc: c@d", "A <a@b>", "a b@c", "a@b;c@d", '"x"@y', "a@" + "b" * 260, "a@b\x00"],
)
def test_what_is_not_one_plain_address_is_not_written_to(address: str) -> None:
    assert address_of(email=address, email_verified=True) is None


@pytest.mark.parametrize(
    "name",
    ["Jane", "Wanjirũ Otieno", "O'Brien", "O\u2019Brien", "Jean-Luc", "J.R.R. Tolkien", "Dr. Ada K.",
     "\u0905\u092e\u093f\u0924 \u0915\u0941\u092e\u093e\u0930",
     "\u0d28\u0d28\u0d4d\u200d", "N", "x" * 40],
)  # fmt: skip
def test_a_short_and_plain_name_is_greeted(name: str) -> None:
    assert plain_name(name) is not None


@pytest.mark.parametrize(
    "name",
    [None, "", "   ", "...", "x" * 41, "evil.com", "www.evil.com", "see t.co", "J.Smith", "http://evil.example", "Win 1000",
     "a@b.c",
     "Jane\nYou won", "Jane\r\nBcc: x", "Jane\u2028won", "Jane\x00", "Jane\u202eenaJ", "Jane\u200bDoe", "\u200dJane",
     "Jane <b>",
     "[/bold] Jane", "=cmd", "Jane!", "Jane, you won", "evil\u3002com", "Jane \U0001f381", "Jane\u00a0Doe", "a/b", "a:b"],
)  # fmt: skip
def test_anybody_else_is_greeted_without_a_name(name: str | None) -> None:
    assert plain_name(name) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("12 Moi Avenue, flat 4B", "12 Moi Avenue, flat 4B"),
        ("see https://evil.example/x", "see https : //evil. example/x"),
        ("HTTP://evil.example", "HTTP : //evil. example"),
        ("go to www.evil.com now", "go to www. evil. com now"),
        ("write to a@evil.com", "write to a@evil. com"),
        ("one\r\ntwo\u2028three\tfour", "one two three four"),
        ("a\u202eb\x00c\u200bd", "abcd"),
        ("1.5 km behind km 12.5", "1.5 km behind km 12.5"),
        ("x" * 400, "x" * (LONGEST_TEXT - 1) + "…"),
    ],
)
def test_other_words_are_one_line_with_nothing_to_click_on(text: str, told: str) -> None:
    assert harmless(text) == told
