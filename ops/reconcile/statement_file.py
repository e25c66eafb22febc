"""One exported file as its lines: text in whatever encoding, cells between whatever marks, below whatever heading.

A line that cannot be taken apart is passed over and named; the lines after it are read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from itertools import product
from pathlib import Path
from typing import Final

from payfirst.domain.days import EARLIEST
from payfirst.domain.money import Currency, Money
from payfirst.gateways.statements import CellError

MOST_LINES_ABOVE: Final = 30
"""Where a header may stand at the latest: portals write the organisation and the period above it."""

MARKS: Final = (",", ";", "\t", "|")
_NO_TEXT: Final = {
    b"PK\x03\x04": "an Excel workbook or another archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"%PDF": "a PDF",
}
_DAYS_FIRST: Final = ("%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%y", "%d/%m/%y", "%d.%m.%y")
_NAMED_MONTHS: Final = ("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %b %y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")
_DATES: Final = ("%Y-%m-%d", "%Y/%m/%d", *_DAYS_FIRST, *_NAMED_MONTHS)
_CLOCKS: Final = ("", "%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p")
_ZONE_NAMES: Final = re.compile(r"\s*(?:EAT|IST)$", re.IGNORECASE)
_AMOUNT: Final = re.compile(r"(?P<sign>[-+]?)(?P<digits>[0-9][0-9,.' ]*|\.[0-9]+)(?P<after>-?)")
_CURRENCY_MARKS: Final = re.compile(rf"(?:{'|'.join(Currency)}|KSHS?\.?|RS\.?|₹)", re.IGNORECASE)


class StatementError(Exception):
    """A file that cannot be read as a statement; the message names the file and says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line below a header, by the file and the line it begins at; cells by their columns' plain names."""

    file: str
    number: int
    cells: Mapping[str, str]

    @property
    def place(self) -> str:
        return f"{self.file}, line {self.number}"

    def text(self, *columns: str) -> str:
        """The first of the columns' cells that is not empty, without wrapping; empty where all of them are."""
        return next((text for text in (self.cells.get(column, "") for column in columns) if text), "")

    def named(self, shown: str, *columns: str) -> str:
        """Likewise, where something has to be there; `shown` is how people know the column."""
        text = self.text(*columns)
        if not text:
            raise CellError(f"column {shown}: it is empty.")
        return text

    def minor(self, currency: Currency, shown: str, *columns: str) -> int:
        """The amount in minor units, below zero with a minus or in brackets; 0 where there is none."""
        text = self.text(*columns)
        try:
            return Money.of(_amount(text), currency).minor
        except (InvalidOperation, OverflowError, ValueError) as error:
            raise CellError(f"column {shown}: {text!r} is no amount in {currency}.") from error

    def moment(self, zone: tzinfo, shown: str, *columns: str) -> datetime:
        """The instant, read by the clock of `zone` where it names none itself."""
        text = _ZONE_NAMES.sub("", self.named(shown, *columns))
        at = _instant(text)
        if at is None or not EARLIEST.year <= at.year < MAXYEAR:
            raise CellError(f"column {shown}: {text!r} is no time; 2024-01-15 10:30:45 or 15-01-2024 10:30:45 is expected.")
        return at if at.tzinfo else at.replace(tzinfo=zone)


def _amount(text: str) -> Decimal:
    if text in ("", "-", "--"):
        return Decimal(0)
    bare = _CURRENCY_MARKS.sub("", text.replace("\u2212", "-")).strip()
    bracketed = bare.startswith("(") and bare.endswith(")")
    found = _AMOUNT.fullmatch(re.sub(r"^([-+])\s+", r"\1", bare[1:-1].strip() if bracketed else bare))
    if found is None:
        raise InvalidOperation
    digits = re.sub(r"[' ]", "", found["digits"])
    if re.fullmatch(r"[0-9]+\.[0-9]{3}", digits):
        raise InvalidOperation  # thousands to some, thousandths to others
    if re.fullmatch(r"[0-9.]*,[0-9]{1,2}", digits):  # a decimal comma, as spreadsheets write it where semicolons part cells
        digits = digits.replace(".", "").replace(",", ".")
    below_zero = bracketed or found["sign"] == "-" or found["after"] == "-"
    return -Decimal(digits.replace(",", "")) if below_zero else Decimal(digits.replace(",", ""))


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for date, clock in product(_DATES, _CLOCKS):
        try:
            return datetime.strptime(text, f"{date} {clock}".strip())  # noqa: DTZ007 - the zone is the gateway's own
        except ValueError:
            continue
    return None


def plain(name: str) -> str:
    """A column's name without case, dots and blanks: `A/C No.` is `acno`."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


Known = Callable[[frozenset[str]], bool]


@dataclass(slots=True)
class Lines:
    """What a file holds: its rows, and a sentence for each line that could not be taken apart."""

    rows: list[Row] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def read_lines(path: Path, knows: Known) -> Lines | None:
    """The rows below every header whose columns `knows`; None for a file without one. StatementError for what is no text."""
    text = _text(path)
    for mark in MARKS:
        found = _below_headers(path.name, text, mark, knows)
        if found is not None:
            return found
    return None


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StatementError(f"{path} cannot be read: {error.strerror or error}.") from error
    for begin, what in _NO_TEXT.items():
        if raw.startswith(begin):
            raise StatementError(f"{path.name} is {what}: export the statement as CSV, or open it and save it as CSV.")
    if re.match(rb"\s*<", raw):
        raise StatementError(f"{path.name} is a web page or XML: export the statement as CSV.")
    if not raw.strip():
        raise StatementError(f"{path.name} is empty.")
    try:
        return raw.decode(_encoding(raw)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # any byte is a letter of it


def _encoding(raw: bytes) -> str:
    """By its byte order mark, else by where the zero bytes of ASCII letters are, else UTF-8 if it is; else Windows' own."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    zeros = [raw[at : 2000 + at : 2].count(0) for at in (0, 1)]
    if max(zeros) > len(raw[:2000]) // 4:
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _below_headers(file: str, text: str, mark: str, knows: Known) -> Lines | None:
    header: list[str] | None = None
    found = Lines()
    for number, cells in _records(text, mark):
        if header is None and number > MOST_LINES_ABOVE:
            return None
        if isinstance(cells, str):
            if header is not None:
                found.unread.append(f"{file}, line {number}: it is no CSV: {cells}.")
            continue
        clean = [_clean(cell) for cell in cells]
        names = [plain(cell) for cell in clean]
        if knows(frozenset(names)):
            header = names
        elif header is not None and sum(map(bool, clean)) > 1:
            if any(clean[len(header) :]):
                found.unread.append(f"{file}, line {number}: it has more cells than the header has columns.")
            else:
                found.rows.append(Row(file, number, dict(zip(header, clean, strict=False))))
    return found if header is not None else None


def _clean(cell: str) -> str:
    """A cell on one line and without what cannot be printed; spreadsheets put `'` or `="…"` around what is no number."""
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in cell).split())
    wrapped = re.fullmatch(r'="(.*)"', text)
    return wrapped[1] if wrapped else text.removeprefix("'")


def _records(text: str, mark: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each record with the line that it begins at: its cells, or why it is none. After a bad one the next line is read."""
    lines = io.StringIO(text, newline=None).readlines()
    begin = 0
    while begin < len(lines):
        reader = csv.reader(lines[begin:], delimiter=mark, strict=True, skipinitialspace=True)
        first = begin
        try:
            for cells in reader:
                yield first + 1, cells
                first = begin + reader.line_num
        except csv.Error as error:
            yield first + 1, str(error)
        begin = first + 1
