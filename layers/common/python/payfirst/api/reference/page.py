"""The API reference as HTML: a list that can be searched, and a page for each operation from which it can be tried."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

Json = Mapping[str, Any]

_CODE: Final = re.compile(r"`([^`]+)`")
_METHODS: Final = ("get", "post", "delete")

OPERATORS: Final = "Operators"
NOTICES: Final = "Gateway notices"
"""Tags: what the shop's own people may do, and what gateways alone call, which nobody tries from a page."""

MOVE_MONEY: Final = ("initiate_payment", "process_cart", "process_cart_doubled", "cancel_booking", "cancel_order")
"""What a customer may do that takes money or gives it back: the page asks before, as before each change of an operator's."""


class Field(NamedTuple):
    """A field of a request's body; `name` is dotted for a field of an inner object."""

    name: str
    schema: Json
    is_object: bool
    is_required: bool


class Entry(NamedTuple):
    """One operation: `words` are those of the document, `finds` the fields and codes by which the list finds it."""

    method: str
    path: str
    words: Json
    finds: tuple[str, ...]

    @property
    def tag(self) -> str:
        tag: str = self.words["tags"][0]
        return tag

    @property
    def asks_before(self) -> bool:
        """Whether the page asks before it sends this: it changes what is somebody else's, or moves money."""
        operators = self.tag == OPERATORS and self.method != "get"
        return operators or self.words["operationId"] in MOVE_MONEY


class Reference:
    """The pages of one OpenAPI document; every word of it is escaped."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._environment = Environment(
            loader=PackageLoader("payfirst.api.reference"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters |= {
            "anchor": lambda tag: tag.lower().replace(" ", "-"),
            "as_json": partial(json.dumps, ensure_ascii=False),
            "examples": _examples,
            "fields": lambda schema: list(_fields(document, schema)),
            "marked": _marked,
            "resolved": partial(_resolved, document),
        }
        found = [
            Entry(method, path, methods[method], _finds(document, methods[method]))
            for path, methods in document["paths"].items()
            for method in _METHODS
            if method in methods
        ]
        self._entries = {entry.words["operationId"]: entry for entry in found}

    def page(self, operation: str | None, addresses: Mapping[str, Any], *, doors: bool) -> str | None:
        """The page of an operation, or the list of all for None; None for an operation that there is not.

        `addresses` are those of `payfirst.api.pages`; `doors` as there.
        """
        entry = None if operation is None else self._entries.get(operation)
        if operation is not None and entry is None:
            return None
        return self._environment.get_template("list.html" if entry is None else "operation.html").render(
            addresses,
            document=self._document,
            entries=self._entries.values(),
            entry=entry,
            doors=doors,
            operators=OPERATORS,
            notices=NOTICES,
        )


def _finds(document: Json, words: Json) -> tuple[str, ...]:
    """Names of what goes in and comes out, and the codes of refusals, each once."""
    given = [each["name"] for each in words.get("parameters", ())]
    found = dict.fromkeys(given)
    schemas = [content["schema"] for content in words.get("requestBody", {}).get("content", {}).values()]
    for status, answer in words["responses"].items():
        for content in _resolved(document, answer).get("content", {}).values():
            if status.startswith("2"):
                schemas.append(content["schema"])
            else:
                found |= dict.fromkeys(content["examples"])
    for schema in schemas:
        found |= dict.fromkeys(_names(document, schema))
    return tuple(found)


def _names(document: Json, schema: Json, above: tuple[str, ...] = ()) -> Iterator[str]:
    """The names of all fields of a schema, those of inner objects too."""
    name = schema.get("$ref")
    if name in above:
        return
    whole = _resolved(document, schema)
    inside = (*above, name) if name else above
    for field, form in whole.get("properties", {}).items():
        yield field
        yield from _names(document, form, inside)
    for form in (*whole.get("anyOf", ()), whole.get("items"), whole.get("additionalProperties")):
        if isinstance(form, dict):
            yield from _names(document, form, inside)


def _fields(document: Json, schema: Json, inside: str = "") -> Iterator[Field]:
    """The fields of an object, those of inner objects behind the object's own."""
    whole = _resolved(document, schema)
    for name, form in whole.get("properties", {}).items():
        is_object = "$ref" in form and _resolved(document, form).get("type") == "object"
        yield Field(inside + name, form, is_object, name in whole.get("required", ()))
        if is_object:
            yield from _fields(document, form, f"{inside}{name}.")


def _examples(answer: Json) -> list[tuple[str, Any]]:
    """Name and value of each example of an answer."""
    contents = answer.get("content", {}).values()
    return [(name, example["value"]) for content in contents for name, example in content["examples"].items()]


def _resolved(document: Json, schema: Json) -> Json:
    """What `$ref` stands for, where there is one."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    resolved: Json = found
    return resolved


def _marked(text: str) -> Markup:
    """Escaped, with what stands between backticks as code."""
    parts = _CODE.split(text)  # what stands between backticks is every second one
    return Markup().join(Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts))
