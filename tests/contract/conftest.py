"""Other settings: sessions that end almost at once, and a stack that allows little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from _pytest.nodeid import coerce_node_id

from tests.conftest import PooledStack, RunningStack, SecondFront, SettingsBeside

API_PREFIX: Final = "/_aws/execute-api/"
"""What the address of a stack deployed to MiniStack has in it."""

SHORT: Final = {"SESSION_TTL_SECONDS": "2"}
NARROW: Final = {
    "SESSIONS_PER_USER_HOUR": "2",
    "PROMPTS_PER_USER_HOUR": "2",
    "PROMPTS_PER_PHONE_HOUR": "2",
    "DELIVERY_FEES": "1=50.00",
}


def _scope(fixture_name: str, config: pytest.Config) -> Any:  # noqa: ARG001 - pytest calls it by these names
    return "function" if config.getoption("deployed") else "session"


@pytest.fixture(scope=_scope)
def short_lived_stack(
    request: pytest.FixtureRequest, stack_with: SettingsBeside
) -> Iterator[RunningStack | PooledStack | SecondFront]:
    """A stack in which a session lasts two seconds."""
    if request.config.getoption("deployed"):
        stack: PooledStack = request.getfixturevalue("deployed")
        with stack.settings_of("CreateSessionFunction", **SHORT):
            yield stack
        return
    with stack_with(**SHORT) as other:
        yield other


@pytest.fixture(scope="module")
def narrow(
    request: pytest.FixtureRequest, stack_with: SettingsBeside, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStack | PooledStack | SecondFront]:
    """A stack that allows little and delivers to one county."""
    if request.config.getoption("deployed"):
        parameters = {name.title().replace("_", ""): value for name, value in NARROW.items()}
        with PooledStack(state_dir=tmp_path_factory.mktemp("narrow"), parameters=parameters) as deployed:
            yield deployed
        return
    with stack_with(**NARROW) as other:
        yield other


NOT_IN_THE_EMULATOR: Final = {
    "test_a_fixed_word_in_disguise_is_404_whatever_the_method": (
        "MiniStack decodes a path and drops its double slashes before it looks for the route"
    ),
}
"""What a deployed stack cannot show here and why, by test: the emulator's own ways, none of the service."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tell schemathesis' tests apart by their operations, and skip what only the emulator answers otherwise."""
    for item in items:
        if item.parent is not None and not item.nodeid.endswith(f"::{item.name}"):
            # Of tests with one id xdist would run one.
            item._id = coerce_node_id(f"{item.parent.nodeid}::{item.name}")  # noqa: SLF001 - pytest 9.2 leaves no other way
    file = config.getoption("against")
    if not config.getoption("deployed") and not (file and API_PREFIX in file.read_text(encoding="utf-8")):
        return
    for item in items:
        reason = NOT_IN_THE_EMULATOR.get(getattr(item, "originalname", item.name))
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
