"""The API's description says what the routes do, and is what the code would write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from ops.reference import WRITTEN, difference, write_reference
from payfirst.api.reference.document import build
from payfirst.api.reference.page import render
from payfirst.api.routes import ROUTES

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


def test_every_post_of_a_customer_takes_an_idempotency_key() -> None:
    for _, method, words in operations():
        named = {each["name"] for each in words.get("parameters", [])}
        assert ("Idempotency-Key" in named) == (method == "POST" and words.get("security") != [])


def test_what_is_written_is_what_the_code_says() -> None:
    assert difference() == [], "run `make openapi`"


def test_a_description_that_is_out_of_date_shows_what_changed(tmp_path: Any) -> None:
    file = tmp_path / "openapi.json"
    assert any(line.startswith("+") for line in difference(file))
    write_reference(file)
    assert difference(file) == []
    file.write_text(file.read_text(encoding="utf-8").replace('"Track an order"', '"Trace an order"'), encoding="utf-8")
    changed = [line.strip("+- ,") for line in difference(file) if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    assert changed == ['"summary": "Trace an order"', '"summary": "Track an order"']


def test_the_written_file_lies_in_the_package() -> None:
    assert WRITTEN.is_file()
    assert WRITTEN.parent.name == "reference"


def test_the_page_shows_every_operation_and_loads_nothing() -> None:
    page = render(DOCUMENT)
    for route in ROUTES:
        assert f'id="{route.operation}"' in page
    assert not re.search(r"<(script|link|img|iframe)|@import|url\(|src=", page)
    assert "javascript:" not in page


@pytest.mark.parametrize("word", ["<script>alert(1)</script>", '"><b>'])
def test_the_page_escapes_what_the_document_holds(word: str) -> None:
    info = {**DOCUMENT["info"], "title": word, "description": f"* {word}"}
    assert word not in render({**DOCUMENT, "info": info})
