"""`local/prepare.py` makes environments in its own checkout, and nowhere else."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def prepare(tmp_path: Path) -> Any:
    """The module as a checkout of its own has it, whose installer is there already."""
    checkout = tmp_path / "checkout"
    (checkout / "local").mkdir(parents=True)
    shutil.copytree(ROOT / "locks", checkout / "locks")
    file = shutil.copy(ROOT / "local/prepare.py", checkout / "local")
    spec = importlib.util.spec_from_file_location("prepare_of_a_checkout", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.INSTALLER.directory.mkdir(parents=True)
    module.INSTALLER.stamp.write_text(module.INSTALLER.fingerprint())
    return module


@pytest.mark.parametrize(("name", "linked"), [("venv", ".venv"), ("aws", ".tools/aws")])
def test_an_environment_that_is_a_link_is_refused_and_what_it_leads_to_survives(
    prepare: Any, tmp_path: Path, name: str, linked: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for kept in ("mine.txt", ".prepared", ".own-prepared"):
        (elsewhere / kept).write_text("kept")
    (prepare.ROOT / linked).symlink_to(elsewhere)

    with pytest.raises(prepare.PreparationError, match=f"{linked} leads to {elsewhere}, .* remove the link"):
        prepare.prepare([name])

    assert sorted(path.name for path in elsewhere.iterdir()) == [".own-prepared", ".prepared", "mine.txt"]
    assert {path.read_text() for path in elsewhere.iterdir()} == {"kept"}


def test_a_link_to_a_folder_that_is_ready_is_left_as_it_is(prepare: Any, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = prepare.PYTHON_PACKAGES["aws"]
    environment.directory.symlink_to(elsewhere)
    environment.stamp.write_text(environment.fingerprint())

    prepare.prepare(["aws"])

    assert [path.name for path in elsewhere.iterdir()] == [".prepared"]
