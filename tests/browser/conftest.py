"""A browser for the tests of one file, and visitors whose pages must not go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import running_browser
from tests.browser.desk import keep_token
from tests.browser.visit import NARROW, Visit, visit
from tests.conftest import AnyStack, RunningStack, chosen_stack
from tests.contract.walk import Customer
from tests.issuer import TokenIssuer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Visitors = Callable[..., Visit]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only `make browser-test` looks at."""
    if not config.getoption("all_pages"):
        longer = [item for item in items if item.get_closest_marker("all_pages")]
        items[:] = [item for item in items if item not in longer]
        config.hook.pytest_deselected(items=longer)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, issuer: TokenIssuer) -> Iterator[AnyStack]:
    """A stack for the pages alone: nothing that other tests sell stands on its shelves."""
    yield from chosen_stack(request, issuer)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; it ends with the file, since other tests want a thread without an event loop."""
    with running_browser() as running:
        yield running


@pytest.fixture
def visitors(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visitors]:
    """Opens visitors of `base_url`; at the end nothing may have gone wrong on any page of theirs."""
    pictures: Path | None = request.config.getoption("pictures")
    opened: list[Visit] = []
    with ExitStack() as open_contexts:

        def open_one(base_url: str, *, width: int = NARROW, **options: Any) -> Visit:
            context, visiting = visit(browser, base_url, width=width, pictures=pictures, **options)
            open_contexts.callback(context.close)
            opened.append(visiting)
            return visiting

        yield open_one
        for each in opened:
            assert not each.problems(), "\n".join(each.problems())


@pytest.fixture
def visitor(visitors: Visitors, stack: RunningStack) -> Visit:
    """One visitor of the stack with a telephone."""
    return visitors(stack.base_url)


@pytest.fixture
def page(visitor: Visit) -> Page:
    """That visitor's page."""
    return visitor.page


@pytest.fixture
def operator(stack: RunningStack) -> Customer:
    """One of the shop's own people, as the API knows her."""
    claims: dict[str, Any] = {"cognito:groups": ["operators"]}
    return Customer(stack.base_url, stack.token(email="amina@example.com", **claims))


@pytest.fixture
def desk(visitor: Visit, operator: Customer) -> Page:
    """Her page, on a telephone."""
    assert operator.token
    keep_token(visitor, operator.token)
    return visitor.page
