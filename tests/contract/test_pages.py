"""Pages as browsers get them from a running shop, at whatever address it has."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin

import pytest
import requests

from payfirst.api.routes import PAGES
from tests.contract.walk import Stack, new_customer

SECONDS: Final = 30
SHELLS: Final = [
    "/paid",
    *(re.sub(r"\{\w+\}", "x", path) for path in PAGES if not path.startswith(("/assets", "/docs"))),
    "/docs/add_item",
]


def get(stack: Stack, path: str, method: str = "GET", **headers: str) -> requests.Response:
    return requests.request(method, stack.base_url + path, headers={"Accept": "text/html", **headers}, timeout=SECONDS)


@pytest.mark.parametrize("path", SHELLS)
def test_a_page_is_the_same_for_everyone_and_all_that_it_loads_is_there(stack: Stack, path: str) -> None:
    page = get(stack, path)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    token = new_customer(stack).token
    assert get(stack, path, Authorization=f"Bearer {token}", Cookie="a=b").content == page.content, "it would show whose it is"
    assert get(stack, path, "HEAD").headers["Content-Length"] == str(len(page.content))
    for address in re.findall(r'(?:href|src)="([^"]*/assets/[^"]+)"', page.text):
        loaded = requests.get(urljoin(page.url, address), timeout=SECONDS)
        assert (loaded.status_code, loaded.headers["X-Content-Type-Options"]) == (200, "nosniff"), address
        assert "immutable" in loaded.headers["Cache-Control"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_page_takes_nothing(stack: Stack, method: str) -> None:
    for path in ("/", "/shop", "/checkout/x", "/desk/orders"):
        answer = get(stack, path, method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path", ["/shop/x", "/assets/x.js", "/assets/app.py", "/assets/..%2fapp.0123456789ab.js", "/sign-in.html", "/desk/a/b/c"]
)
def test_what_is_no_page_is_not_found(stack: Stack, path: str) -> None:
    assert get(stack, path).status_code == 404


def test_a_customer_finds_nothing_where_the_desk_asks(stack: Stack) -> None:
    customer = new_customer(stack)
    for path in ("/api/operators/orders", "/api/operators/bookings", "/api/operators/stuck", "/api/operators/search?q=1234"):
        assert customer.send("GET", path).status_code == 404


def test_no_other_site_reads_an_answer_or_sends_with_somebodys_cookie(stack: Stack) -> None:
    """Tokens go in a header that no other site's page can set; no answer sets a cookie, and none may be read from elsewhere."""
    for path in ("/shop", "/api/config", "/assets/x.js"):
        answer = get(stack, path, Origin="https://elsewhere.example")
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers
