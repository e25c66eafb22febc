"""The OpenAPI document: every route of `routes.py`, with schemas from the wire models and answers as the code gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ops.api_reference import bookings, operators, operators_shop, orders, public, samples
from ops.api_reference.operation import Answer, Body, Listed, Operation, Raw
from ops.api_reference.refusals import REF, SCHEMAS, named, refusals, share
from payfirst.api.routes import ROUTES, Route

OPERATIONS: Final[Mapping[str, Operation]] = {
    **orders.OPERATIONS,
    **bookings.OPERATIONS,
    **operators.OPERATIONS,
    **operators_shop.OPERATIONS,
    **public.OPERATIONS,
}
"""The words of every operation, by its id."""

Json = dict[str, Any]

_SHOWN: Final[Mapping[str, int | str]] = {
    "session_id": "018d0cab-9c10-7c80-8a55-446655440000",
    "payment_id": samples.PAYMENT_NUMBER,
    "cart_id": samples.CART_NUMBER,
    "booking_id": samples.BOOKING_NUMBER,
    "book_id": samples.BOOKING.code,
    "order_id": samples.ORDER_NUMBER,
    "order_number": samples.ORDER.code,
    "listing_id": samples.TOMATOES.number,
    "service_id": samples.PUJA.number,
    "county_id": 1,
    "which": samples.ORDER.code,
    "refund": f"R{samples.SETTLED.ref}-1",
}
"""What stands for each parameter of a path in examples: what the answers' examples name."""

_PHRASES: Final = {200: "Done", 201: "Made", 202: "Under way", 204: "Gone"}
_DESCRIPTION: Final = """\
A booking or an order exists only because a payment succeeded, exactly once.

* Every route answers with and without a slash at its end.
* A body is JSON whatever its Content-Type says; unknown fields are refused and `null` equals absent.
* An id is taken as integer, as text, and in every other form in which it is shown.
* Money is text with two decimal places; in requests a number is taken too.
* With an `Idempotency-Key` (1 to 255 characters) the same POST gets the same answer for 24 hours, for this customer, method
  and path; another body or query is 422, and 409 while the first is under way. Answers of 429 and of 500 and more are not kept.
* Somebody else's object is answered like one that does not exist.
* Errors of orders have `status`, `message` and `error_code`; errors of bookings and payments have `error`, `details` and
  `error_code`, or a list of messages under the name of each wrong field. All of them are the schema `Error`. 401, 413 and 429
  that the gateway in front gives by itself have the keys of both.
* Times are UTC. Dates and times of day are those of the service's or the farm's own zone.
"""


def build() -> Json:
    """The document. LookupError when an operation of `routes.py` has no words, or words have no operation."""
    named = {route.operation for route in ROUTES}
    if named != set(OPERATIONS):
        raise LookupError(f"these differ between routes and reference: {sorted(named ^ set(OPERATIONS))}")
    paths: dict[str, Json] = {}
    shared: Json = {}
    for route in ROUTES:
        described = _operation(route)
        described["responses"] = share(route, described["responses"], shared)
        paths.setdefault(route.path, {})[route.method.lower()] = described
    tags = dict.fromkeys(operation.tag for operation in OPERATIONS.values())
    return {
        "openapi": "3.1.0",
        "info": {"title": "PayFirst", "version": "1.0.0", "description": _DESCRIPTION, "license": _LICENSE},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "security": [{"customer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "customer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The customer's ID token.",
                }
            },
            "responses": dict(sorted(shared.items())),
            "schemas": _schemas(),
        },
    }


def text_of(document: Json) -> str:
    """The document as its file holds it."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


_LICENSE: Final = {"name": "MIT", "identifier": "MIT"}


def _operation(route: Route) -> Json:
    words = OPERATIONS[route.operation]
    described: Json = {
        "operationId": route.operation,
        "tags": [words.tag],
        "summary": words.summary,
        **({"description": words.description} if words.description else {}),
        **({"security": []} if route.public else {}),
    }
    parameters = [*_path_parameters(route), *_query(words), *_headers(route)]
    if parameters:
        described["parameters"] = parameters
    if words.body is not None:
        described["requestBody"] = _body(words.body)
    described["responses"] = {
        **{str(status): _answer(status, answers) for status, answers in words.answers.items()},
        **refusals(route, words),
    }
    return described


def _path_parameters(route: Route) -> Iterable[Json]:
    for name in re.findall(r"{(\w+)}", route.path):
        form: Json = {"type": "string"}
        if name.endswith("_id"):
            form = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
        shown = {"example": _SHOWN[name]} if name in _SHOWN else {}
        yield {"name": name, "in": "path", "required": True, "schema": form, **shown}


def _query(words: Operation) -> Iterable[Json]:
    for name, said in words.query.items():
        form: Json = {"type": "string"}
        if name == "page_size":
            form = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
        yield {"name": name, "in": "query", "description": said, "schema": form}


def _headers(route: Route) -> Iterable[Json]:
    if route.method == "POST" and not route.public:
        said = "The same key with the same body gets the same answer for 24 hours."
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": said,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }


def _body(body: Body | Raw) -> Json:
    if isinstance(body, Raw):
        content = {"schema": body.schema, "example": body.example}
        return {"required": True, "content": {body.content_type: content}}
    required = any(field.is_required() for field in body.model.model_fields.values())
    content = {"schema": _ref(body.model), "example": body.example}
    return {"required": required, "content": {"application/json": content}}


def _answer(status: int, answers: Mapping[str, Answer]) -> Json:
    first = next(iter(answers.values()))
    described: Json = {"description": _PHRASES[status]}
    if isinstance(first, Raw) and first.schema is None:
        return described
    content_type = first.content_type if isinstance(first, Raw) else "application/json"
    examples = {name: {"value": _shown(answer)} for name, answer in answers.items()}
    return {**described, "content": {content_type: {"schema": _schema_of(first), "examples": examples}}}


def _schema_of(answer: Answer) -> Json:
    match answer:
        case Raw():
            return dict(answer.schema or {})
        case Listed(item, paged):
            listed = {"type": "array", "items": _ref(type(item))}
            return _page_of(listed) if paged else listed
        case BaseModel():
            return _ref(type(answer))


def _page_of(listed: Json) -> Json:
    address = {"type": ["string", "null"], "format": "uri"}
    return {
        "type": "object",
        "required": ["count", "next", "previous", "results"],
        "properties": {
            "count": {"type": "integer", "minimum": 0},
            "next": address,
            "previous": address,
            "results": listed,
        },
    }


def _shown(answer: Answer) -> Any:  # noqa: ANN401 - what JSON can hold
    match answer:
        case Raw():
            return answer.example
        case Listed(item, paged):
            results = [_shown(item)]
            return {"count": 1, "next": None, "previous": None, "results": results} if paged else results
        case BaseModel():
            return json.loads(answer.model_dump_json(exclude_unset=True))


def _ref(model: type[BaseModel]) -> Json:
    return named(model.__name__)


def _models() -> list[tuple[type[BaseModel], Any]]:
    found: dict[type[BaseModel], str] = {}
    for words in OPERATIONS.values():
        if isinstance(words.body, Body):
            found[words.body.model] = "validation"
        for answers in words.answers.values():
            for answer in answers.values():
                shown = answer.item if isinstance(answer, Listed) else answer
                if isinstance(shown, BaseModel):
                    found[type(shown)] = "serialization"
    return list(found.items())


def _schemas() -> Json:
    _, made = models_json_schema(_models(), ref_template=REF)
    return dict(sorted({**_lean(made["$defs"]), **SCHEMAS}.items()))


def _lean(schema: Any) -> Any:  # noqa: ANN401 - a piece of a schema
    """A schema without titles, which only repeat its names, and without the default of what is absent."""
    if isinstance(schema, list):
        return [_lean(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    dull = (("title", str), ("default", type(None)))
    return {
        name: _lean(part)
        for name, part in schema.items()
        if not any(name == word and isinstance(part, kind) for word, kind in dull)
    }
