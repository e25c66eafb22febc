"""Every command that a page prints exists and takes those options; README's walks are run whole by tests/e2e/test_readme.py."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Any, Final

import pytest
import typer
from botocore import xform_name
from botocore.session import Session

from ops.main import app
from ops.rollout import app as rollout
from tests.unit.test_pages import PAGES, ROOT

CUSTOM: Final = {("logs", "tail"), ("sso", "login")}
"""Commands of the AWS command line that are no operation of an API; it brings them itself."""
OWN: Final = {"query", "output", "max-items", "region", "no-cli-pager", "follow", "since", "filter-pattern", "cli-input-json"}
"""Options that every command of the AWS command line takes, and those of the custom ones."""
PROGRAMS: Final = ("payfirst", "make", "aws", "pytest")


def commands(text: str) -> Iterator[str]:
    """What is to be typed, in blocks of code and inline, each command by itself, as a shell would cut it."""
    blocks = re.findall(r"^ *```(?:bash)?\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = [" ".join(words.split()) for words in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))]
    for line in [*lines, *inline]:
        if not any(program in line for program in PROGRAMS):
            continue
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        try:
            cut = list(words)
        except ValueError:
            continue  # a line of a longer text in quotes
        for is_sign, part in groupby(cut, lambda word: bool(re.fullmatch(r"[;|&()<>]+", word))):
            command = [word.removeprefix(".venv/bin/") for word in part]
            if not is_sign and command[0] in PROGRAMS and len(command) > 1:
                yield shlex.join(command)


PRINTED: Final = sorted({line for page in PAGES for line in commands(page.read_text(encoding="utf-8"))})


def taken(command: Any) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


def options(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if word.startswith("--")}


@cache
def command_of(program: typer.Typer) -> Any:
    """What typer makes of all its functions and their parameters, once."""
    return typer.main.get_command(program)


def check_payfirst(words: list[str]) -> None:
    command = command_of(app)
    known = taken(command) | {"--install-completion"}
    while words and words[0] in getattr(command, "commands", ()):
        command = command.commands[words.pop(0)]
        known |= taken(command)
    assert not words or not hasattr(command, "commands") or words[0].startswith("-") or words[0] == "…"
    assert options(words) <= known


@cache
def targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def check_make(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words if "=" in word)
    named = [word for word in words if "=" not in word]
    assert set(named) <= targets()
    assert given.keys() <= {"ENV", "ARGS", "FN", "PYTHON"}
    if named in (["deploy"], ["destroy"]):
        assert options(shlex.split(given.get("ARGS", ""))) <= taken(command_of(rollout).commands[named[0]])


@cache
def model_of(service: str) -> Any:
    return Session().get_service_model(service)


def check_aws(words: list[str]) -> None:
    service, operation = words[:2]
    if (service, operation) in CUSTOM:
        return
    model = model_of(service)
    by_name = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in by_name
    shape = model.operation_model(by_name[operation]).input_shape
    members = {xform_name(name, "-") for name in (shape.members if shape else ())}
    asked = {option.removeprefix("--").removeprefix("no-") for option in options(words)}
    assert asked <= members | OWN


def check_pytest(words: list[str]) -> None:
    paths = [word.partition("::")[0] for word in words if word.startswith("tests")]
    assert [path for path in paths if not (ROOT / path).exists()] == []
    declared = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    assert {option for option in options(words) if f'"{option}"' not in declared} <= {"--durations"}


CHECKS: Final = {"payfirst": check_payfirst, "make": check_make, "aws": check_aws, "pytest": check_pytest}


@pytest.mark.parametrize("line", PRINTED)
def test_a_printed_command_exists_and_takes_those_options(line: str) -> None:
    program, *words = shlex.split(line)
    CHECKS[program](words)


def test_the_pages_print_commands_of_each_program() -> None:
    assert {line.split()[0] for line in PRINTED} == CHECKS.keys()
    assert len(PRINTED) > 150
