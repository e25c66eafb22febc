"""The API reference as one HTML page: nothing is loaded from elsewhere, and nothing in it runs."""

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


class Field(NamedTuple):
    """A field of a request's body; `name` is dotted for a field of an inner object."""

    name: str
    schema: Json
    is_object: bool
    is_required: bool


def render(document: Json) -> str:
    """The page of an OpenAPI document; every word of it is escaped."""
    environment = Environment(
        loader=PackageLoader("payfirst.api.reference"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "anchor": lambda tag: tag.lower().replace(" ", "-"),
        "as_json": partial(json.dumps, ensure_ascii=False),
        "examples": _examples,
        "fields": lambda schema: list(_fields(document, schema)),
        "marked": _marked,
        "resolved": partial(_resolved, document),
    }
    return environment.get_template("page.html").render(document=document).lstrip()


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
