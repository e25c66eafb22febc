"""The one place that prints: every sentence, table and bar of `payfirst` leaves through here.

What came from outside (customers, gateways, files, the operator's own options) is data: no markup is read in it, and characters
that a terminal would obey, or that turn the order of a line round, are shown as their escapes.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from rich.bar import Bar
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table
from rich.text import Text

Cell = str | Bar

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_PIPED: Final = 1_000_000
"""A table that is no terminal's is as wide as its content: each row is one line for `grep`, and nothing is cut."""


def visible(text: str) -> str:
    """`text` with a blank for each blank that is not ASCII's, and an escape for what is neither blank nor printable.

    Controls (line breaks too), marks without width or with a direction, and halves of characters become `\\x1b`, `\\u202e`.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _shown(each) for each in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("ascii", "backslashreplace").decode() if ord(character) > 0x7F else repr(character)[1:-1]  # noqa: PLR2004


def say(*sentences: str) -> None:
    """Lines on standard output."""
    for sentence in sentences:
        print(visible(sentence), flush=True)


def complain(sentences: str) -> None:
    """Lines on standard error, in red."""
    for sentence in sentences.split("\n"):
        _console(stderr=True).print(Text(visible(sentence)), style="red")


def hand_over(text: str) -> None:
    """Text for another program (a token, JSON, YAML, a diff), as it is: its writer has escaped what has to be escaped."""
    print(text, flush=True)


def hand_over_json(value: object) -> None:
    """`value`, of which JSON knows every part, as one JSON document in ASCII: what a terminal would obey is an escape there."""
    hand_over(json.dumps(value, indent=2))


def show_table(columns: Sequence[str | Column], rows: Iterable[Sequence[Cell]], *, title: str | None = None) -> None:
    """A table on standard output; words that are longer than their column go on in the next line."""
    grid = Table(title=None if title is None else Text(visible(title), "italic"))
    for column in columns:
        kept = column if isinstance(column, Column) else Column(column)
        grid.add_column(
            kept.header, justify=kept.justify, no_wrap=kept.no_wrap, width=kept.width, min_width=kept.min_width, overflow="fold"
        )
    for row in rows:
        grid.add_row(*(Text(visible(cell)) if isinstance(cell, str) else cell for cell in row))
    _console().print(grid)


def hand_over_rows(columns: Sequence[str], parts_of_rows: Iterable[Iterable[Sequence[str]]], *, parts: int) -> None:
    """CSV on standard output as the rows come, one of `parts` after the other; a bar on a terminal that does not show them.

    No spreadsheet takes a cell for a formula (`safe_cell`).
    """
    seen = sys.stderr.isatty() and not sys.stdout.isatty()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    with Progress(console=_console(stderr=True), disable=not seen) as progress:
        for rows in progress.track(parts_of_rows, total=parts, description="Exporting"):
            writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    sys.stdout.flush()


def safe_cell(text: str) -> str:
    """`text` in one line, with an apostrophe before what a spreadsheet would take for a formula (OWASP, CSV injection).

    An amount below zero is a number and stays one.
    """
    shown = visible(text)
    begins = unicodedata.normalize("NFKC", shown).lstrip()[:1]  # wide forms of the signs count too
    return f"'{shown}" if begins in tuple("=+-@|%") and not _NUMBER.fullmatch(shown) else shown


def bar() -> Progress:
    """A bar on standard error for work that takes a while."""
    return Progress(console=_console(stderr=True))


def _console(*, stderr: bool = False) -> Console:
    narrow = (sys.stderr if stderr else sys.stdout).isatty() or "COLUMNS" in os.environ
    return Console(stderr=stderr, highlight=False, soft_wrap=stderr, width=None if narrow else _PIPED)
