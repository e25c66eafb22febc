"""Files of tests that share something run in one process of pytest-xdist; each other file is by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.sharing import TOGETHER, scope_of

ROOT: Final = Path(__file__).parents[2]


@pytest.mark.parametrize("pattern", TOGETHER)
def test_files_that_share_something_are_there_and_stay_together(pattern: str) -> None:
    files = [str(path.relative_to(ROOT)) for path in ROOT.glob(pattern)]
    assert len(files) > 1
    assert {scope_of(f"{file}::test_anything[with :: in it]") for file in files} == {pattern}


def test_any_other_file_is_by_itself() -> None:
    assert scope_of("tests/unit/test_sharing.py::test_any[1]") == "tests/unit/test_sharing.py"
