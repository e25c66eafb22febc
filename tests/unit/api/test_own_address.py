"""Where no PublicOrigin is given, addresses in answers are the API's own, whatever host a client says it called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from payfirst.api import resources
from payfirst.api.request import Request, read_event
from payfirst.domain.clock import Deadline, utc_now
from payfirst.domain.errors import MisconfiguredError
from payfirst.settings import settings
from tests.fresh import forget
from tests.unit.test_settings import PRODUCTION

OWN = "https://a1b2c3d4.execute-api.ap-south-1.amazonaws.com/live"
FORGED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "Forwarded": "host=evil.example;proto=http",
    "X-Original-Host": "evil.example",
    "X-Amzn-Apigateway-Api-Id": "evil",
}


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Functions in production, in Mumbai, that were told no address of the API."""
    given = {"PUBLIC_ORIGIN": "", "RETURN_URL": "", "AWS_REGION": "ap-south-1", "AWS_DEFAULT_REGION": "ap-south-1"}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in {**PRODUCTION, **given, **keys}.items():
        monkeypatch.setenv(name, value)
    forget()
    yield
    forget()


def asked(**changes: Any) -> Request:
    event = {
        "resource": "/api/payments",
        "path": "/api/payments/",
        "httpMethod": "GET",
        "headers": FORGED,
        "multiValueHeaders": {name: [value] for name, value in FORGED.items()},
        "requestContext": {"requestId": "r", "apiId": "a1b2c3d4", "stage": "live", "domainName": "evil.example"},
    }
    return Request(read_event({**event, **changes}), utc_now(), Deadline(lambda: 3.0))


def test_no_header_changes_an_address_that_is_handed_out() -> None:
    assert resources.public_origin(asked()) == OWN
    assert resources.public_origin(asked(headers=None, multiValueHeaders=None)) == OWN


def test_customers_come_back_from_paying_to_the_api_itself_or_where_the_shop_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resources.payment_context(asked()).return_url == f"{OWN}/paid"
    monkeypatch.setenv("RETURN_URL", "https://shop.example/thanks?by=phonepe")
    settings.cache_clear()
    assert resources.payment_context(asked()).return_url == "https://shop.example/thanks?by=phonepe"


def test_an_address_that_the_shop_gives_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_ORIGIN", "https://api.shop.example")
    settings.cache_clear()
    assert resources.public_origin(asked()) == "https://api.shop.example"


def test_a_functions_own_address_is_not_taken_for_the_apis() -> None:
    context = {"requestId": "r", "apiId": "url0id", "stage": "$default", "http": {"method": "GET", "path": "/"}}
    event = {"version": "2.0", "rawPath": "/api/payments", "headers": FORGED, "requestContext": context}
    request = Request(read_event(event), utc_now(), Deadline(lambda: 3.0))
    with pytest.raises(MisconfiguredError, match="PublicOrigin"):
        resources.public_origin(request)
