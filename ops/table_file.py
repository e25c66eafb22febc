"""A table's items in one file: gzipped JSON lines between a head and a foot that says what has to be there.

The foot holds the number of items and their fingerprint, which does not depend on their order: so a file that was cut short or
changed is refused before anything is written, and a table can be compared with the file that it came from.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from payfirst.domain.clock import instant

FORMAT: Final = "payfirst-table-1"
_MODULUS: Final = 2**256

Wire = Mapping[str, Any]


class TableFileError(Exception):
    """The file is none of ours, or not whole; the message says which."""


@dataclass(frozen=True, slots=True)
class Contents:
    """How many items there are, and the sum of their hashes."""

    items: int
    fingerprint: str


class Tally:
    """Counts items as they pass."""

    def __init__(self) -> None:
        self._items = 0
        self._sum = 0

    def add(self, line: str) -> None:
        """One more item, in the form of `line_of`."""
        self._items += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(line.encode()).digest())) % _MODULUS

    @property
    def contents(self) -> Contents:
        """What has passed so far."""
        return Contents(self._items, f"{self._sum:064x}")


def line_of(item: Wire) -> str:
    """The item, as the low-level client answers it, in the one JSON form that it has."""
    return json.dumps(_to_json(item), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def contents_of(items: Iterable[Wire]) -> Contents:
    """What `items` are, whatever their order."""
    tally = Tally()
    for item in items:
        tally.add(line_of(item))
    return tally.contents


def write_items(file: Path, table: str, items: Iterable[Wire], now: datetime) -> Contents:
    """Write all items to a new file that only its owner may read: it holds names and phone numbers. FileExistsError."""
    tally = Tally()
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as raw, gzip.open(raw, "wt", encoding="utf-8") as out:
        out.write(json.dumps({"format": FORMAT, "table": table, "taken_at": instant(now)}) + "\n")
        for item in items:
            line = line_of(item)
            tally.add(line)
            out.write(line + "\n")
        contents = tally.contents
        out.write(json.dumps({"items": contents.items, "fingerprint": contents.fingerprint}) + "\n")
    return contents


def check_file(file: Path) -> Contents:
    """What the file holds; TableFileError when it is not ours, cut short, or not as it was written."""
    tally = Tally()
    for line in _lines(file):
        tally.add(line)
    return tally.contents


def read_items(file: Path) -> Iterator[dict[str, Any]]:
    """The items, as the low-level client takes them. TableFileError as for `check_file`, but only at the end."""
    return (_from_json(json.loads(line)) for line in _lines(file))


def _lines(file: Path) -> Iterator[str]:
    tally = Tally()
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            head = json.loads(next(lines, "null"))
            if not isinstance(head, dict) or head.get("format") != FORMAT:
                raise TableFileError(f"{file} is no backup of this release's form.")
            before = None
            for line in lines:
                if before is not None:
                    tally.add(before)
                    yield before
                before = line.rstrip("\n")
    except (OSError, EOFError, ValueError) as error:
        raise TableFileError(f"{file} cannot be read: {error}") from error
    foot = json.loads(before or "{}")
    if (foot.get("items"), foot.get("fingerprint")) != (tally.contents.items, tally.contents.fingerprint):
        raise TableFileError(f"{file} is not whole: its items are not those that were written.")


def _to_json(value: Any) -> Any:  # noqa: ANN401 - a piece of an item
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {name: _to_json(inner) for name, inner in value.items()}
    return [_to_json(inner) for inner in value] if isinstance(value, list) else value


def _from_json(value: Any) -> Any:  # noqa: ANN401 - likewise
    if isinstance(value, dict):
        return {
            name: base64.b64decode(inner) if name == "B" and isinstance(inner, str) else _from_json(inner)
            for name, inner in value.items()
        }
    return [_from_json(inner) for inner in value] if isinstance(value, list) else value
