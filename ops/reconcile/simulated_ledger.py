"""The simulated gateways' ledger, as they answer it over HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import requests

from ops.reconcile.books import Capture, Ledger, Returned
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.gateways.registry import terms_of

CALLBACK: Final = re.compile(r"/cb/stk/([0-9a-f]{13})")
PATIENCE_S: Final = 30


def read_ledger(simulator_url: str) -> Ledger:
    """What the simulated gateways have collected, and what has gone back of it."""
    answer = requests.get(f"{simulator_url}/control/ledger", timeout=PATIENCE_S)
    answer.raise_for_status()
    captures, refunds = [], []
    for entry in answer.json():
        gateway, ref, shown, currency = entry["gateway"], _our_ref(entry), entry["shown"], entry["currency"]
        # One that knows our references may tell us of its own id for a payment instead of a receipt.
        receipts = {entry["receipt"], *([] if _terms(entry).asked_by_its_id else [entry["gateway_id"]])}
        captures.append(Capture(gateway, ref, shown, entry["amount"], currency, frozenset(receipts)))
        for refund in entry["refunds"]:
            if refund["state"] == "COMPLETED":
                names = frozenset(refund[name] for name in ("ref", "gateway_id") if refund[name])
                refunds.append(Returned(gateway, ref, shown, refund["amount"], currency, names))
    return Ledger(tuple(captures), tuple(refunds))


def _our_ref(entry: Mapping[str, Any]) -> str | None:
    """A gateway carries our reference, or only the address that we gave it, which begins with the reference's digits."""
    if not _terms(entry).asked_by_its_id:
        return str(entry["ref"])
    found = CALLBACK.search(entry["callback_url"])
    return f"MT{found[1]}" if found else None


def _terms(entry: Mapping[str, Any]) -> GatewayTerms:
    return terms_of(str(entry["gateway"]).upper())
