"""Ports that cannot be are told in one sentence before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.run import main


@pytest.mark.parametrize(
    ("environment", "arguments", "said"),
    [
        ({"PORT": "70000"}, [], "PORT must be a port from 1 to 65535, not 70000."),
        ({"PORT": "0"}, [], "PORT must be a port from 1 to 65535, not 0."),
        ({"SIMULATOR_PORT": "-1"}, [], "SIMULATOR_PORT must be a port from 1 to 65535, not -1."),
        ({"AWS_PORT": "eight"}, [], "AWS_PORT must be a whole number."),
        ({"PORT": "8010", "SIMULATOR_PORT": "8010"}, [], "PORT and SIMULATOR_PORT are both 8010: give each a port of its own."),
        ({"SIMULATOR_PORT": "8011", "AWS_PORT": "8011"}, [], "SIMULATOR_PORT and AWS_PORT are both 8011"),
        ({"PORT": "8001"}, [], "PORT and SIMULATOR_PORT are both 8001"),
        ({}, ["--port", "65536"], "PORT must be a port from 1 to 65535, not 65536."),
    ],
)
def test_a_port_that_cannot_be_is_told_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: dict[str, str],
    arguments: list[str],
    said: str,
) -> None:
    for name in ("PORT", "SIMULATOR_PORT", "AWS_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["--home", str(tmp_path), "--env-file", str(tmp_path / "none"), *arguments]) == 1
    told = capsys.readouterr()
    assert said in told.out + told.err
    assert (told.out + told.err).count("\n") == 1
