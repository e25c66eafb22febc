"""What an installation brings: the package `payfirst` and a command of that name, and nothing that others may be called too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "payfirst"


@pytest.mark.parametrize("name", ["ops", "local", "tests", "checks", "functions"])
def test_no_folder_of_the_project_is_installed_as_a_package(tmp_path: Path, name: str) -> None:
    asked = f"import importlib.util; print(importlib.util.find_spec({name!r}))"
    found = subprocess.run([sys.executable, "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout == "None\n"


def test_the_command_works_in_any_folder_even_beside_a_package_called_ops(tmp_path: Path) -> None:
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "__init__.py").write_text("raise SystemExit('somebody else')")
    done = subprocess.run([COMMAND, "events", "--check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_is_called_payfirst_where_it_says_how_it_is_used(tmp_path: Path) -> None:
    done = subprocess.run([COMMAND, "no-such-command"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr.startswith("Usage: payfirst ")
