"""Every sentence of the customer's pages is in every language, and no catalogue has one that nobody says."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from payfirst.api.pages import LANGUAGES, Pages
from payfirst.api.words import read_words

ROOT: Final = Path(__file__).parents[2]
SITE: Final = ROOT / "functions" / "site"
PACKAGE: Final = ROOT / "layers/common/python/payfirst"
OTHERS: Final = [language for language in LANGUAGES if language != "en"]

IN_SCRIPTS: Final = re.compile(r'\b(?:t|sentence)\(\s*("(?:[^"\\]|\\.)*")')
IN_TEMPLATES: Final = re.compile(r"""\bt\((?:"([^"]*)"|'([^']*)')\)""")
LARGEST: Final = 100_000
"""Bytes of all that a page loads, itself and the shop's answers apart."""

OF_PAYERS: Final = ("mpesa/results.py", "mpesa/refusals.py", "phonepe/answers.py", "phonepe/v1.py")
"""Where a gateway's words become the shop's, in `Meaning`, `Declined` and their like."""
FOR_THE_SHOP: Final = re.compile(r"could not make this refund|takes? (?:1\.00|references)|needs a redirect")


def customers(folder: str, ending: str) -> Iterator[Path]:
    """The files of the customer's pages; the desk is for the shop's own people, in English."""
    return (file for file in sorted((SITE / folder).glob(f"*{ending}")) if not file.name.startswith("desk"))


def said_by_pages() -> set[str]:
    scripts = {
        json.loads(found) for file in customers("assets", ".js") for found in IN_SCRIPTS.findall(file.read_text("utf-8"))
    }
    pages = {
        "".join(found) for file in customers("templates", ".html") for found in IN_TEMPLATES.findall(file.read_text("utf-8"))
    }
    return scripts | pages


def constants(file: Path) -> Iterator[str]:
    """Every text of a module but its docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def said_to_payers() -> set[str]:
    files = [PACKAGE / "gateways" / each for each in OF_PAYERS] + [PACKAGE / "domain" / "refund.py"]
    sentences = {text for file in files for text in constants(file) if re.fullmatch(r"[A-Z][^{}]+ [^{}]+\.", text)}
    return {text for text in sentences if not FOR_THE_SHOP.search(text)}


def catalogue(language: str) -> dict[str, str]:
    return read_words((SITE / "words" / f"{language}.po").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", OTHERS)
def test_each_sentence_of_a_customers_page_is_in_the_catalogue(language: str) -> None:
    assert said_by_pages() - catalogue(language).keys() == set()


@pytest.mark.parametrize("language", OTHERS)
def test_why_a_payment_brought_nothing_and_what_becomes_of_the_money_is_in_the_catalogue(language: str) -> None:
    assert len(said_to_payers()) > 20
    assert said_to_payers() - catalogue(language).keys() == set()


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_no_sentence_that_nobody_says_and_none_twice(language: str) -> None:
    text = (SITE / "words" / f"{language}.po").read_text(encoding="utf-8")
    assert text.count("\nmsgid ") == len(catalogue(language)) + 1, "a sentence stands twice, or has no translation"
    api = {constant for file in PACKAGE.rglob("*.py") for constant in constants(file)}
    assert catalogue(language).keys() - said_by_pages() - api == set()


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_keeps_what_is_filled_in_and_is_in_its_own_script(language: str) -> None:
    for english, told in catalogue(language).items():
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", told)), english
        assert told != english or english in ("M-Pesa", "PhonePe"), english
        assert bool(re.search(r"[\u0900-\u097f]", told)) == (language == "hi"), told


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_a_page_loads_is_small(language: str) -> None:
    pages = Pages(SITE)
    size = {asset.name: len(asset.text.encode()) for asset in pages.assets.values()}
    for template in customers("templates", ".html"):
        if template.stem == "shell":
            continue
        shell = pages.shell(template.stem, language)
        loaded = sum(size[name] for name in set(re.findall(r"/assets/([\w.-]+)", shell)))
        assert loaded + len(shell.encode()) < LARGEST, f"{template.stem} loads {loaded} bytes"
