"""The documents' exchanges as data: what is sent, what must come back, and what stands for something made before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

DOCUMENTS: Final = Path(__file__).parent / "documents"

_NAMED: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its answer, as a document prints them; the keys are explained in payment_sessions.yaml."""

    name: str
    stands: str
    method: str
    path: str
    body: Any
    status: int
    answer: Any
    sends: Mapping[str, str]
    patterns: Mapping[str, str]
    decided: Mapping[str, Any]

    def path_with(self, known: Mapping[str, Any]) -> str:
        """The path to call, its `{names}` replaced by what earlier exchanges made; KeyError when one is not known."""
        return _NAMED.sub(lambda found: str(known[found[1]]), self.path)

    def body_with(self, known: Mapping[str, Any]) -> Any:
        """The body to send, or None: the printed one with its references to earlier exchanges replaced."""
        body = _filled(deepcopy(self.body), known)
        for key, name in self.sends.items():
            body[key] = known[name]
        return body

    def expected(self) -> Any:
        """The answer to demand: the printed one, with the contract's word where it differs."""
        answer = deepcopy(self.answer)
        for path, value in self.decided.items():
            *outer, last = path.split(".")
            place = answer
            for key in outer:
                place = place[key]
            if last not in place:
                raise KeyError(f"{self.name} does not print {path}")
            place[last] = value
        return answer


def _filled(body: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(body, dict):
        return {key: _filled(value, known) for key, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, known) for value in body]
    if isinstance(body, str) and (whole := _NAMED.fullmatch(body)):
        return known[whole[1]]
    return body


@cache
def document(name: str) -> Mapping[str, Exchange]:
    """The exchanges of `documents/{name}.yaml` by name, in the order of the document."""
    loaded = yaml.safe_load((DOCUMENTS / f"{name}.yaml").read_text(encoding="utf-8"))
    exchanges = [
        Exchange(
            name=entry.pop("name"),
            stands=entry.pop("stands"),
            method=entry.pop("method"),
            path=entry.pop("path"),
            body=entry.pop("body", None),
            status=entry.pop("status"),
            answer=entry.pop("answer"),
            sends=entry.pop("sends", {}),
            patterns=entry.pop("patterns", {}),
            decided=entry.pop("decided", {}),
        )
        for entry in (dict(entry) for entry in loaded["exchanges"])
    ]
    return {exchange.name: exchange for exchange in exchanges}
