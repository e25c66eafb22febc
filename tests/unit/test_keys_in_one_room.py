"""Keys are built and taken apart in `storage/dynamodb` alone; each other place has its reason here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from payfirst.storage.dynamodb.due_index import Due

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("layers/common/python/payfirst", "functions", "ops", "local")
KEYS: Final = "layers/common/python/payfirst/storage/dynamodb/"

ATTRIBUTES: Final = frozenset({"pk", "sk", "due_pk", "due_sk"})
CLAUSES: Final = frozenset({"absent", "present", "equal"})
"""A condition names an attribute and, at most, the value that was read of it: it knows nothing of its form."""

CUTS: Final = ("split", "partition")

HEAD: Final = re.compile(rf"(?<![\w/])([A-Z]+|{'|'.join(Due)})#(?!#)|\}}#")
"""What a part of a key begins with, or a pattern of one holds."""

JOINT: Final = re.compile(r"^#(?![#/])|(?<!#)#$")
"""What stands between two parts that are put together."""

ELSEWHERE: Final[Mapping[str, tuple[int, str]]] = {
    "functions/deliver_events/app.py": (4, "the form in which the stream tells of a key; functions know no storage"),
    "functions/operators/app.py": (
        1,
        "how a place among a day's bookings looks: a parameter is refused before its use",
    ),
    "layers/common/python/payfirst/api/repeat.py": (2, "the library writes the items of kept answers: it is told the names"),
    "ops/api_reference/operators.py": (1, "an example of a notice's name, as an earlier release gave it"),
    "ops/operate.py": (1, "the help of commands shows names as people read them"),
}
"""In how many places, and why."""


def found(tree: ast.Module) -> Iterator[int]:
    """The lines on which a key's attribute is used outside a condition, or a part of a key is spelt or cut."""
    nodes = list(ast.walk(tree))
    conditions = {
        inner
        for call in nodes
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in CLAUSES
        for inner in ast.walk(call)
    }
    joined = {part for text in nodes if isinstance(text, ast.JoinedStr) for part in text.values}
    prose = {node.value for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)) if node not in prose:
                named = text in ATTRIBUTES and node not in conditions
                if named or HEAD.search(text) or (node in joined and JOINT.search(text)):
                    yield node.lineno
            case ast.Call(func=ast.Attribute(attr=called), args=[ast.Constant("#"), *_]) if called.endswith(CUTS):
                yield node.lineno
            case _:
                pass


def places() -> dict[str, list[int]]:
    lines = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(KEYS) and (there := sorted(found(ast.parse(path.read_text(encoding="utf-8"))))):
                lines[name] = there
    return lines


def test_no_key_is_built_or_taken_apart_elsewhere() -> None:
    there = places()
    known = {name: lines for name, (lines, _) in ELSEWHERE.items()}
    assert {name: len(lines) for name, lines in there.items()} == known, there


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ('{"pk": partition, "sk": sort}', True),
        ('item["pk"].startswith(shop_keys.MONEY)', True),
        ('page.items[-1]["sk"]', True),
        ('"due_pk" in item', True),
        ('f"ATT#{ref}"', True),
        ('f"{what}#{number}"', True),
        ('which.startswith(("INBOX#", "U#"))', True),
        ('partition.startswith("review#")', True),
        ('partition.split("#")[0]', True),
        ('partition.partition("#")', True),
        ('Put(ATTEMPT, item, when=(absent("pk"), equal("due_sk", item["due_sk"])))', False),
        ("keys.sort_key(page.items[-1])", False),
        ('f"{checksum}###{salt}"', False),
    ],
)
def test_a_key_would_be_found(text: str, is_found: bool) -> None:  # noqa: FBT001
    assert bool(list(found(ast.parse(text)))) is is_found
