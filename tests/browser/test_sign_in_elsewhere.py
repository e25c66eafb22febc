"""Signing in on a page of another origin, as in a deployed shop: there and back, renewals, and the ways in which it fails."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import Visitors
from tests.browser.sign_in_page import Deployed, running
from tests.browser.visit import Visit
from tests.contract.walk import wait_until

OWN_PAGES_ONLY = (
    "https://evil.example/x",
    "//evil.example/x",
    "/.//evil.example/x",
    "{shop}//evil.example/x",
    "\\\\evil.example",
    "javascript:alert(1)",
)


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    with running() as both:
        yield both


@pytest.fixture
def visitor(visitors: Visitors, deployed: Deployed) -> Visit:
    """Somebody whom neither knows, and whose browser speaks English."""
    visiting = visitors(deployed.shop)
    visiting.forgiven += ["net::ERR_", "Failed to load resource", " for POST http"]
    return visiting


def module(visitor: Visit, deployed: Deployed, name: str, script: str) -> Any:
    """What `script` makes of the module `name`, as it is loaded on the visitor's page."""
    address = json.dumps(f"/assets/{deployed.pages.assets[name].name}")
    return visitor.page.evaluate(f"async () => {{ const it = await import({address}); {script} }}")


def tokens(visitor: Visit) -> Any:
    return json.loads(visitor.page.evaluate("sessionStorage.tokens ?? 'null'"))


def wait_until_signed_in(visitor: Visit, deployed: Deployed) -> None:
    """Until they are back on a page of the shop, with a token that is worth something."""
    wait_until(lambda: deployed.asked[-1:], ["authorization_code"].__eq__)
    visitor.page.wait_for_url(lambda address: address.startswith(deployed.shop) and "/signed-in" not in address)
    visitor.page.locator("footer a").first.wait_for()
    visitor.page.wait_for_load_state("networkidle")
    assert tokens(visitor)["id"] in deployed.good


def signed_in(visitor: Visit, deployed: Deployed, *, refresh: str) -> None:
    """The visitor has the page that says nothing, with a token that is too old by now."""
    deployed.refresh = "refresh"
    visitor.page.goto("lost")
    kept = json.dumps({"id": "old", "refresh": refresh, "since": 0})
    visitor.page.evaluate("kept => sessionStorage.setItem('tokens', kept)", kept)


@pytest.mark.parametrize("language", ["en", "sw", "hi"])
def test_who_signs_in_comes_back_to_the_page_and_the_language_that_they_left(
    visitor: Visit, deployed: Deployed, language: str
) -> None:
    page = visitor.page
    page.goto(f"me?lang={language}")
    page.locator("#me button").first.click()
    page.wait_for_url(re.compile(rf"/me\?lang={language}$"))
    wait_until_signed_in(visitor, deployed)
    assert tokens(visitor)["id"] in deployed.good
    assert deployed.asked == ["/oauth2/authorize", "authorization_code"]
    assert page.locator("html").get_attribute("lang") == language
    assert page.evaluate("sessionStorage.signing_in") is None


def test_a_code_that_nobody_here_asked_for_is_worth_nothing(visitor: Visit, deployed: Deployed) -> None:
    visitor.page.goto("signed-in?code=forged&state=forged")
    visitor.page.get_by_text("Signing in did not work").wait_for()
    assert tokens(visitor) is None
    assert deployed.asked == []
    assert "code" not in visitor.page.url


@pytest.mark.parametrize("broken", [0, 500, 400])
def test_who_could_not_sign_in_is_told_so_and_tries_again_from_there(visitor: Visit, deployed: Deployed, broken: int) -> None:
    page = visitor.page
    page.goto("me?from=here")
    deployed.broken = broken
    page.locator("#me button").first.click()
    again = page.get_by_role("button", name="Sign in")
    page.get_by_role("alert").wait_for()
    deployed.broken = None
    again.click()
    page.wait_for_url(re.compile(r"/me\?from=here$"))
    wait_until_signed_in(visitor, deployed)


def test_requests_that_are_refused_at_once_renew_the_token_once(visitor: Visit, deployed: Deployed) -> None:
    signed_in(visitor, deployed, refresh="refresh")
    deployed.sent = threading.Barrier(3)
    found = module(visitor, deployed, "api.js", 'return Promise.all([1, 2, 3].map((n) => it.call("GET", `/api/orders/${n}`)));')
    assert len(found) == 3
    assert deployed.asked == ["refresh_token"]
    assert tokens(visitor)["refresh"] == "refresh"


def test_a_refusal_that_comes_after_the_renewal_is_no_reason_to_sign_in_again(visitor: Visit, deployed: Deployed) -> None:
    signed_in(visitor, deployed, refresh="refresh")
    late = """
      const slow = window.fetch;
      let first = true;
      window.fetch = async (...asked) => {
        const held = first && String(asked[0]).includes("/late");
        if (held) first = false;
        const answer = await slow(...asked);
        if (held) while (JSON.parse(sessionStorage.tokens).id === "old") await new Promise((go) => setTimeout(go, 10));
        return answer;
      };
      return Promise.all([it.call("GET", "/api/late"), it.call("GET", "/api/orders")]);
    """
    assert len(module(visitor, deployed, "api.js", late)) == 2
    assert deployed.asked == ["refresh_token"]


@pytest.mark.parametrize("broken", [0, 503])
def test_who_cannot_reach_the_sign_in_page_stays_signed_in(visitor: Visit, deployed: Deployed, broken: int) -> None:
    signed_in(visitor, deployed, refresh="refresh")
    deployed.broken = broken
    script = 'return it.call("GET", "/api/orders").catch((error) => [error.constructor.name, error.status]);'
    assert module(visitor, deployed, "api.js", script) == ["ApiError", broken]
    assert tokens(visitor)["refresh"] == "refresh"
    deployed.broken = None
    assert module(visitor, deployed, "api.js", 'return it.call("GET", "/api/orders");') == {"results": [], "next": None}


def test_who_was_signed_out_elsewhere_signs_in_and_comes_back(visitor: Visit, deployed: Deployed) -> None:
    signed_in(visitor, deployed, refresh="revoked")
    visitor.page.goto("me")
    wait_until_signed_in(visitor, deployed)
    assert deployed.asked == ["refresh_token", "/oauth2/authorize", "authorization_code"]


def test_who_signs_out_leaves_nothing_behind(visitor: Visit, deployed: Deployed) -> None:
    signed_in(visitor, deployed, refresh="refresh")
    visitor.page.evaluate("['payment', 'wanted'].forEach((each) => sessionStorage.setItem(each, '{}'))")
    with visitor.page.expect_navigation(url=re.compile("/shop")):
        module(visitor, deployed, "signin.js", "setTimeout(it.signOut);")
    assert visitor.page.evaluate("Object.keys(sessionStorage)") == []
    assert deployed.asked == ["/oauth2/revoke", "/logout"]


def test_a_customer_at_the_desk_is_signed_out_before_somebody_else_signs_in(visitor: Visit, deployed: Deployed) -> None:
    signed_in(visitor, deployed, refresh="refresh")
    visitor.page.goto("desk")
    visitor.page.get_by_role("button", name="Sign in as somebody else").click()
    wait_until_signed_in(visitor, deployed)
    assert visitor.page.url.endswith("/desk")
    assert deployed.asked == ["/oauth2/revoke", "/logout", "/oauth2/authorize", "authorization_code"]


def test_nobody_is_sent_to_another_site(visitor: Visit, deployed: Deployed) -> None:
    visitor.page.goto("lost")
    for address in OWN_PAGES_ONLY:
        given = json.dumps(address.replace("{shop}", deployed.shop))
        gone = module(visitor, deployed, "place.js", f"return new URL(it.ownAddress({given}), location.href).origin;")
        assert (gone, address) == (deployed.shop, address)


def test_an_address_that_is_none_and_a_browser_that_keeps_nothing_are_no_end(visitor: Visit, deployed: Deployed) -> None:
    visitor.page.add_init_script("Object.defineProperty(window, 'sessionStorage', { get() { throw new Error('shut'); } });")
    visitor.page.goto("me")
    visitor.page.locator("#me button").first.wait_for()
    visitor.page.evaluate("history.replaceState(null, '', '/orders/%E0%A4%A')")
    assert module(visitor, deployed, "place.js", "return it.here();") == ["orders", "%E0%A4%A"]
    assert module(visitor, deployed, "place.js", "return it.link('/shop?a=b');") == "/shop?a=b"


def test_another_language_is_the_same_page(visitor: Visit) -> None:
    visitor.page.goto("me?after=x#below")
    visitor.page.get_by_role("link", name="Kiswahili").click()
    visitor.page.wait_for_url(re.compile(r"/me\?after=x&lang=sw#below$"))
    assert visitor.page.locator("html").get_attribute("lang") == "sw"


def test_a_page_that_could_not_be_shown_is_once_the_network_is_back(visitor: Visit, deployed: Deployed) -> None:
    visitor.page.goto("lost")
    script = """
      window.shown = 0;
      const error = Object.assign(new Error(), { status: 0 });
      const again = () => { window.shown += 1; it.failed("main", error, again); };
      console.error = () => {};
      again();
      dispatchEvent(new Event("online"));
      dispatchEvent(new Event("online"));
      return window.shown;
    """
    assert module(visitor, deployed, "ui.js", script) == 3


def test_what_was_refused_belongs_to_its_field_and_the_button_has_the_focus_again(visitor: Visit, deployed: Deployed) -> None:
    visitor.page.goto("lost")
    script = """
      const [field, button] = [it.el("input", { name: "phone" }), it.el("button", { type: "button" }, "Go")];
      document.getElementById("main").append(it.el("form", {}, field, button));
      button.focus();
      await it.busy(button, new Promise((done) => setTimeout(done, 100)));
      const focused = document.activeElement === button;
      console.error = () => {};
      await it.busy(button, Promise.reject(Object.assign(new Error(), { field: "phone" })));
      const said = document.getElementById(field.getAttribute("aria-describedby"));
      return [focused, said?.getAttribute("role"), field.getAttribute("aria-invalid"), document.activeElement === field];
    """
    assert module(visitor, deployed, "ui.js", script) == [True, "alert", "true", True]
