"""Which route of an HTTP API a request takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from local.host.application import ANY_METHOD, DEFAULT_ROUTE, Route

VARIABLE: Final = re.compile(r"\{(\w+)(\+?)\}")
STATIC, PARAMETER, GREEDY = range(3)


@dataclass(frozen=True, slots=True)
class Match:
    """The route taken and the values of its path variables."""

    route: Route
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    route: Route
    pattern: re.Pattern[str]
    rank: tuple[int, ...]


class Router:
    """Full matches before greedy ones before `$default`; among full ones the most static, from the left; a method before ANY.

    A slash at the end makes another path, as in API Gateway, and a variable never matches an empty segment.
    """

    def __init__(self, routes: tuple[Route, ...]) -> None:
        candidates = [_candidate(route) for route in routes if route.path != DEFAULT_ROUTE]
        self._default = next((route for route in routes if route.path == DEFAULT_ROUTE), None)
        self._static: dict[str, list[_Candidate]] = {}
        self._patterns: list[_Candidate] = []
        for candidate in sorted(candidates, key=lambda one: (one.rank, one.route.method == ANY_METHOD)):
            if any(candidate.rank):
                self._patterns.append(candidate)
            else:
                self._static.setdefault(candidate.route.path, []).append(candidate)

    def match(self, method: str, path: str) -> Match | None:
        """The route for a decoded path; None where API Gateway itself answers 404."""
        for candidate in self._static.get(path, []):
            if candidate.route.method in (method, ANY_METHOD):
                return Match(candidate.route, {})
        for candidate in self._patterns:
            if candidate.route.method in (method, ANY_METHOD):
                found = candidate.pattern.fullmatch(path)
                if found is not None:
                    return Match(candidate.route, found.groupdict())
        return Match(self._default, {}) if self._default is not None else None


def _candidate(route: Route) -> _Candidate:
    pattern, rank = "", []
    for segment in route.path.split("/")[1:]:
        variable = VARIABLE.fullmatch(segment)
        if variable is None:
            pattern += "/" + re.escape(segment)
            rank.append(STATIC)
        else:
            name, greedy = variable.groups()
            pattern += f"/(?P<{name}>.+)" if greedy else f"/(?P<{name}>[^/]+)"
            rank.append(GREEDY if greedy else PARAMETER)
    greedy_last = 1 if GREEDY in rank else 0
    return _Candidate(route, re.compile(pattern), (greedy_last, *rank))
