"""Pages of lists: ready-made addresses whose cursors hold a direction and a sort key, signed.

The signing key is a secret and is asked for only when a list has a second page: most lists never do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import BaseModel

from payfirst.api.request import Request
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.storage.catalogue_pages import Place
from payfirst.storage.lists import Position, Slice

DEFAULT_SIZE: Final = 20
LARGEST_SIZE: Final = 100
_SIGNATURE_BYTES: Final = 16


def page_size(request: Request) -> int:
    """The `page_size` that was asked for, 20 by default; InvalidInputError unless it is 1 to 100."""
    given = request.parameter("page_size")
    if given is None:
        return DEFAULT_SIZE
    if not given.isascii() or not given.isdigit() or len(given) > len(str(LARGEST_SIZE)) or not 1 <= int(given) <= LARGEST_SIZE:
        raise InvalidInputError(FieldProblem("page_size", f"A number from 1 to {LARGEST_SIZE} is expected."))
    return int(given)


def position(request: Request, key: Callable[[], bytes]) -> Position | None:
    """Where the page starts; None for the first. InvalidInputError for a cursor that was not made here for this path."""
    found = _cursor_of(request, key)
    return None if found is None else Position(after=found[1], towards_older=found[0])


def place(request: Request, key: Callable[[], bytes]) -> Place | None:
    """The same in a list of the catalogue, which goes on in the order of its numbers."""
    found = _cursor_of(request, key)
    return None if found is None else Place(after=found[1], onwards=found[0])


def _cursor_of(request: Request, key: Callable[[], bytes]) -> tuple[bool, Any] | None:
    given = request.parameter("cursor")
    if given is None:
        return None
    try:
        sent = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
    except ValueError:
        sent = b""
    payload, signature = sent[:-_SIGNATURE_BYTES], sent[-_SIGNATURE_BYTES:]
    if not hmac.compare_digest(_signature(key(), _path(request), payload), signature):
        raise InvalidInputError(FieldProblem("cursor", "This cursor is not one of ours; start with the first page."))
    older, after = json.loads(payload)
    return older, after


def paged(
    request: Request,
    key: Callable[[], bytes],
    origin: str,
    page: Slice,
    results: Sequence[BaseModel],
    *,
    is_filtered: bool = False,
) -> Any:  # noqa: ANN401
    """The answer for one page, of which `results` are shown.

    Behind a filter (`is_filtered`) they are what one stretch of the whole list holds, all of it for nearly everybody: `count`
    counts them alone, and `next` and `previous` lead to the entries that were not looked through, if there are any.
    """
    newest, oldest = page.edges
    return {
        "count": len(results) if is_filtered else page.count,
        "next": _address(request, key, origin, older=True, after=oldest) if page.older else None,
        "previous": _address(request, key, origin, older=False, after=newest) if page.newer else None,
        "results": list(results),
    }


def unpaged(results: Sequence[BaseModel]) -> Any:  # noqa: ANN401
    """The answer for a list that is shown whole."""
    return {"count": len(results), "next": None, "previous": None, "results": list(results)}


def _address(request: Request, key: Callable[[], bytes], origin: str, *, older: bool, after: int | str) -> str:
    kept = {name: value for name, value in _parameters(request).items() if name != "cursor"}
    return f"{origin}{_path(request)}?{urlencode({**kept, 'cursor': _cursor(key(), _path(request), older, after)})}"


def _parameters(request: Request) -> dict[str, str]:
    return dict(request.event.get("queryStringParameters") or {})


def _path(request: Request) -> str:
    return str(request.event["rawPath"])


def _cursor(key: bytes, path: str, older: bool, after: int | str) -> str:  # noqa: FBT001 - the cursor's own first field
    payload = json.dumps([older, after]).encode()
    return base64.urlsafe_b64encode(payload + _signature(key, path, payload)).decode().rstrip("=")


def _signature(key: bytes, path: str, payload: bytes) -> bytes:
    return hmac.digest(key, path.encode() + b"\0" + payload, hashlib.sha256)[:_SIGNATURE_BYTES]
