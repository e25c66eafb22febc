"""Every sentence of the pages is in every language, and no catalogue has one that nobody says."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from payfirst.api.pages import EVERY_PAGE, LANGUAGES, Pages
from payfirst.api.words import read_words

ROOT: Final = Path(__file__).parents[2]
SITE: Final = ROOT / "functions" / "site"
PACKAGE: Final = ROOT / "layers/common/python/payfirst"
OTHERS: Final = [language for language in LANGUAGES if language != "en"]

IN_SCRIPTS: Final = re.compile(r'\b(?:t|sentence)\(\s*("(?:[^"\\]|\\.)*")')
IN_TEMPLATES: Final = re.compile(r"""\bt\((?:"([^"]*)"|'([^']*)')\)""")
ALIKE: Final = ("M-Pesa", "PhonePe")
CUSTOMERS, DESK = "words", "words/desk"
"""Where the catalogues of the customer's pages are, and of the desk's."""

LARGEST: Final = 100_000
"""Bytes of all that a page loads, itself and the shop's answers apart."""

OF_PAYERS: Final = ("mpesa/results.py", "mpesa/refusals.py", "phonepe/answers.py", "phonepe/v1.py")
"""Where a gateway's words become the shop's, in `Meaning`, `Declined` and their like."""
FOR_THE_SHOP: Final = re.compile(r"could not make this refund|takes? (?:1\.00|references)|needs a redirect")


def said_by(pages: str) -> set[str]:
    """What the customer's pages say, or those of the desk."""
    files = [*of(pages, "assets/*.js"), *of(pages, "templates/*.html")]
    return {sentence for file in files for sentence in said_in(file)}


def said_in(file: Path) -> set[str]:
    text = file.read_text("utf-8")
    if file.suffix == ".js":
        return {json.loads(found) for found in IN_SCRIPTS.findall(text)}
    return {"".join(found) for found in IN_TEMPLATES.findall(text)}


def of(pages: str, pattern: str) -> Iterator[Path]:
    return (file for file in sorted(SITE.glob(pattern)) if file.name.startswith("desk") == (pages == DESK))


@cache
def constants(file: Path) -> frozenset[str]:
    """Every text of a module but its docstrings."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    docs = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in docs)
    return frozenset(text.value for text in texts if isinstance(text.value, str))


def said_to_payers() -> set[str]:
    files = [PACKAGE / "gateways" / each for each in OF_PAYERS] + [PACKAGE / "domain" / "refund.py"]
    sentences = {text for file in files for text in constants(file) if re.fullmatch(r"[A-Z][^{}]+ [^{}]+\.", text)}
    return {text for text in sentences if not FOR_THE_SHOP.search(text)}


@cache
def site() -> Pages:
    """Every page and asset, read once."""
    return Pages(SITE)


def catalogue(language: str, pages: str = CUSTOMERS) -> dict[str, str]:
    return read_words((SITE / pages / f"{language}.po").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", OTHERS)
def test_each_sentence_of_a_page_is_in_the_catalogue(language: str) -> None:
    assert said_by(CUSTOMERS) - catalogue(language).keys() == set()


@pytest.mark.parametrize("language", OTHERS)
def test_the_desk_has_the_words_of_its_pages_and_of_every_page(language: str) -> None:
    spoken = json.loads(site().assets[f"desk-words.{language}.json"].text)
    wanted = said_by(DESK).union(*(said_in(SITE / name) for name in EVERY_PAGE))
    assert wanted == spoken.keys()


@pytest.mark.parametrize("language", OTHERS)
def test_why_a_payment_brought_nothing_and_what_becomes_of_the_money_is_in_the_catalogue(language: str) -> None:
    assert len(said_to_payers()) > 20
    assert said_to_payers() - catalogue(language).keys() == set()


@pytest.mark.parametrize("pages", [CUSTOMERS, DESK])
@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_no_sentence_that_nobody_says_and_none_twice(language: str, pages: str) -> None:
    text = (SITE / pages / f"{language}.po").read_text(encoding="utf-8")
    told = catalogue(language, pages)
    assert text.count("\nmsgid ") == len(told) + 1, "a sentence stands twice, or has no translation"
    if pages == DESK:
        assert told.keys() - said_by(DESK) == set()
        assert told.keys() & catalogue(language).keys() == set(), "both say it: the customers' catalogue has it"
        return
    api = {constant for file in PACKAGE.rglob("*.py") for constant in constants(file)}
    assert told.keys() - said_by(CUSTOMERS) - api == set()


@pytest.mark.parametrize("pages", [CUSTOMERS, DESK])
@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_keeps_what_is_filled_in_and_is_in_its_own_script(language: str, pages: str) -> None:
    for english, told in catalogue(language, pages).items():
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", told)), english
        if english in ALIKE:
            continue
        assert told != english, english
        assert bool(re.search(r"[\u0900-\u097f]", told)) == (language == "hi"), told


@pytest.mark.parametrize("pages", [CUSTOMERS, DESK])
@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_a_page_loads_is_small(language: str, pages: str) -> None:
    size = {asset.name: len(asset.text.encode()) for asset in site().assets.values()}
    for template in of(pages, "templates/*.html"):
        if template.stem in ("shell", "desk"):
            continue
        shell = site().shell(template.stem, language)
        loaded = sum(size[name] for name in set(re.findall(r"/assets/([\w.-]+)", shell)))
        assert loaded + len(shell.encode()) < LARGEST, f"{template.stem} loads {loaded} bytes"
