"""What pages name exists: files, tests, links with their anchors, and the functions of the table of guarantees."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
STORAGE: Final = ROOT / "layers" / "common" / "python" / "payfirst" / "storage"
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")])
KINDS: Final = "cfg|html|in|js|json|md|py|toml|txt|yaml|yml"
ROOMS: Final = (ROOT, ROOT / "layers" / "common" / "python", STORAGE.parent)
"""Where a path in a page begins, besides the page's own folder."""

NOT_HERE: Final = {".local/sam.json"}
"""A file that is made on a machine."""

ANY: Final = re.compile(r"NAME|vN")
"""In a path that stands for many."""

ELSEWHERE: Final = {"docs/decisions/0007-rest-api.md": {"test_paths_ending_with_slash.py"}}
"""Files of other projects, by page."""


def ids(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


@cache
def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


@cache
def file_names() -> frozenset[str]:
    rooms = (ROOT / name for name in ("checks", "docs", "events", "functions", "layers", "local", "ops", "tests", "benchmarks"))
    return frozenset(path.name for room in (*rooms, ROOT / ".ci") for path in room.rglob("*.*")) | {
        path.name for path in ROOT.iterdir()
    }


def paths_of(page: Path) -> Iterator[tuple[str, str]]:
    """Every word of the page that is a path with a kind of file, or in a folder of ours; with the test that it names."""
    rooms = {room.name for base in ROOMS for room in base.iterdir() if room.is_dir() and not room.name.startswith(".")}
    for word in re.findall(r"`([^`\s]+)`", prose(page)):
        path, _, name = word.partition("::")
        is_file = re.fullmatch(rf"[\w./-]+\.({KINDS})", path)
        is_ours = path.partition("/")[0] in rooms and re.fullmatch(r"[\w-]+/[\w./-]*", path)
        if (is_file or is_ours) and not ANY.search(path):
            yield path, name


def found(path: str, page: Path) -> Path | None:
    """The file or folder of ours that is meant; a file without a folder may stand anywhere."""
    for base in (page.parent, *ROOMS):
        if (base / path).exists():
            return base / path
    return ROOT if "/" not in path and path in file_names() else None


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    name = str(page.relative_to(ROOT))
    missing = [path for path, _ in paths_of(page) if found(path, page) is None]

    assert set(missing) <= NOT_HERE | ELSEWHERE.get(name, set()), f"{name} names what is not there"


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    for path, name in paths_of(page):
        if name:
            file = found(path, page)
            assert file is not None, path
            assert name in functions_of(file), f"{path}::{name}"


@cache
def functions_of(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that a host of repositories gives the headings of the page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings)


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", prose(page)):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(file), f"{page.name}: {target}"


def guarantees() -> str:
    """The page's first part, with its table."""
    return (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8").partition("\n## ")[0]


def test_every_row_of_the_table_of_guarantees_names_a_test() -> None:
    rows = [line for line in guarantees().splitlines() if line.startswith("| ") and "which write" not in line]
    named = re.findall(r"`tests/[\w/]+\.py::\w+`", guarantees())

    assert len(rows) >= 25
    assert len(named) == len(rows)


def test_every_write_that_the_table_of_guarantees_names_is_a_function_of_the_storage() -> None:
    writes = frozenset().union(*map(functions_of, STORAGE.glob("*.py")))
    cells = [line.split(" | ")[2] for line in guarantees().splitlines() if line.startswith("| ") and "which write" not in line]
    named = [
        word
        for cell in cells
        for word in re.findall(r"`([a-z_]+)`(?=:| (?:counts|demands|fails|gives|holds|moves|plans|stores))", cell)
    ]

    assert len(named) >= 20
    assert set(named) <= writes, f"no function of the storage: {set(named) - writes}"


def test_the_index_has_a_line_for_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)", index.read_text(encoding="utf-8"))}
    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs") and page.parent.name != "decisions"} - {index}

    assert pages <= linked, f"not in docs/README.md: {sorted(page.name for page in pages - linked)}"


def test_the_picture_of_the_readme_shows_only_moves_that_there_are() -> None:
    from payfirst.domain.moves import SESSION_MOVES  # noqa: PLC0415 - the only test here that needs the package

    pictures = re.findall(r"```mermaid\n(flowchart.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    [picture] = [each for each in pictures if "payment_initiated" in each]
    names = dict(re.findall(r"\b(\w+)\[\"?(\w+)", picture))
    arrows = re.findall(r"(\w+)(?:\[.*?\])? (?:-- .*? |-\. .*? \.)?-?->? ?(\w+)", picture)
    moves = {(source.value, target.value) for source, targets in SESSION_MOVES.items() for target in targets}
    statuses = {status.value for status in SESSION_MOVES}
    drawn = {(names.get(source, source), names.get(target, target)) for source, target in arrows}
    between = {pair for pair in drawn if set(pair) <= statuses}

    assert len(between) >= 6
    assert between <= moves
