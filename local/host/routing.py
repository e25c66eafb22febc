"""Which method of which resource of a REST API a request takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from local.host.application import ANY_METHOD, Route

VARIABLE: Final = re.compile(r"\{(\w+)(\+?)\}")
STATIC, PARAMETER, GREEDY = range(3)


@dataclass(frozen=True, slots=True)
class Match:
    """The route taken and the values of its path variables, as they were sent."""

    route: Route
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    route: Route
    pattern: re.Pattern[str]
    rank: tuple[int, ...]


class Router:
    """The most static resource that serves the method, from the left, greedy ones last; a method before ANY.

    A slash at the end makes no difference, and a resource without the method leaves the request to the next one that has it.
    """

    def __init__(self, routes: tuple[Route, ...]) -> None:
        candidates = [_candidate(route) for route in routes]
        self._candidates = sorted(candidates, key=lambda one: (one.rank, one.route.method == ANY_METHOD))

    def match(self, method: str, path: str) -> Match | None:
        """The route for a path; None where API Gateway answers "Missing Authentication Token" by itself."""
        bare = path.rstrip("/") or "/"
        for candidate in self._candidates:
            if candidate.route.method in (method, ANY_METHOD):
                found = candidate.pattern.fullmatch(bare)
                if found is not None:
                    return Match(candidate.route, found.groupdict())
        return None


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
    return _Candidate(route, re.compile(pattern), (1 if GREEDY in rank else 0, *rank))
