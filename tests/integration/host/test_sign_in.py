"""The page on which one picks whom to be: of the local host alone, and of nothing that is deployed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
import requests

from local.host.sign_in import PEOPLE
from local.stack import LocalStack
from ops.template import load_template
from tests import tools
from tests.stack.template import ROOT
from tests.unit.api.test_site import answer

SECONDS: Final = 30


@pytest.fixture(scope="module")
def shop() -> Iterator[LocalStack]:
    """A stack whose customers are those of its own user pool."""
    tools.need("aws")
    with LocalStack() as running:
        yield running


def test_each_person_that_the_page_shows_can_call_the_api_and_only_operators_their_part(shop: LocalStack) -> None:
    page = requests.get(f"{shop.base_url}/sign-in?back=/me", timeout=SECONDS)
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    shown = re.findall(r'data-who="([^"]+)"', page.text)
    assert shown == [each.name for each in PEOPLE]
    for person in PEOPLE:
        given = requests.post(f"{shop.base_url}/sign-in", json={"who": person.name}, timeout=SECONDS)
        assert given.headers["Cache-Control"] == "no-store"
        bearer = {"Authorization": f"Bearer {given.json()['id_token']}"}
        assert requests.get(f"{shop.base_url}/api/carts/my_cart", headers=bearer, timeout=SECONDS).status_code == 200
        desk = requests.get(f"{shop.base_url}/api/operators/funnel", headers=bearer, timeout=SECONDS)
        assert desk.status_code == (200 if person.is_operator else 404)


def test_what_the_page_loads_is_there_and_the_phone_is_one_step_away(shop: LocalStack) -> None:
    page = requests.get(f"{shop.base_url}/sign-in", timeout=SECONDS).text
    for address in re.findall(r'(?:href|src|data-signin|data-place)="(/[^"]+)"', page):
        assert requests.get(f"{shop.base_url}{address}", timeout=SECONDS).status_code == 200, address
    phone = requests.get(f"{shop.base_url}/sign-in/phone", timeout=SECONDS, allow_redirects=False)
    assert (phone.status_code, phone.headers["Location"]) == (302, shop.simulator_url)
    assert requests.get(f"{shop.base_url}/api/config", timeout=SECONDS).json()["sign_in"]["page"] == "/sign-in"


def test_nobody_is_signed_in_by_a_form_another_name_or_a_stranger(shop: LocalStack) -> None:
    address = f"{shop.base_url}/sign-in"
    assert requests.post(address, data={"who": PEOPLE[0].name}, timeout=SECONDS).status_code == 415
    for who in ("nobody@example.com", 1, None):
        assert requests.post(address, json={"who": who}, timeout=SECONDS).status_code == 400
    assert requests.post(address, json=[], timeout=SECONDS).status_code == 400
    rebound = requests.post(address, json={"who": PEOPLE[0].name}, headers={"Host": "evil.example"}, timeout=SECONDS)
    assert rebound.status_code == 403
    for called, status in {"[": 403, "localhost.evil.example": 403, "[::1]": 200, "[::1]:1": 200, "localhost": 200}.items():
        answer = requests.get(address, headers={"Host": called}, timeout=SECONDS)
        assert (answer.status_code, called) == (status, called)
    assert requests.put(address, timeout=SECONDS).status_code == 405
    assert requests.get(f"{address}/other", timeout=SECONDS).status_code == 404


def test_no_deployed_form_has_it() -> None:
    for method in ("GET", "POST"):
        assert answer("/sign-in", method)["statusCode"] == 404
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert "/sign-in" not in template
    page = load_template(ROOT / "template.yaml")["Globals"]["Function"]["Environment"]["Variables"]["SIGN_IN_PAGE"]
    assert page["Fn::If"][1]["Fn::Sub"].startswith("https://")
    assert page["Fn::If"][2] == ""
