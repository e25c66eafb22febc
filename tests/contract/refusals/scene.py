"""What recipes have at hand, and the table that they are written into."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from payfirst.api.routes import ROUTES, Route
from payfirst.storage.dynamodb.table import Table
from tests.conftest import RunningStack
from tests.contract.repeatable import Owner, new_operator, new_owner
from tests.contract.stack_table import table_of
from tests.contract.walk import Customer

UNKNOWN: Final = "712345678901234"
"""An id that nobody has."""

BY_OPERATION: Final[Mapping[str, Route]] = {route.operation: route for route in ROUTES}


@dataclass(frozen=True, slots=True)
class Answered:
    """A status and a body."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Scene:
    """A running stack, one whose limits are narrow, and what a throttled table made of a request to each operation."""

    stack: RunningStack
    narrow: RunningStack
    throttled: Mapping[str, Answered]

    @property
    def table(self) -> Table:
        """The running stack's table."""
        return table_of(self.stack)

    def owner(self) -> Owner:
        """A new customer."""
        return new_owner(self.stack)

    def caller(self, route: Route) -> Customer:
        """Somebody to whom the route exists."""
        return (new_operator(self.stack) if route.operators else new_owner(self.stack)).api


Recipe = Callable[[Scene, Route], requests.Response | Answered]
RECIPES: Final[dict[tuple[str, str], Recipe]] = {}
"""By operation and code."""


def brings(code: str, *operations: str) -> Callable[[Recipe], Recipe]:
    """The recipe brings `code` about at each of `operations`."""

    def written(recipe: Recipe) -> Recipe:
        for operation in operations:
            if (operation, code) in RECIPES:
                raise LookupError(f"{operation} has two recipes for {code}")
            if operation not in BY_OPERATION:
                raise LookupError(f"there is no operation {operation}")
            RECIPES[operation, code] = recipe
        return recipe

    return written


def path_of(route: Route, identifier: object = UNKNOWN) -> str:
    """The route's path with an id in it."""
    return re.sub(r"{\w+}", str(identifier), route.path)
