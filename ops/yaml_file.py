"""One YAML file, read by the core schema of YAML 1.2 as far as people need it: mistakes have lines, and nothing is guessed.

Whole numbers have decimal digits only (`0170` is 170; `0x1F`, `1:30` and `1_000` are texts), only `true` and `false` are truth
values, days and instants are texts, and so is every key. PyYAML parses; what its events mean is said here, without recursion.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from yaml import events

LARGEST: Final = 32 * 1024 * 1024
DEEPEST: Final = 50
MOST_VALUES: Final = 2_000_000
"""Once aliases are written out: a few lines of them can stand for billions."""

Place = tuple[str | int, ...]
"""The names and positions that lead to a value."""

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH: Final = {**dict.fromkeys(("true", "True", "TRUE"), True), **dict.fromkeys(("false", "False", "FALSE"), False)}
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,30}")
_FRACTION: Final = re.compile(r"[-+]?(?:(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.(?i:inf))|\.(?i:nan)")
_TEXT_TAGS: Final = frozenset({"!", "tag:yaml.org,2002:str"})
_PARSER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C parser where PyYAML was built with it: thousands of listings take a second instead of ten."""


class Fraction(str):
    """A number with a fraction or an exponent that stands without quotes: as it was written, for it is exact only as a text."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in one line."""

    line: int
    what: str


class YamlError(Exception):
    """The file is no YAML that can be used; `mistakes` say why."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds (dictionaries, lists, texts, whole numbers, `Fraction`s, truth values, None), and its lines."""

    content: Any
    lines: Mapping[Place, int]

    def line(self, place: Sequence[str | int]) -> int:
        """The line of `place`, or of the nearest that leads to it."""
        known = tuple(place)
        while known and known not in self.lines:
            known = known[:-1]
        return self.lines.get(known, 1)


def read_yaml(file: Path) -> Document:
    """The one document in `file`, in UTF-8, or UTF-16 with its mark; YamlError names every mistake with its line."""
    if file.stat().st_size > LARGEST:
        raise YamlError(Mistake(1, f"the file is larger than {LARGEST // 1024**2} MB; split it"))
    text = _decoded(file.read_bytes())
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise YamlError(Mistake(_line(error.problem_mark), _explained(str(error.problem), text, error.problem_mark))) from error
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise YamlError(Mistake(line, f"the character {error.character!r} cannot stand in a file; take it out")) from error
    if builder.mistakes:
        raise YamlError(*builder.mistakes)
    return Document(builder.content, builder.lines)


def _decoded(raw: bytes) -> str:
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise YamlError(Mistake(line, "this is not UTF-8; save the file as UTF-8 in your editor and try again")) from error


def _line(mark: Any) -> int:  # noqa: ANN401 - PyYAML's own mark, or None
    return 1 if mark is None else int(mark.line) + 1


def _explained(problem: str, text: str, mark: Any) -> str:  # noqa: ANN401 - as above
    lines = text.splitlines()
    here = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return "a tab indents this line; YAML takes blanks only"
    return f"this is no YAML: {problem}"


@dataclass(slots=True)
class _Open:
    """A collection that has not ended: its values so far, and in a mapping the key that waits for its value."""

    place: Place
    made: dict[str, Any] | list[Any]
    anchor: str | None
    key: str | None = None
    keys: dict[str, int] = field(default_factory=dict)
    size: int = 1


@dataclass(slots=True)
class _Builder:
    content: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    _open: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    _documents: int = 0

    def take(self, event: Any) -> None:  # noqa: ANN401 - PyYAML's events
        """One more event; YamlError for what nothing can be made of, else mistakes are collected."""
        line = _line(event.start_mark)
        match event:
            case events.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise YamlError(*self.mistakes, Mistake(line, "a second document begins here; take the --- away"))
            case events.ScalarEvent():
                self._scalar(event, line)
            case events.AliasEvent():
                value, size = self._anchors.get(str(event.anchor), (None, 0))
                if not size:
                    raise YamlError(*self.mistakes, Mistake(line, f"*{event.anchor} names nothing that has ended before"))
                self._put(value, size, line)
            case events.MappingStartEvent() | events.SequenceStartEvent():
                self._begin(event, line)
            case events.MappingEndEvent() | events.SequenceEndEvent():
                done = self._open.pop()
                if done.anchor:
                    self._anchors[done.anchor] = (done.made, done.size)
                if self._open:
                    self._grow(done.size, line)
            case _:
                pass  # the stream and the document begin and end

    def _scalar(self, event: Any, line: int) -> None:  # noqa: ANN401 - as above
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.made, dict) and top.key is None:
            self._named(top, event.value, line)
            return
        if event.tag not in (None, *_TEXT_TAGS):
            self.mistakes.append(Mistake(line, f"the tag {event.tag} is not known here; take it away"))
        value = _meant(event.value) if event.tag is None and event.style in (None, "") else event.value
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._put(value, 1, line)

    def _named(self, top: _Open, key: str, line: int) -> None:
        if key in top.keys:
            self.mistakes.append(Mistake(line, f"{key} is there twice, here and in line {top.keys[key]}; keep one of them"))
        top.key = key
        top.keys.setdefault(key, line)
        self.lines.setdefault((*top.place, key), line)

    def _begin(self, event: Any, line: int) -> None:  # noqa: ANN401 - as above
        if len(self._open) >= DEEPEST:
            raise YamlError(*self.mistakes, Mistake(line, f"lists and mappings lie over {DEEPEST} deep in each other here"))
        if event.tag is not None and not event.implicit:
            self.mistakes.append(Mistake(line, f"the tag {event.tag} is not known here; take it away"))
        made: dict[str, Any] | list[Any] = {} if isinstance(event, events.MappingStartEvent) else []
        place = self._put(made, 0, line)
        self._open.append(_Open(place, made, event.anchor))

    def _put(self, value: Any, size: int, line: int) -> Place:  # noqa: ANN401 - a value of the file
        """Give a value its place: after the key that waits for it, at the end of its list, or as the whole content."""
        if not self._open:
            self.content = value
            return ()
        top = self._open[-1]
        self._grow(size, line)
        if isinstance(top.made, list):
            top.made.append(value)
            place: Place = (*top.place, len(top.made) - 1)
            self.lines[place] = line
            return place
        if top.key is None:
            raise YamlError(*self.mistakes, Mistake(line, "a key is a name, not a list, a mapping or an alias"))
        key, top.key = top.key, None
        top.made.setdefault(key, value)
        return (*top.place, key)

    def _grow(self, size: int, line: int) -> None:
        self._open[-1].size += size
        if self._open[-1].size > MOST_VALUES:
            raise YamlError(*self.mistakes, Mistake(line, f"the file stands for over {MOST_VALUES} values; write less of it"))


def _meant(text: str) -> Any:  # noqa: ANN401 - a value of the file
    """What a scalar without quotes and tag is."""
    if text in _NULL:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return Fraction(text) if _FRACTION.fullmatch(text) else text
