"""What is typed wrong is told in one line and ends with 2; what is asked for by `--help` reads well."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from typer.testing import CliRunner

from ops import words
from ops.main import app
from payfirst.domain.money import Currency, Money

WIDE = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}


command_of = cache(typer.main.get_command)
"""What typer makes of all commands and their parameters takes longer than most of these runs of one."""


@pytest.fixture(autouse=True)
def made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner takes the commands that are made already."""
    monkeypatch.setattr("typer.testing._get_command", command_of)


def run(*typed: str) -> Any:
    return CliRunner().invoke(app, list(typed), env=WIDE)


@pytest.mark.parametrize(
    "typed",
    [
        ("orders", "pack", "123"),
        ("orders", "dispatch", "BK-449034CB"),
        ("orders", "deliver", "ORD-2026-1"),
        ("orders", "undo", "ORD-2026-1", "packed"),
        ("orders", "cancel", "order seven", "--why", "rain"),
        ("orders", "cancel", "ORD-20260720-001", "--why", "  "),
        ("orders", "cancel", "ORD-20260720-001", "--why", "x" * 501),
        ("orders", "cancel", "ORD-20260720-001", "--why", "a\nb"),
        ("orders", "list", "--day", "31.12.2026"),
        ("orders", "list", "--day", "2026-02-31"),
        ("orders", "list", "--day", "0001-01-05"),
        ("funnel", "--since", "yesterday"),
        ("funnel", "--since", "0h"),
        ("funnel", "--since", "9999d"),
        ("bookings", "complete", "BK-449034CB", "ORD-20260720-001"),
        ("catalogue", "set-stock", "tomatoes", "1"),
        ("catalogue", "set-stock", "123", "many"),
        ("catalogue", "set-stock", "123", "--", "-1"),
        ("catalogue", "set-stock", "123", "NaN"),
        ("catalogue", "set-stock", "123", "0.0001"),
        ("catalogue", "set-stock", "123", "1e30"),
        ("catalogue", "set-stock", "123", "1e400"),
        ("catalogue", "set-stock", "123", "9" * 60),
        ("catalogue", "set-stock", "123", "--", "-0"),
        ("show", "nonsense"),
        ("show", "123"),
        ("refund", "TXN46B5EE6E7D", "--why", "kind"),
        ("refund", "MT7a8b9c0d1e2f3", "--why", ""),
        ("resolve", "BK-449034CB", "--why", "seen"),
        ("refund", "MT7a8b9c0d1e2f3", "--why", "\u200b\u202e"),
        ("refund", "MT7a8b9c0d1e2f3", "--why", "kind", "--by", "\u00a0"),
        ("resolve", "MT7a8b9c0d1e2f3", "--why", "kind", "--by", "x" * 101),
        ("resolve", "MT7a8b9c0d1e2f3", "--why", "kind", "--receipt", "\x1b[2J"),
        ("orders", "pack", "ORD-20260720-001", "--by", "a\x1b[31m"),
        ("orders", "cancel", "ORD-20260720-001", "--why", "rain", "--by", " "),
        ("bookings", "complete", "BK-449034CB", "--by", "\u2060"),
        ("erase", "somebody", "--why", "asked", "--by", "a\nb"),
        ("orders", "list", "--stack-name", "\udcff"),
        ("catalogue", "set-stock", "900", "5", "--stack-name", "shop\udcff"),
        ("erase", "somebody", "--why", "\u2800"),
    ],
    ids=" ".join,
)
def test_what_is_typed_wrong_is_told_in_one_line_before_anything_is_asked(typed: tuple[str, ...], tmp_path: Path) -> None:
    """No stack runs in `tmp_path`: whoever asked it first would hear that."""
    cut = typed.index("--") if "--" in typed else len(typed)
    done = run(*typed[:cut], "--home", str(tmp_path), *typed[cut:])
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert "stack" not in done.stderr


@pytest.mark.parametrize(
    "typed",
    [
        ("orders", "lst"),
        ("orders", "list", "--days", "0"),
        ("orders", "list", "--status", "lost"),
        ("orders", "pack"),
        ("funnel", "--kind", "meals"),
        ("catalogue", "import", "no-such-file.yaml"),
        ("tick", "everything"),
        ("token", "--user-id", "0"),
        ("token", "--user-id", "seven"),
        ("nonsense",),
        ("--nonsense",),
    ],
    ids=" ".join,
)
def test_a_word_that_there_is_not_ends_with_2_and_points_to_the_help(typed: tuple[str, ...]) -> None:
    done = run(*typed)
    assert done.exit_code == 2, done.output
    assert "Usage: payfirst" in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    "given", ["1e2", "1_0", "+5", "\u0663", "\uff11", "-0", "5.", ".5", "1e400", "9" * 13, "9" * 5000, "0x1", "1,5"]
)
def test_a_number_of_operators_has_the_one_form_of_catalogues(given: str) -> None:
    with pytest.raises(words.WrongInputError):
        words.quantity(given)
    with pytest.raises(words.WrongInputError):
        words.amount(given, Currency.INR)


@pytest.mark.parametrize("given", ["0", "-5", "NaN", "Infinity", "1.005", "ten", "", "1e400000"])
def test_an_amount_is_above_zero_with_two_decimal_places(given: str) -> None:
    with pytest.raises(words.WrongInputError):
        words.amount(given, Currency.INR)


@pytest.mark.parametrize("given", ["9999-12-31", "0001-01-05", "1999-12-31", "2027-04-07", "20260302", "2026-W10-1"])
def test_a_day_is_one_with_which_can_be_reckoned(given: str) -> None:
    now = datetime(2026, 3, 2, 8, tzinfo=UTC)
    with pytest.raises(words.WrongInputError):
        words.day(given, now)
    assert words.day("2027-04-06", now).year == 2027


def test_words_are_read_as_they_are_meant() -> None:
    assert words.amount("100.5", Currency.INR) == Money(10050, Currency.INR)
    assert words.quantity("2.5") == Decimal("2.5")
    assert (words.time_back("24h"), words.time_back("7d")) == (timedelta(hours=24), timedelta(days=7))
    assert words.order_code(" ORD-20260720-1001 ") == "ORD-20260720-1001"
    assert words.any_id("RMT7a8b9c0d1e2f3-2").code == "MT7a8b9c0d1e2f3"
    assert words.reason("  The van broke down. ") == "The van broke down."


def every_command(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and every group of commands."""
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from every_command(command, (*path, name))


COMMANDS = list(every_command(command_of(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_level_explains_itself(path: tuple[str, ...]) -> None:
    done = run(*path, "--help")
    assert done.exit_code == 0
    assert f"Usage: payfirst {' '.join(path)}".strip() in done.stdout


def _texts() -> Iterator[tuple[str, ...]]:
    """Each command with each of its options that take any text."""
    for path in COMMANDS:
        command: Any = command_of(app)
        for name in path:
            command = command.commands[name]
        for option in command.params:
            if option.param_type_name == "option" and option.type_descriptor.annotation is str and not option.prompt:
                yield *path, option.opts[0]


@pytest.mark.parametrize("typed", list(_texts()), ids=" ".join)
def test_an_empty_value_is_a_mistake_and_never_all_or_the_default(typed: tuple[str, ...]) -> None:
    *path, option = typed
    for empty in ([f"{option}="], [option, ""]):
        done = run(*path, *empty)
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"'{option}': '' is no value" in " ".join(done.stderr.replace("│", " ").split())


def test_every_command_is_told_in_one_line() -> None:
    narrow = CliRunner().invoke(app, ["--help"], env={**WIDE, "COLUMNS": "80"}).stdout
    _, _, commands = narrow.partition("\N{BOX DRAWINGS LIGHT ARC UP AND RIGHT}")  # after the options
    told = [line for line in commands.splitlines() if line.startswith("\N{BOX DRAWINGS LIGHT VERTICAL} ")]
    assert not [line for line in told if line[2] == " "], narrow


def test_every_command_that_reaches_the_table_takes_a_deployed_stack_by_its_name() -> None:
    told = {path: run(*path, "--help").stdout for path in COMMANDS}
    reach_a_stack = {path for path, said in told.items() if "--home" in said}
    by_name = {path for path, said in told.items() if "--stack-name" in said and path}
    assert reach_a_stack - by_name == set()


ACT: Final = {
    *("export orders", "export bookings", "export payments", "export refunds"),
    *("orders pack", "orders dispatch", "orders deliver", "orders undo", "orders cancel", "bookings complete"),
    *("bookings index", "catalogue add-stock", "orders slip"),
    *("catalogue import", "catalogue set-stock", "seed", "backup export", "backup restore"),
    *("resolve", "replay", "erase", "token", "credentials set", "credentials rotate", "openapi", "events"),
}
"""Commands that act, whose exit code a script reads; a slip, which is for paper (`orders show` is its JSON); files of CSV."""


def test_every_command_that_shows_something_shows_it_as_json_too() -> None:
    ends = [path for path in COMMANDS if not any(other != path and other[: len(path)] == path for other in COMMANDS)]
    silent = {" ".join(path) for path in ends if "--json" not in run(*path, "--help").stdout}
    assert silent <= ACT, "a command that shows something takes --json"


def test_the_release_is_told_and_a_shell_is_helped_to_complete_words() -> None:
    assert re.fullmatch(r"payfirst \d+\.\d+\.\d+\n", run("--version").stdout)
    told = CliRunner().invoke(
        app,
        [],
        prog_name="payfirst",
        env={**WIDE, "_PAYFIRST_COMPLETE": "complete_bash", "COMP_WORDS": "payfirst orders pa", "COMP_CWORD": "2"},
    )
    assert told.stdout.split() == ["pack"]


def test_an_estimate_is_numbers_for_a_script() -> None:
    told = json.loads(run("cost", "--orders", "2", "--json").stdout)
    assert {"2,000 orders", "standing, whoever buys, watched in small"} == told["parts"].keys()
    lines = [Decimal(line["usd"]) for part in told["parts"].values() for line in part]
    assert sum(lines) == pytest.approx(Decimal(told["month"]), abs=Decimal("0.01"))
