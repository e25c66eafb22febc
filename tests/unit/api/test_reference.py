"""The API's description says what the routes do, and is what the code would write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

import payfirst
from ops.api_reference.document import build
from ops.api_reference.write import WRITTEN, difference, write_reference
from payfirst.api.reference.page import MOVE_MONEY, Reference
from payfirst.api.routes import ROUTES
from payfirst.domain.errors import PayFirstError
from payfirst.domain.refund import WHY_MONEY_GOES_BACK
from payfirst.gateways.mpesa.results import STK_RESULTS, UNRECOGNISED
from payfirst.gateways.phonepe.answers import FAILED_CODE, FAILURES

DOCUMENT = build()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, words in methods.items():
            yield path, method.upper(), words


def answers() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Operation, status and answer, behind any reference."""
    for _, _, words in operations():
        for status, answer in words["responses"].items():
            if "$ref" in answer:
                answer = DOCUMENT["components"]["responses"][answer["$ref"].rsplit("/", 1)[-1]]  # noqa: PLW2901
            yield words["operationId"], status, answer


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """What in `value` does not fit `schema`, a part of the document."""
    resource = DRAFT202012.create_resource(DOCUMENT)
    registry: Registry[Any] = Registry().with_resource("urn:api", resource)
    absolute = _absolute(schema)
    return [error.message for error in OAS31Validator(absolute, registry=registry).iter_errors(value)]


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {k: f"urn:api{v}" if k == "$ref" else _absolute(v) for k, v in schema.items()}
    return [_absolute(part) for part in schema] if isinstance(schema, list) else schema


def test_the_document_is_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_route_is_described_and_nothing_else() -> None:
    described = {(method, path.rstrip("/"), words["operationId"]) for path, method, words in operations()}
    assert described == {(route.method, route.path, route.operation) for route in ROUTES}


def test_routes_without_a_token_and_only_they_say_so() -> None:
    public = {words["operationId"] for _, _, words in operations() if words.get("security") == []}
    assert public == {route.operation for route in ROUTES if route.public}
    assert DOCUMENT["security"] == [{"customer": []}]


def test_every_part_of_a_path_is_a_parameter() -> None:
    for path, _, words in operations():
        named = {each["name"] for each in words.get("parameters", []) if each["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))


def test_no_answer_is_a_default_and_no_schema_is_empty() -> None:
    for operation, status, answer in answers():
        assert re.fullmatch("[2-5][0-9]{2}", status), operation
        assert status == "204" or all(content["schema"] for content in answer["content"].values())
    assert {} not in list(_schemas(DOCUMENT["components"]["schemas"]))


def test_no_schema_is_named_after_the_module_that_it_stands_in() -> None:
    """As pydantic does where two models of one document have the same name."""
    assert [name for name in DOCUMENT["components"]["schemas"] if "__" in name] == []


def _schemas(part: Any) -> Iterator[Any]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name in {"properties", "$defs"}:
                yield from value.values()
            elif name in {"items", "additionalProperties"} and isinstance(value, dict):
                yield value
            yield from _schemas(value)
    elif isinstance(part, list):
        yield from part
        for each in part:
            yield from _schemas(each)


def test_every_example_fits_its_schema() -> None:
    checked = 0
    for operation, status, answer in answers():
        for content in answer.get("content", {}).values():
            for name, example in content["examples"].items():
                assert problems(content["schema"], example["value"]) == [], f"{operation} {status} {name}"
                checked += 1
    for _, _, words in operations():
        for content in words.get("requestBody", {}).get("content", {}).values():
            assert problems(content["schema"], content["example"]) == [], words["operationId"]
            checked += 1
    assert checked > len(ROUTES)


def test_an_example_that_does_not_fit_would_be_seen() -> None:
    assert problems({"$ref": "#/components/schemas/SessionOut"}, {"session_id": 1})


def test_every_code_of_an_example_is_one_that_the_code_gives() -> None:
    """Failures as the gateways' tables and the refunds' reasons have them; errors by their class or where they are raised."""
    failures = {meaning.code for meaning in (*STK_RESULTS.values(), UNRECOGNISED)}
    failures |= {FAILED_CODE, *(code for code, _ in FAILURES.values()), *WHY_MONEY_GOES_BACK}
    errors = {error.code for error in _below(PayFirstError)}
    for source in Path(payfirst.__file__).parent.rglob("*.py"):
        errors |= set(re.findall(r'code="([A-Z_]+)"', source.read_text(encoding="utf-8")))
    for operation, status, answer in answers():
        shown = {code for content in answer.get("content", {}).values() for code in _codes(content["examples"])}
        assert shown <= (failures | errors if status.startswith("2") else errors), f"{operation} {status}"
    assert "cancelled" in failures - errors


def _below(error: type[PayFirstError]) -> Iterator[type[PayFirstError]]:
    yield error
    for other in error.__subclasses__():
        yield from _below(other)


def _codes(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (part[name] for name in ("code", "error_code", "unavailable_code") if isinstance(part.get(name), str))
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _codes(inner)


def test_every_post_of_a_customer_takes_an_idempotency_key() -> None:
    for _, method, words in operations():
        named = {each["name"] for each in words.get("parameters", [])}
        assert ("Idempotency-Key" in named) == (method == "POST" and words.get("security") != [])


def test_what_is_written_is_what_the_code_says() -> None:
    assert difference() == [], "run `make openapi`"


def test_a_description_that_is_out_of_date_shows_what_changed(tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    assert any(line.startswith("+") for line in difference(file))
    write_reference(file)
    assert difference(file) == []
    file.write_text(file.read_text(encoding="utf-8").replace("Track an order", "Trace an order"), encoding="utf-8")
    changed = [line for line in difference(file) if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    assert [(line[0], ("Track" if "Track an order" in line else "Trace")) for line in changed] == [
        ("-", "Trace"),
        ("+", "Track"),
    ]


def test_the_written_file_lies_in_the_package() -> None:
    assert WRITTEN.is_file()


@cache
def reference() -> Reference:
    """The pages of the description as it is: templates are compiled once for all tests."""
    return Reference(DOCUMENT)


def page(operation: str | None = None, document: dict[str, Any] = DOCUMENT) -> str:
    """A page of the reference as the site renders it, its assets called by their names."""
    addresses = {"base": "/live", "asset": lambda name: f"/live/assets/{name}", "modules": lambda _: []}
    made = (reference() if document is DOCUMENT else Reference(document)).page(operation, addresses, doors=False)
    assert made is not None
    return made


def test_the_list_leads_to_a_page_of_every_operation() -> None:
    listed = page()
    for route in ROUTES:
        assert f'id="{route.operation}"' in listed
        assert f'href="/live/docs/{route.operation}"' in listed
        assert DOCUMENT["paths"].get(route.path, DOCUMENT["paths"].get(f"{route.path}/")), route.path
        assert route.path in page(route.operation)


def test_there_is_no_page_of_an_operation_that_there_is_not() -> None:
    assert Reference(DOCUMENT).page("nothing", {}, doors=False) is None


@pytest.mark.parametrize("operation", [None, *(route.operation for route in ROUTES)])
def test_a_page_runs_and_loads_nothing_but_the_shops_own(operation: str | None) -> None:
    made = page(operation)
    loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*?(?:src|href)="([^"]*)"', made)
    assert {address for address in loaded if address != "data:,"} == {
        *("/live/assets/style.css", "/live/assets/docs.css"),
        f"/live/assets/{'docs-try' if operation else 'docs'}.js",
    }
    assert not re.search(r"<script(?! type=\"module\" src=)|<style|\son\w+=|\sstyle=|javascript:|@import|url\(", made)


def test_the_list_finds_by_what_goes_in_comes_out_and_is_refused() -> None:
    finds = re.search(r'id="cancel_booking" data-finds="([^"]*)"', page())
    assert finds
    assert {"booking_id", "Idempotency-Key", "reason", "book_id", "REFUND_CHANGED", "NOT_FOUND"} <= set(finds[1].split())


def test_the_page_asks_before_what_moves_money_and_before_each_change_of_an_operators() -> None:
    asking = {route.operation for route in ROUTES if " data-asks" in page(route.operation)}
    assert asking == {*MOVE_MONEY, *(route.operation for route in ROUTES if route.operators and route.method != "GET")}


def test_an_id_that_is_filled_in_is_one_that_the_examples_show() -> None:
    shown = json.dumps([answer.get("content") for _, _, answer in answers()])
    for path, _, words in operations():
        for each in words.get("parameters", []):
            if each["in"] == "path" and each["name"] not in {"gateway", "token"}:
                assert str(each["example"]) in shown, path
                assert problems(each["schema"], each["example"]) == []


@pytest.mark.parametrize("word", ["<script>alert(1)</script>", '"><b>'])
def test_the_pages_escape_what_the_document_holds(word: str) -> None:
    info = {**DOCUMENT["info"], "title": word, "description": f"* {word}"}
    assert word not in page(document={**DOCUMENT, "info": info})
    assert word not in page("paid", {**DOCUMENT, "info": info})
