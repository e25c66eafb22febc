"""What each operation may refuse, with the answers that the code gives to each of its codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ops.api_reference.errors import ERRORS
from ops.api_reference.operation import Body, Operation
from payfirst.api.errors import reply_to
from payfirst.api.routes import Family, Route
from payfirst.domain.errors import FieldProblem, InvalidInputError

Json = dict[str, Any]

REF: Final = "#/components/schemas/{model}"
_ERROR_PHRASES: Final = {
    400: "The request cannot be taken",
    401: "No valid token",
    404: "Nothing that the caller may see is there",
    409: "The state does not allow it",
    413: "The body is too large",
    422: "The Idempotency-Key was used for another body or query",
    429: "Too soon; Retry-After says when",
    502: "The gateway refused",
    503: "The same request may be sent again; Retry-After says when",
}
_SHARED: Final = {"401": "Unauthorized", "413": "TooLarge", "422": "KeyReused", "503": "TryAgain"}
_RETRY_LATER: Final = {409, 429, 503}


def refusals(route: Route, words: Operation) -> Json:
    """The error answers, each with the answer that the code gives to every code of that status."""
    by_status: dict[int, Json] = {}
    for code in dict.fromkeys((*words.codes, *_usual(route, words))):
        error = _wrong_field(words) if code == "INVALID_INPUT" else ERRORS[code]
        reply = reply_to(error, route.family, route.operation)
        by_status.setdefault(reply.status, {})[code] = {"value": reply.body}
    return {
        str(status): {
            "description": _ERROR_PHRASES[status],
            **({"headers": _RETRY_AFTER} if status in _RETRY_LATER else {}),
            "content": {"application/json": {"schema": named("Error"), "examples": examples}},
        }
        for status, examples in sorted(by_status.items())
    }


def _wrong_field(words: Operation) -> InvalidInputError:
    """What is most often wrong with a request to this operation."""
    if isinstance(words.body, Body):
        for name, form in words.body.model.model_fields.items():
            if form.is_required():
                return InvalidInputError(FieldProblem(name, "This field is required."))
    elif words.query:
        name = next(iter(words.query))
        said = "A number from 1 to 100 is expected." if name == "page_size" else "This is none of its words."
        return InvalidInputError(FieldProblem(name, said))
    return InvalidInputError(FieldProblem("colour", "There is no such field."))


_RETRY_AFTER: Final = {
    "Retry-After": {"description": "Seconds to wait, where waiting helps.", "schema": {"type": "integer", "minimum": 0}}
}


def _usual(route: Route, words: Operation) -> Iterable[str]:
    """The codes that every route of its kind has."""
    if route.function == "site" or route.family is Family.NOTICE or not _uses_table(route):
        return
    if route.operators:
        yield "ROUTE_NOT_FOUND"
    if not route.public:
        yield "UNAUTHORIZED"
        if route.method == "POST":
            yield from ("INVALID_INPUT", "MALFORMED_BODY", "BODY_TOO_LARGE", "IDEMPOTENCY_KEY_REUSED", "REQUEST_IN_PROGRESS")
        elif words.query and not words.any_query:
            yield "INVALID_INPUT"
    elif words.query:
        yield "INVALID_INPUT"
    yield "BUSY"


def _uses_table(route: Route) -> bool:
    return not route.path.startswith(("/api/locations", "/api/config"))


def named(name: str) -> Json:
    """A reference to the schema of that name."""
    return {"$ref": REF.format(model=name)}


def share(route: Route, responses: Json, shared: Json) -> Json:
    """`responses` of a route with references in place of those that `shared` holds, which gets those that it lacks."""
    group = "Order" if route.family in (Family.ORDERS, Family.NOTICE) else "Booking"
    referred = dict(responses)
    for status, word in _SHARED.items():
        name = f"{group}{word}"
        if status in responses and shared.setdefault(name, responses[status]) == responses[status]:
            referred[status] = {"$ref": f"#/components/responses/{name}"}
    return referred


SCHEMAS: Final[Json] = {
    "OrderError": {
        "type": "object",
        "description": "An error of document B's routes.",
        "required": ["status", "message", "error_code"],
        "properties": {
            "status": {"const": "error"},
            "message": {"type": "string"},
            "error_code": {"type": "string"},
            "errors": {
                "type": "object",
                "description": "What is wrong, by field.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
        },
    },
    "BookingError": {
        "type": "object",
        "description": "An error of document A's routes.",
        "required": ["error", "details", "error_code"],
        "properties": {
            "error": {"type": "string"},
            "details": {"type": "string"},
            "error_code": {"type": "string"},
        },
    },
    "FieldErrors": {
        "type": "object",
        "description": "What is wrong, by field, in document A's routes.",
        "required": ["error_code"],
        "properties": {"error_code": {"type": "string"}},
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
    },
    "Error": {
        "description": "Every error: `error_code` is stable; the route and what is wrong decide which of three forms it has.",
        "anyOf": [named("OrderError"), named("BookingError"), named("FieldErrors")],
    },
}
