"""Shells of pages: public, the same for everyone, without data, and nothing may run in them but the shop's own scripts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest

from functions.site import app
from payfirst.api.pages import LANGUAGES, Pages, chosen_language
from payfirst.api.routes import PAGES
from payfirst.api.words import read_words
from payfirst.settings import Settings, read_settings
from payfirst.settings import read as read_gateways
from tests.unit.api.test_site import Context
from tests.unit.test_settings import LOCAL

SITE: Final = Path(app.__file__).parent
SHELLS: Final = [re.sub(r"\{\w+\}", "MT1-x_y", path) for path in PAGES if not path.startswith(("/assets", "/docs"))] + ["/paid"]
REFERENCE: Final = ["/docs", "/docs/add_item"]
ORIGIN: Final = "https://shop.example/live"


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> Settings:
        return read_settings({**LOCAL, "PUBLIC_ORIGIN": ORIGIN, "SIGN_IN_PAGE": "https://login.example"})

    monkeypatch.setattr(app, "settings", read)
    monkeypatch.setattr("payfirst.api.resources.settings", read)
    monkeypatch.setattr("payfirst.api.cors.settings", read)
    monkeypatch.setattr("payfirst.gateways.phonepe.settings_of", lambda kind: read_gateways(kind, LOCAL))


def answer(path: str, method: str = "GET", query: dict[str, str] | None = None, **headers: str) -> dict[str, Any]:
    context = {"requestId": "r", "http": {"method": method, "path": path}, "stage": "$default"}
    event = {"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "requestContext": context}
    return app.handler({**event, "queryStringParameters": query or {}, "headers": headers, "isBase64Encoded": False}, Context())


@pytest.mark.parametrize("path", [*SHELLS, *REFERENCE])
def test_a_page_lets_nothing_run_that_is_not_the_shops_own_and_nobody_frame_it(path: str) -> None:
    given = answer(path)
    assert given["statusCode"] == 200
    told = given["headers"]
    assert told["Content-Type"] == "text/html; charset=utf-8"
    rules = dict(rule.strip().split(" ", 1) for rule in told["Content-Security-Policy"].split(";"))
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' https: data:",
        "connect-src": "'self' https://login.example",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert (told["X-Content-Type-Options"], told["Referrer-Policy"]) == ("nosniff", "strict-origin")
    kept = ("public, max-age=300", "Origin") if path in REFERENCE else ("no-cache", "Accept-Language, Origin")
    assert (told["Cache-Control"], told.get("Vary")) == kept
    assert not re.search(r"<script(?! type=\"module\" src=)|<style|\son\w+=|\sstyle=|javascript:", given["body"])


@pytest.mark.parametrize("path", SHELLS)
def test_a_shell_is_the_same_whoever_asks_and_whatever_for(path: str) -> None:
    other = path.replace("MT1-x_y", "other") + "/"
    asked = answer(other, query={"back": "<script>"}, authorization="Bearer secret", cookie="a=b")
    assert asked["body"] == answer(path)["body"]


def test_what_a_shell_loads_is_below_the_shops_own_address_and_is_there() -> None:
    loaded = re.findall(r'(?:href|src|data-words)="([^"]*/assets/[^"]+)"', answer("/checkout/x")["body"])
    assert len(loaded) > 3
    for address in loaded:
        assert address.startswith("/live/assets/")
        given = answer(address.removeprefix("/live"))
        assert given["statusCode"] == 200, address
        assert given["headers"]["Cache-Control"] == "public, max-age=31536000, immutable"
        assert given["headers"]["X-Content-Type-Options"] == "nosniff"
        for imported in re.findall(r'from "\./([^"]+)"', given["body"]):
            assert f"/live/assets/{imported}" in loaded, f"{imported} is loaded without being announced"


def test_an_asset_of_another_release_is_what_there_is_and_nobody_keeps_it() -> None:
    given = answer("/assets/ui.0123456789ab.js")
    assert (given["statusCode"], given["headers"]["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize(
    "name", ["ui.js", "other.0123456789ab.js", "..%2Fapp.0123456789ab.js", "app.py", "ui.0123456789ab.css", "x"]
)
def test_what_is_no_asset_is_not_found(name: str) -> None:
    assert answer(f"/assets/{name}", accept="text/html")["statusCode"] == 404


@pytest.mark.parametrize("path", [*SHELLS, *REFERENCE, "/assets/style.css"])
def test_a_page_answers_head_as_get_and_no_other_method(path: str) -> None:
    assert answer(path, "HEAD")["headers"] == answer(path)["headers"]
    for method in ("PUT", "DELETE", "PATCH") if path == "/paid" else ("POST", "PUT", "DELETE"):
        given = answer(path, method)
        assert (given["statusCode"], given["headers"]["Allow"].startswith("GET, HEAD")) == (405, True)


def test_a_browser_at_no_page_is_told_so_by_a_page_and_a_client_in_json() -> None:
    given = answer("/shpo", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (given["statusCode"], given["headers"]["Content-Type"]) == (404, "text/html; charset=utf-8")
    for path, accept in [("/shpo", "*/*"), ("/shpo", "application/json"), ("/api/shpo", "text/html"), ("/cb/x", "text/html")]:
        assert answer(path, accept=accept)["headers"]["Content-Type"] == "application/json"
    assert answer("/docs/no_such_operation", accept="text/html")["headers"] == given["headers"]
    assert answer("/docs/no_such_operation")["statusCode"] == 404
    assert answer("/shpo", "POST", accept="text/html")["headers"]["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        (None, None, "en"),
        ("sw", "hi", "sw"),
        ("xx", "hi", "hi"),
        (None, "de-DE, hi-IN;q=0.7, sw;q=0.9", "sw"),
        (None, "sw-KE", "sw"),
        (None, "hi;q=x, *;q=0.1, ;;,", "en"),
        (None, "en;q=0.5,\t hi-IN ; q=0.7 ", "hi"),
        ("../etc", "", "en"),
    ],
)
def test_the_language_is_what_the_address_asks_for_else_what_the_browser_likes_best(
    asked: str | None, accepted: str | None, language: str
) -> None:
    assert chosen_language(asked, accepted) == language


@pytest.mark.parametrize("shape", ["en{}x", "en-{}x;", "en{};{}q", "{}x", "en;q=0.{}"])
@pytest.mark.parametrize("filler", [" ", "\t", "a", "0"])
def test_no_header_keeps_the_function_busy(shape: str, filler: str) -> None:
    """With a step for each pair of these characters this would take hours."""
    assert chosen_language(None, f"hi, {shape.replace('{}', filler * 300_000)}") == "hi"


def test_a_language_that_is_never_wanted_is_not_given() -> None:
    assert chosen_language(None, "zh;q=1, sw;q=0, hi;q=0.2") == "hi"
    assert chosen_language(None, "zh, sw;q=0.000") == next(iter(LANGUAGES))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_in_the_language_that_is_asked_for(language: str) -> None:
    assert f'<html lang="{language}"' in answer("/shop", query={"lang": language})["body"]


def test_what_an_answer_depends_on_is_told_to_whoever_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def varies(path: str) -> str:
        return str(answer(path, accept="text/html", origin="https://app.example")["headers"]["Vary"])

    ours = read_settings({**LOCAL, "PUBLIC_ORIGIN": ORIGIN, "SHOP_ORIGIN": "https://app.example"})
    monkeypatch.setattr("payfirst.api.cors.settings", lambda: ours)
    assert varies("/shop") == "Accept-Language, Origin"
    assert varies("/shpo") == "Accept, Accept-Language, Origin"
    assert varies("/health") == "Origin"
    assert answer("/health")["headers"]["Vary"] == "Origin", "a cache keeps it for a page of the other origin too"


def test_only_a_shop_that_runs_on_one_machine_has_doors_to_its_simulators() -> None:
    assert "/sign-in" not in answer("/")["body"]
    assert "/sign-in/phone" in Pages(SITE).shell("shop", "en", doors=True)


def test_an_address_changes_with_whatever_its_module_imports(tmp_path: Path) -> None:
    for folder in ("templates", "assets", "words"):
        (tmp_path / folder).mkdir()
    (tmp_path / "assets" / "a.js").write_text('// What it is for.\n/** Why\n * so. */\nimport { b } from "./b.js";\n')
    (tmp_path / "assets" / "b.js").write_text('export { c as b } from "./c.js";\n')
    addresses = set()
    for text in ("export const c = 1;\n", "export const c = 2;\n"):
        (tmp_path / "assets" / "c.js").write_text(text)
        made = Pages(tmp_path).assets
        addresses.add(made["a.js"].name)
        assert set(made["a.js"].loads) == {made["b.js"].name, made["c.js"].name}
        assert made["a.js"].text == f'import {{ b }} from "./{made["b.js"].name}";\n'
    assert len(addresses) == 2


def test_remarks_stay_in_the_source_and_all_else_goes_to_browsers(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    code = 'const address = "https://shop.example"; // beside code\nconst drawn = `\n<b>/* ${1 / 2} */</b>\n`;\n'
    (tmp_path / "assets" / "one.js").write_text(f"// what it is\n{code}  // why\n/**\n * What goes in.\n */\nrun();\n")
    assert Pages(tmp_path).assets["one.js"].text == f"{code}run();\n"


def test_words_are_read_from_gettexts_own_form() -> None:
    text = 'msgid ""\nmsgstr ""\n"Language: sw\\n"\n\n# a remark\nmsgid "Shop"\nmsgstr "Duka"\n\n'
    text += 'msgid ""\n"Say \\"yes\\", "\n"please"\nmsgstr ""\n"Sema \\"ndiyo\\"\\n"\n"tafadhali"\n\nmsgid "None"\nmsgstr ""\n'
    assert read_words(text) == {"Shop": "Duka", 'Say "yes", please': 'Sema "ndiyo"\ntafadhali'}
