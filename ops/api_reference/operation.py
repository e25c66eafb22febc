"""What the API reference says about one operation: words, bodies, answers, and the codes of its errors.

Answers are examples; the builder takes their schema from their model. Errors that every route of its kind has (a missing
token, a body that is no JSON …) are added by the builder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from payfirst.api.wire.fields import In


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries: its model, and the document's example."""

    model: type[In]
    example: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as an answer: in pages, or as a plain array where `paged` is False."""

    item: BaseModel
    paged: bool = True


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer or a body that no model describes: its JSON schema (None: no body at all) and an example."""

    schema: Mapping[str, Any] | None
    example: Any
    content_type: str = "application/json"


Answer = BaseModel | Listed | Raw


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation's words. `answers` are by status, each a mapping of a name to an example of one and the same shape.

    With `any_query` no word of the query is refused as such.
    """

    tag: str
    summary: str
    answers: Mapping[int, Mapping[str, Answer]]
    body: Body | Raw | None = None
    codes: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    any_query: bool = False
    description: str = ""


def one(status: int, answer: Answer) -> dict[int, dict[str, Answer]]:
    """The answers of an operation that has one."""
    return {status: {"example": answer}}


PAGING: Final = {
    "page_size": "How many entries a page has: 1 to 100, 20 if absent.",
    "cursor": "Where the page starts; taken from `next` or `previous`.",
}
"""The query of every list in pages."""
