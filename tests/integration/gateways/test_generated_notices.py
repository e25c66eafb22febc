"""Thousands of notices that no gateway wrote: none brings the webhook down, none without authentication changes a thing.

`PAYFIRST_NOTICES` says how many are tried in all: 400 unless it is set.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.webhook.app import handler
from local.embedded_aws import EmbeddedAws
from tests.integration.gateways.siege import TRUE_HEADER, Context, Siege, event, laid_siege

NOTICES: Final = int(os.environ.get("PAYFIRST_NOTICES", "400"))
DOCUMENTED: Final = "/api/payments/transactions/mpesa_callback"
PHONEPE: Final = "/api/payments/webhook/phonepe"
HEX: Final = "0123456789abcdef"

NAMES: Final = (
    *("Body", "stkCallback", "CheckoutRequestID", "ResultCode", "CallbackMetadata", "Item", "Name", "Value"),
    *("event", "payload", "merchantOrderId", "state", "amount", "merchantId", "merchantRefundId", "Result"),
)
"""Fields that the gateways' notices have."""

generated = settings(
    max_examples=max(NOTICES // 4, 1),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(["0", "1032", 0, 1032, 4999, 10**400, -0.0, 1e308, "\ud800", "\x00", "ws_CO_", "350.00", "NaN", "9" * 300]),
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.text(max_size=12),
                st.sampled_from(NAMES),
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=25,
)
random_json = documents.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
random_bytes = st.one_of(st.binary(max_size=400), st.binary(max_size=8).map(lambda part: part * 20_000))
some_headers = st.dictionaries(
    st.sampled_from(["Content-Type", "X-Forwarded-For", "Businessshortcode", "User-Agent", "X-Verify"]),
    st.text(max_size=60),
    max_size=3,
)


@pytest.fixture(scope="module")
def siege(embedded_aws: EmbeddedAws, simulators: str) -> Iterator[Siege]:
    """Attempts in every state, behind the webhook's own handler."""
    with laid_siege(embedded_aws, simulators) as laid:
        yield laid


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _paths(child, (*path, key))


def _with(value: Any, path: tuple[Any, ...], put: Any) -> Any:
    if not path:
        return put
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = _with(value[path[0]], path[1:], put)
    return changed


@st.composite
def mutated(draw: st.DrawFn, bodies: tuple[bytes, ...]) -> bytes:
    """A true notice as it is, with values replaced, or with bytes lost and added."""
    raw = draw(st.sampled_from(bodies))
    if draw(st.booleans()):
        document = json.loads(raw)
        for _ in range(draw(st.integers(0, 3))):
            where = draw(st.sampled_from(sorted(_paths(document), key=str)))
            document = _with(document, where, draw(documents))
        return json.dumps(document).encode("utf-8", "surrogatepass")
    cut = draw(st.integers(0, len(raw)))
    return raw[:cut] + draw(st.binary(max_size=6)) + raw[cut + draw(st.integers(0, 6)) :]


@st.composite
def wrong_token(draw: st.DrawFn, tokens: tuple[str, ...]) -> str:
    """A token that is none: another one's secret half, one digit changed, too long, too short, or no token at all."""
    true = draw(st.sampled_from(tokens))
    position = draw(st.integers(0, len(true) - 1))
    digit = draw(st.sampled_from(HEX.replace(true[position], "")))
    other = draw(st.sampled_from(tokens))
    forged: str = draw(
        st.one_of(
            st.just(true[:position] + digit + true[position + 1 :]),
            st.just(true[:13] + other[13:]),
            st.just(true.upper()),
            st.just(true + digit),
            st.just(true[:-1]),
            st.text(HEX, min_size=45, max_size=47),
            st.text(min_size=1, max_size=60),
        )
    )
    return forged if forged not in tokens else forged[::-1]


@st.composite
def wrong_header(draw: st.DrawFn) -> dict[str, str]:
    """No Authorization, or one that is nearly PhonePe's."""
    position = draw(st.integers(0, len(TRUE_HEADER) - 1))
    digit = draw(st.sampled_from(HEX.replace(TRUE_HEADER[position], "")))
    changed = TRUE_HEADER[:position] + digit + TRUE_HEADER[position + 1 :]
    shown = draw(
        st.one_of(st.none(), st.text(max_size=80), st.sampled_from([changed, TRUE_HEADER[:-1], f"Bearer {TRUE_HEADER}"]))
    )
    headers = draw(some_headers)
    is_true = shown is not None and shown.strip().lower().removeprefix("sha256 ").strip() == TRUE_HEADER
    return headers if shown is None or is_true else {**headers, "Authorization": shown}


@st.composite
def unauthenticated(draw: st.DrawFn, siege: Siege, bodies: st.SearchStrategy[bytes]) -> tuple[str, bytes, dict[str, str], bool]:
    """A notice on any of the webhook's addresses that proves nothing."""
    token = draw(wrong_token(siege.tokens))
    path = draw(st.sampled_from([f"/cb/stk/{token}", f"/cb/result/{token}", f"/cb/late/{token}", DOCUMENTED, PHONEPE]))
    return path, draw(bodies), draw(wrong_header()), draw(st.booleans())


def changes_nothing(siege: Siege, notice: tuple[str, bytes, dict[str, str], bool]) -> None:
    path, raw, headers, as_base64 = notice
    before = siege.items()
    answer = siege.post(path, raw, headers, as_base64=as_base64)
    assert answer["statusCode"] < 500
    assert answer["statusCode"] == 401 or path != PHONEPE
    assert siege.items() == before


@generated
@given(data=st.data())
def test_a_changed_true_notice_without_proof_changes_nothing(siege: Siege, data: st.DataObject) -> None:
    changes_nothing(siege, data.draw(unauthenticated(siege, mutated(siege.bodies))))


@generated
@given(data=st.data())
def test_random_json_without_proof_changes_nothing(siege: Siege, data: st.DataObject) -> None:
    changes_nothing(siege, data.draw(unauthenticated(siege, random_json)))


@generated
@given(data=st.data())
def test_random_bytes_without_proof_change_nothing(siege: Siege, data: st.DataObject) -> None:
    changes_nothing(siege, data.draw(unauthenticated(siege, random_bytes)))


@generated
@given(data=st.data())
def test_no_body_brings_the_webhook_down_even_with_the_right_token_or_header(siege: Siege, data: st.DataObject) -> None:
    raw = data.draw(st.one_of(mutated(siege.bodies), random_json, random_bytes))
    token = data.draw(st.sampled_from(siege.tokens))
    path = data.draw(st.sampled_from([f"/cb/stk/{token}", PHONEPE]))
    headers = {**data.draw(some_headers), "Authorization": TRUE_HEADER}
    bookings = _bookings(siege)

    answer = siege.post(path, raw, headers, as_base64=data.draw(st.booleans()))

    assert answer["statusCode"] in (200, 401)
    assert _bookings(siege) == bookings  # PhonePe collected nothing more, whatever its notices say


def _bookings(siege: Siege) -> list[str]:
    return [item["sk"] for item in siege.items() if item["pk"].startswith("U#") and item["sk"].startswith("B#")]


@pytest.mark.parametrize("text", ["%%%", "abc", "é", "====", "A", "", None])
def test_a_body_that_claims_to_be_base64_and_is_not_changes_nothing(siege: Siege, text: str | None) -> None:
    before = siege.items()
    for path in (f"/cb/stk/{siege.tokens[0]}", DOCUMENTED, PHONEPE):
        headers = {"Authorization": TRUE_HEADER}
        answer = handler({**event(path, "", headers, as_base64=True), "body": text}, Context())
        assert answer["statusCode"] == 200
    assert siege.items() == before


def test_the_right_token_does_change_something(siege: Siege) -> None:
    """The other tests would pass against a webhook that does nothing at all."""
    before = siege.items()

    receipt = f"S{secrets.token_hex(4).upper()}"
    paid = re.sub(rb'("MpesaReceiptNumber", "Value": ")\w+', rb"\g<1>" + receipt.encode(), siege.bodies[2])

    siege.post(f"/cb/stk/{siege.tokens[2]}", paid, {}, as_base64=False)

    assert siege.items() != before
