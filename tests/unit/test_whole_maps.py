"""A map over an enumeration holds all of it, or is listed here with what becomes of the rest; mypy does so for `match`."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("layers/common/python/payfirst", "functions", "ops", "local")

NOT_OURS: Final = {"__main__.py"}
"""Run by themselves."""

PARTIAL: Final[Mapping[tuple[str, str], str]] = {
    ("payfirst.gateways.mpesa.account", "Stage"): "a local stack has its own address; any other that is missing is asked for",
    ("payfirst.gateways.phonepe.account", "Stage"): "likewise",
    ("payfirst.gateways.phonepe.webhook", "State"): "what has not ended is neither: read with .get",
    ("payfirst.gateways.phonepe.v1", "State"): "what has not ended is neither: read with .get",
    ("payfirst.domain.moves", "OrderStatus"): "what is confirmed or cancelled has no step to take back: read with .get",
    ("payfirst.usecases.operators.waiting", "Thing"): "a doubt is only decided: its name is that of its attempt",
    ("ops.stack_state", "Way"): "what changes nothing, and what is waited for, is answered before",
    ("ops.reconcile.comparison", "RefundStatus"): "what has ended is compared, not waited for: asked before",
    ("ops.reconcile.shop_books", "Field"): "only the fields that state a total: walked over",
    ("local.simulators.mpesa_bodies", "State"): "what is pending has another answer: asked before",
    ("local.simulators.outcomes", "Outcome"): "what is paid or left pending is no failure: asked before",
    ("local.simulators.markup", "Outcome"): "what is left pending has no end: read with .get",
    ("local.simulators.phonepe_bodies", "State"): "an order is never CONFIRMED, only a refund is",
    ("local.simulators.phonepe_v1_bodies", "State"): "read with .get; what is pending has its own code",
    ("local.simulators.rules", "Answer"): "only answers that need a call of their own: read with .get",
    ("local.simulators.faults", "Answer"): "each table holds the answers of one kind: asked with `in` before",
}
"""By module and enumeration."""


@cache
def modules() -> tuple[tuple[ModuleType, ast.Module], ...]:
    found = []
    for room in ROOMS:
        base = ROOT / "layers/common/python" if room.startswith("layers") else ROOT
        for path in sorted((ROOT / room).rglob("*.py")):
            if path.name in NOT_OURS:
                continue
            name = ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")
            found.append((importlib.import_module(name), ast.parse(path.read_text(encoding="utf-8"))))
    return tuple(found)


@cache
def enumerations() -> tuple[type[Enum], ...]:
    """Every enumeration of ours."""
    found = {
        value
        for module, _ in modules()
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Enum) and value.__module__ == module.__name__
    }
    return tuple(sorted(found, key=lambda each: (each.__module__, each.__name__)))


def resolved(module: ModuleType, key: ast.expr) -> Any:
    """What a key of a dictionary is, where its module's names say it; None else."""
    match key:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return getattr(module, name, None)
        case ast.Attribute(value=owner, attr=name):
            return getattr(resolved(module, owner), name, None)
        case _:
            return None


def names_all(kind: type[Enum], keys: list[Any]) -> bool:
    return set(keys) <= {member.value for member in kind}


def maps(module: ModuleType, tree: ast.Module) -> Iterator[tuple[int, type[Enum], set[Any]]]:
    """Dictionaries keyed by members of one enumeration, or by two or more of its values: line, enumeration, what is missing."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Dict) or not node.keys or None in node.keys:
            continue
        keys = [resolved(module, key) for key in node.keys if key is not None]
        kinds = {type(key) for key in keys}
        if len(kinds) == 1 and issubclass(kind := kinds.pop(), Enum):
            yield node.lineno, kind, set(kind) - set(keys)
        elif len(keys) > 1 and all(isinstance(key, str) for key in keys):
            kept = [(kind, {member.value for member in kind} - set(keys)) for kind in enumerations() if names_all(kind, keys)]
            if kept and all(missing for _, missing in kept):
                yield (node.lineno, *min(kept, key=lambda each: len(each[1])))


def test_every_map_over_an_enumeration_is_whole_or_says_why_not() -> None:
    seen, holes = set(), []
    for module, tree in modules():
        for line, kind, missing in maps(module, tree):
            place = (module.__name__, kind.__name__)
            if missing and place in PARTIAL:
                seen.add(place)
            elif missing:
                holes.append(f"{module.__name__}, line {line}: {kind.__name__} without {sorted(map(str, missing))}")
    assert not holes, "\n".join(holes)
    assert seen == PARTIAL.keys(), f"listed in vain: {PARTIAL.keys() - seen}"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("{Kind.ORDER: 1}", {"booking"}),
        ("{Kind.ORDER: 1, Kind.BOOKING: 2}", set()),
        ("{moves.OrderStatus.PACKED: 1}", {"confirmed", "out_for_delivery", "delivered", "cancelled"}),
        ("{'EUR': 1, 'KES': 2}", None),
        ("{'PUJA': 1, 'ASTROLOGY': 2}", None),
        ("{'packed': 1, 'delivered': 2}", {"confirmed", "out_for_delivery", "cancelled"}),
        ("{'KES': 1}", None),
    ],
)
def test_a_hole_would_be_found(text: str, missing: set[str] | None) -> None:
    module = ModuleType("tried")
    exec("from payfirst.domain import moves\nfrom payfirst.domain.session import Kind", vars(module))  # noqa: S102 - our own text
    found = [each for _, _, each in maps(module, ast.parse(text))]
    assert found == ([] if missing is None else [missing])
