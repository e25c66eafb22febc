"""The operators' pages say what the code says: every failure word with who has to act, every variable, every snippet."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Final

import pytest

from local.embedded_aws import ROOT
from ops.template import load_template
from payfirst.gateways.mpesa.deliverable_address import FORBIDDEN_WORDS
from payfirst.gateways.mpesa.result_notices import REFUND_RESULTS
from payfirst.gateways.mpesa.results import STK_RESULTS, Meaning
from payfirst.gateways.phonepe.answers import FAILED_CODE
from payfirst.gateways.registry import GATEWAYS, check_settings, declaration_of
from payfirst.settings import Stage, read
from tests.tools import node
from tests.unit.test_settings import LOCAL, PRODUCTION

DOCS = ROOT / "docs" / "gateways"
CODE = ROOT / "layers" / "common" / "python" / "payfirst"
WORDED = frozenset({"Rejected", "Declined", "Meaning", "misconfigured", "_ours"})
PARAMETERS = load_template(ROOT / "template.yaml")["Parameters"]
PAYMENTS, REFUNDS = "When a payment fails", "When a refund fails"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def table(name: str, heading: str) -> dict[str, tuple[str, str]]:
    """The rows of the first table under a heading: word, and where it comes from with who acts."""
    section = page(name).split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0].split("\n### ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")]
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0].strip("`"): (row[1], row[3]) for row in rows}


def words_in(expression: ast.expr) -> Iterator[str]:
    """The strings that an expression can be: itself, either branch of a choice, the values of a mapping."""
    match expression:
        case ast.Constant(value=str(word)):
            yield word
        case ast.IfExp(body=body, orelse=otherwise):
            yield from words_in(body)
            yield from words_in(otherwise)
        case _:
            pass


def words_of(*modules: str) -> set[str]:
    """Every failure word that the modules can answer with, read from their source."""
    found: set[str] = set()
    for module in modules:
        for call in ast.walk(ast.parse((CODE / module).read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in WORDED:
                continue
            coded = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
            if call.func.id != "misconfigured":
                coded += call.args[:1]
            elif not coded:
                found.add("misconfigured")
            for expression in coded:
                found |= set(words_in(expression))
    return found


def phonepes_own_words() -> set[str]:
    """The words that `answers.py` gives PhonePe's codes: the first of each pair of a word and a sentence."""
    code = ast.parse((CODE / "gateways/phonepe/answers.py").read_text(encoding="utf-8"))
    firsts = {word for pair in ast.walk(code) if isinstance(pair, ast.Tuple) for word in words_in(pair.elts[0])}
    assert "wrong_pin" in firsts
    return {word for word in firsts if re.fullmatch(r"[a-z_]+", word)}


def says_you(who: str) -> bool:
    return re.search(r"\byou\b", who, re.IGNORECASE) is not None


@pytest.mark.parametrize(
    ("name", "heading", "modules", "more"),
    [
        (
            "mpesa.md",
            PAYMENTS,
            [
                "gateways/mpesa/results.py",
                "gateways/mpesa/refusals.py",
                "gateways/mpesa/client.py",
                "usecases/settlement/check_status.py",
            ],
            set(),
        ),
        (
            "mpesa.md",
            REFUNDS,
            ["gateways/mpesa/result_notices.py", "gateways/mpesa/refunds.py"],
            {"already_reversed", "manual_refund_required", "refund_rejected"},
        ),
    ],
)
def test_the_tables_of_mpesa_have_every_word_of_the_code_and_no_other(
    name: str, heading: str, modules: list[str], more: set[str]
) -> None:
    assert set(table(name, heading)) == words_of(*modules) | more


def test_the_tables_of_phonepe_have_every_word_of_the_code_and_no_other() -> None:
    words = words_of("gateways/phonepe/answers.py", "gateways/phonepe/client.py", "usecases/settlement/check_status.py")
    payments, refunds = set(table("phonepe.md", PAYMENTS)), set(table("phonepe.md", REFUNDS))
    named = phonepes_own_words() | {FAILED_CODE}
    assert payments | refunds == words | named
    assert payments == (words | named) - {"refund_failed"}
    assert refunds == words - {"no_answer", "gateway_busy", "token_refused"}  # a refund that was turned away is sent later


@pytest.mark.parametrize(("heading", "results"), [(PAYMENTS, STK_RESULTS), (REFUNDS, REFUND_RESULTS)])
def test_each_result_of_mpesa_stands_with_its_word_and_no_other(heading: str, results: Mapping[str, Meaning]) -> None:
    for word, (codes, _) in table("mpesa.md", heading).items():
        told = {code for code in re.findall(r"`([^`]+)`", codes) if code in results}
        assert told == {code for code, meaning in results.items() if meaning.code == word}, word


@pytest.mark.parametrize(("heading", "results"), [(PAYMENTS, STK_RESULTS), (REFUNDS, REFUND_RESULTS)])
def test_whatever_only_an_operator_can_mend_says_so(heading: str, results: Mapping[str, Meaning]) -> None:
    rows = table("mpesa.md", heading)
    for meaning in results.values():
        who = rows[meaning.code][1]
        assert says_you(who) or not meaning.configuration, meaning.code
        assert "Customer" in who or not meaning.retryable or heading == REFUNDS, meaning.code


@pytest.mark.parametrize("name", ["mpesa.md", "phonepe.md"])
@pytest.mark.parametrize("word", ["misconfigured", "token_refused"])
def test_refused_credentials_are_the_operators_to_mend(name: str, word: str) -> None:
    who = table(name, PAYMENTS)[word][1]
    assert says_you(who)
    assert f"payfirst credentials check {name.removesuffix('.md')}" in who


def test_every_variable_of_the_credentials_is_on_its_page() -> None:
    for gateway in GATEWAYS:
        told = page(f"{gateway.terms.name.lower()}.md")
        fields = [field for form in gateway.forms() for field in form.fields]
        assert [field.variable for field in fields if field.variable not in told] == []


def test_the_forbidden_words_are_those_that_are_refused() -> None:
    [told] = re.findall(r"in any spelling:\n(.*?)\. They", page("mpesa.md"), re.DOTALL)
    assert tuple(re.findall(r"`([^`]+)`", told)) == FORBIDDEN_WORDS


@pytest.mark.parametrize(("name", "setting"), [("mpesa.md", "MPESA_NOTICE_SOURCES"), ("phonepe.md", "PHONEPE_NOTICE_SOURCES")])
def test_the_known_sources_of_notices_can_be_copied_into_the_setting(name: str, setting: str) -> None:
    section = page(name).split("## Where notices come from\n", 1)[1].split("\n## ", 1)[0]
    [listed] = re.findall(r"```\n(.*?)\n```", section, re.DOTALL)
    parameter = PARAMETERS[{"mpesa.md": "MpesaNoticeSources", "phonepe.md": "PhonePeNoticeSources"}[name]]
    assert re.fullmatch(parameter["AllowedPattern"], listed)
    declared = declaration_of(name.removesuffix(".md").upper())
    networks = getattr(read(declared.settings, LOCAL | {setting: listed}), setting.lower())
    assert len(networks) == listed.count(",") + 1
    assert all(network.is_global and network.num_addresses <= 8 for network in networks)
    assert len(set(networks)) == len(networks)
    if setting.startswith("PHONEPE"):
        assert ip_network("103.116.32.28/31") in networks


def test_the_production_addresses_are_those_that_functions_accept() -> None:
    told = page("mpesa.md") + page("phonepe.md")
    check_settings(PRODUCTION)
    for name in ("MPESA_BASE_URL", "PHONEPE_BASE_URL", "PHONEPE_TOKEN_URL"):
        assert PRODUCTION[name] in told
    for form in [form for gateway in GATEWAYS for form in gateway.forms()]:
        address = form.addresses[Stage.PRODUCTION]
        assert address in told
        name = "MPESA_BASE_URL" if "safaricom" in address else "PHONEPE_BASE_URL"
        check_settings(PRODUCTION | {name: address})


SNIPPETS: Final = 4


def snippets() -> list[str]:
    return re.findall(r"```js\n(.*?)```", page("front-end.md"), re.DOTALL)


@pytest.mark.parametrize("number", range(SNIPPETS))
def test_the_snippets_of_the_front_end_are_javascript(number: int, tmp_path: Path) -> None:
    assert len(snippets()) == SNIPPETS
    file = tmp_path / "snippet.js"
    file.write_text(snippets()[number], encoding="utf-8")
    done = subprocess.run([node(), "--check", str(file)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def test_the_front_end_handles_every_final_state_and_calls_the_function_that_is_tested() -> None:
    final = re.findall(r"FINAL_STATES = Object\.freeze\(\[(.*?)\]\)", page("poll.js"))[0]
    waiting = next(snippet for snippet in snippets() if "pollSession(" in snippet)
    assert re.findall(r'case "(\w+)":', waiting) == re.findall(r'"(\w+)"', final)
    rows = dict(re.findall(r"^\| `(\w+)` \| (yes|no) \|", page("front-end.md"), re.MULTILINE))
    assert {state for state, is_final in rows.items() if is_final == "yes"} == set(re.findall(r'"(\w+)"', final))
