"""Who knows a gateway by its name, or a currency, outside the gateways' folders: each place with its reason, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from payfirst.domain.money import Currency
from payfirst.gateways.registry import GATEWAYS

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("layers/common/python/payfirst", "functions", "ops")
FOLDERS: Final = tuple(f"layers/common/python/payfirst/gateways/{gateway.terms.name.lower()}/" for gateway in GATEWAYS)
NAMES: Final = re.compile(
    "|".join(
        [
            "safaricom",
            "daraja",
            *(re.escape(word) for gateway in GATEWAYS for word in {gateway.terms.name, gateway.terms.label}),
        ]
    )
    + rf"|\b(?:{'|'.join(Currency)})\b",
    re.IGNORECASE,
)
"""Names and currencies in code and in what is shown; comments and docstrings may give them as examples."""

PAYFIRST: Final = ROOMS[0]
PRINTED: Final = "the documents print it: their words stay"
REFERENCE: Final = "the API's reference: sentences and samples of these two gateways"
KNOWN: Final[Mapping[str, str]] = {
    f"{PAYFIRST}/api/routes.py": f"/api/payments/transactions/mpesa_callback/: {PRINTED}",
    "functions/webhook/app.py": f"the handler of that route: {PRINTED}",
    f"{PAYFIRST}/domain/delivery.py": "fees of deliveries, which go to Kenya's counties",
    f"{PAYFIRST}/domain/money.py": "the currencies themselves",
    f"{PAYFIRST}/gateways/registry.py": "the one list, with a line for each",
    f"{PAYFIRST}/mail/formats.py": "how amounts and days are written where a currency is at home",
    "ops/api_reference/bookings.py": REFERENCE,
    "ops/api_reference/errors.py": REFERENCE,
    "ops/api_reference/operators.py": REFERENCE,
    "ops/api_reference/operators_shop.py": REFERENCE,
    "ops/api_reference/orders.py": REFERENCE,
    "ops/api_reference/public.py": REFERENCE,
    "ops/api_reference/samples.py": REFERENCE,
    "ops/earlier_tokens.py": "the two whose tokens an earlier release kept elsewhere; there never was a third",
    "ops/erase.py": "a sentence for whoever erases: whom else to ask",
    "ops/reconcile/command.py": "a sentence: where the files come from",
    "ops/rollout.py": "outputs of the template that are said after a deployment",
    "ops/smoke_flows.py": "walks the documents' two flows as a customer",
    "ops/smoke_outside.py": "which half of the catalogue needs which credentials",
    "ops/smoke_parts.py": "a sentence: who posts to the address that is tried",
}


ON_PAGES: Final[Mapping[str, str]] = {
    "openapi.json": "written from the routes and their samples",
    "checkout.js": "what its payer does on the phone: the words of that gateway's own prompt",
    "delivery.js": "which of the customer's numbers is prompted",
    "order.js": "whose message on the phone has that receipt number",
}
"""Where a sentence is for the customer of one gateway; whole sentences, since that is what is translated."""


def words(tree: ast.Module) -> Iterator[str]:
    """Every name in the code and every text that is no docstring."""
    nodes = list(ast.walk(tree))
    prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)) if id(node) not in prose:
                yield text
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str(word)):
                yield word
            case ast.FunctionDef(name=word) | ast.ClassDef(name=word) | ast.alias(name=word):
                yield word
            case ast.ImportFrom(module=str(word)):
                yield word
            case _:
                pass


def test_nobody_else_knows_a_gateway_or_a_currency_and_whoever_no_longer_does_leaves_the_list() -> None:
    found = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            if name.startswith(FOLDERS) or "__pycache__" in name:
                continue
            if any(NAMES.search(word) for word in words(ast.parse(path.read_text(encoding="utf-8")))):
                found.add(name)
    assert found == set(KNOWN)


def test_only_python_knows_them() -> None:
    others = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in {".html", ".yaml", ".json", ".js"}]
    named = {path.name for path in others if NAMES.search(path.read_text(encoding="utf-8"))}
    assert named == set(ON_PAGES)
