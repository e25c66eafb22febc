"""Which files of tests stay in one process of pytest-xdist, because what they share takes longer to start than they run."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

TOGETHER: Final = {
    "tests/contract/test_document_*.py": "one stack walks both documents",
    "tests/unit/aws/test_*.py": "moto, and its model of each service, is imported once",
}
"""Files, and what they share."""


def scope_of(node_id: str) -> str:
    """The name of what a test stays together with: its file, or one of those above."""
    file = node_id.partition("::")[0]
    return next((pattern for pattern in TOGETHER if fnmatch(file, pattern)), file)


class _Sharing(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """For `--dist loadfile`: the same, with those files taken for one."""
    return _Sharing(config, log) if config.getoption("dist") == "loadfile" else None
