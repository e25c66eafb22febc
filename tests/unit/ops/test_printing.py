"""What a terminal shows of texts that came from outside, and that nothing is printed past the one place that knows how."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ops import printing
from ops.printing import hand_over_rows, safe_cell, visible

OPS = Path(printing.__file__).parent


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("[/bold] Jane", "[/bold] Jane"),
        ("[link=https://example.com]Jane[/link] :smile:", "[link=https://example.com]Jane[/link] :smile:"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b2J", "\\x9b2J"),
        ("a\nb\r\nc\td\x00", "a\\nb\\r\\nc\\td\\x00"),
        ("abc\u202edef\u2066", "abc\\u202edef\\u2066"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("John\u00a0Doe\u202fJr", "John Doe Jr"),
        ("a\u2028b", "a\\u2028b"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("שלום नमस्ते 🙏 é", "שלום नमस्ते 🙏 é"),
        ("C:\\new", "C:\\new"),
    ],
)
def test_a_terminal_reads_nothing_into_a_text(given: str, shown: str) -> None:
    assert visible(given) == shown
    assert visible(given).isprintable()


@pytest.mark.parametrize("columns", ["40", "80", None])
def test_a_table_shows_the_whole_of_every_text(
    columns: str | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    long = "".join(chr(0x4E00 + number % 5000) if number % 3 else "[/b]" for number in range(4000))

    printing.show_table(("What", "Who"), [("order", long), ("[link=x]", "\x1b[2J")], title="[/] title")

    told = capsys.readouterr().out
    shown = "".join(each for each in told if each not in " \n│┃┏━┳┓┡╇┩└┴┘─")
    assert long in shown.replace("order", "")
    assert "[link=x]" in told
    assert "\\x1b[2J" in told
    assert "\x1b[2J" not in told


def test_a_complaint_is_one_line_for_each_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    printing.complain("[/red] \x1b[2J " + "x" * 500 + "\nand [bold]this[/bold]")
    assert capsys.readouterr().err == "[/red] \\x1b[2J " + "x" * 500 + "\nand [bold]this[/bold]\n"


DRAWN: Final = {"Bar", "Column"}
"""What a module may say about a table without printing it."""


def printers(tree: ast.AST) -> Iterator[str]:
    """What a module uses that prints by itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "rich":
            yield from (each.name for each in node.names if each.name not in DRAWN)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.rsplit(".", 1)[-1] in {"print", "echo", "secho"} or called.endswith(("stdout.write", "stderr.write")):
                yield called


@pytest.mark.parametrize("module", sorted(OPS.glob("*.py")), ids=lambda path: path.stem)
def test_only_one_module_prints(module: Path) -> None:
    found = list(printers(ast.parse(module.read_text(encoding="utf-8"))))
    assert bool(found) == (module.name == "printing.py"), f"{module.name} prints by itself: {found}"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("=1+1", "'=1+1"),
        (" =HYPERLINK(1)", "' =HYPERLINK(1)"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+254712345678", "'+254712345678"),
        ("-cmd|x", "'-cmd|x"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\u3000\uff20SUM(A1)", "' \uff20SUM(A1)"),
        ("-0.50", "-0.50"),
        ("12.00", "12.00"),
        ("Amina", "Amina"),
        ("\t=1", "\\t=1"),
        ("a\nb", "a\\nb"),
    ],
)
def test_no_cell_is_taken_for_a_formula_and_each_row_is_one_line(given: str, shown: str) -> None:
    assert safe_cell(given) == shown


def test_rows_are_written_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    hand_over_rows(("who", "amount"), [[("=A", "1.00")], [], [('B "b", c', "-2.00")]], parts=3)

    assert capsys.readouterr().out == 'who,amount\n\'=A,1.00\n"B ""b"", c",-2.00\n'
