"""The rights that functions need, as every run of the tests notes them, held against `rights.json`.

Workers of the local host note what their calls need (`tests.recording`); so does each process of the tests, for the use
cases that it calls itself (`tests.entries`).

A right that is needed and not in the file fails the run. One in the file that nothing needed fails a run of all tests; a run of
some cannot tell. `tests/stack/test_rights.py` holds the roles of the template to the file.

    PAYFIRST_RUNTIME_RECORDS=FOLDER pytest; python -m tests.recorded_rights FOLDER      writes the file anew
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from local.host.environment import RUNTIME
from tests import tools
from tests.entries import entries, serving
from tests.recording import NAMED_BY, RECORDS, rights_of, told_of_calls, variable_of

FILE: Final = Path(__file__).with_name("rights.json")
WITHOUT_THE_SHORT_FORM: Final = "not short_form"
"""What `make test` leaves out besides the long tests, since `make faults` does the same."""
TOKENS: Final = "GATEWAY_TOKENS_TABLE_NAME"
Rights = dict[str, set[str]]
"""Of each function: `ACTION on VARIABLE`, where the variable names the resource."""

_MADE: Final = pytest.StashKey[Path]()
_OWN: Final = pytest.StashKey[Callable[[], None]]()
_FAULTS: Final = pytest.StashKey[list[str]]()


def recorded(folder: Path) -> Rights:
    """What the workers of one run have noted in `folder`."""
    rights: Rights = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            noted = json.loads(line)
            rights.setdefault(noted["function"], set()).add(f"{noted['action']} on {noted['resource']}")
    return rights


def agreed() -> Rights:
    """What `rights.json` says."""
    return {function: set(rights) for function, rights in json.loads(FILE.read_text(encoding="utf-8")).items()}


def compare(needed: Rights, kept: Rights, *, complete: bool) -> list[str]:
    """One sentence for each right by which a run differs from the file."""
    found = []
    for function in sorted(needed.keys() | kept.keys()):
        missing = needed.get(function, set()) - kept.get(function, set())
        found += [f"{function} needed {right}, which rights.json does not hold" for right in sorted(missing)]
        idle = kept.get(function, set()) - needed.get(function, set()) if complete else set()
        found += [f"{function} never needed {right}, which rights.json holds" for right in sorted(idle)]
    return found


class OwnCalls:
    """Notes what the use cases that this process calls need, once for each function that calls them too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[tuple[str, str, str]] = set()

    def __call__(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        functions = serving(sys._getframe(1), entries())  # noqa: SLF001 - the way to see who calls
        if not functions:
            return
        for action, name, more in rights_of(service, operation, params):
            # Tables and queues of tests have names of their own; a secret is named as in a function, or not at all.
            known = TOKENS if name.endswith("-gateway-tokens") else NAMED_BY.get(action.split(":", 1)[0])
            resource = (known or variable_of(action, name, os.environ)) + more
            for function in functions:
                if (function, action, resource) not in self._known:
                    self._known.add((function, action, resource))
                    with self._path.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({"function": function, "action": action, "resource": resource}) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Let every worker of this run take notes; processes of pytest-xdist inherit the folder."""
    if RECORDS not in os.environ:
        os.environ[RECORDS] = tempfile.mkdtemp(prefix="payfirst-records-")
        config.stash[_MADE] = Path(os.environ[RECORDS])
    os.environ[RUNTIME] = "tests.recording"
    config.stash[_OWN] = told_of_calls(OwnCalls(Path(os.environ[RECORDS]) / f"tests-{os.getpid()}.jsonl"))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Compare, in the process that started the run; after a failure nothing is missed, for what needs it may not have run.

    `make test` leaves out the long tests and is taken for complete: no right is needed by them alone.
    """
    config = session.config
    if hasattr(config, "workerinput"):
        return
    chosen = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or any(
        config.getoption(name, default=None) for name in ("keyword", "lf", "deselect", "maxfail", "collectonly")
    )
    chosen = chosen or config.getoption("markexpr", default="") not in {"", WITHOUT_THE_SHORT_FORM}
    complete = exitstatus == pytest.ExitCode.OK and not chosen and tools.all_prepared()
    faults = compare(recorded(Path(os.environ[RECORDS])), agreed(), complete=complete)
    config.stash[_FAULTS] = faults
    if faults and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def summarize(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say by which rights this run differs."""
    faults = config.stash.get(_FAULTS, [])
    if faults:
        terminalreporter.section("rights of functions", red=True)
        for fault in faults:
            terminalreporter.line(fault, red=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take no more notes, and remove them unless somebody asked for them."""
    config.stash[_OWN]()
    made = config.stash.get(_MADE, None)
    if made is not None:
        del os.environ[RECORDS], os.environ[RUNTIME]
        shutil.rmtree(made)


if __name__ == "__main__":
    text = json.dumps({name: sorted(rights) for name, rights in sorted(recorded(Path(sys.argv[1])).items())}, indent=2)
    FILE.write_text(text + "\n", encoding="utf-8")
