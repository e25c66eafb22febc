"""The connection to both gateways, in the place of the one that `requests` would open; each request passes the seam."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter

from payfirst.gateways.base import Gateway, TokenStore
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from tests.faults.gateways import MODELS, Ledger
from tests.faults.seam import Fault, Seam, Service, met
from tests.faults.told import Answer

_PATHS: Final = (
    ("/oauth/v1/generate", "mpesa token"),
    ("/mpesa/stkpush/", "push"),
    ("/mpesa/stkpushquery/", "query"),
    ("/mpesa/reversal/", "reverse"),
    ("/mpesa/transactionstatus/", "transaction"),
    ("/v1/oauth/token", "phonepe token"),
    ("/checkout/v2/pay", "pay"),
    ("/checkout/v2/order/", "order"),
    ("/payments/v2/refund/", "refund status"),
    ("/payments/v2/refund", "refund"),
)


_MPESA: Final = MpesaCredentials("consumer-key", "consumer-secret", "174379", "the-passkey", None, "initiator", "sealed-word")
_PHONEPE: Final = PhonePeCredentials("client", "client-secret", "1", webhook_username="shop", webhook_password="hook-word")
SECRETS: Final = ("consumer-secret", "the-passkey", "sealed-word", "client-secret", "hook-word", "-token-")


class LedgerAdapter(BaseAdapter):
    """The connection to the gateways; each request passes the seam."""

    def __init__(self, ledger: Ledger, seam: Seam) -> None:
        super().__init__()
        self._ledger, self._seam = ledger, seam

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        address = urlsplit(request.url or "")
        path, model = address.path, next((each for each in MODELS.values() if each.host == address.hostname), None)
        if model is not None:
            operation = f"{request.method} {path.split('/')[1]}"
        else:
            operation = next(name for start, name in _PATHS if path.startswith(start))
        body = json.loads(request.body or "{}") if "token" not in operation else {}
        fault = self._seam.passes(Service.GATEWAY, operation)
        if fault is Fault.UNSENT:
            raise requests.ConnectTimeout
        if fault is Fault.EMPTY:
            return _response(503, b"")
        if fault is Fault.BAD_GATEWAY:
            return _response(502, b"<html>Bad Gateway</html>")

        def answer() -> Answer:
            if model is not None:
                return model.answer(self._ledger, str(request.method), path, body)
            return self._ledger.answer(operation, path, body)

        status, told = met(fault, answer, requests.ConnectionError)
        if operation == "push" and self._ledger.lose_pushes:
            self._ledger.lose_pushes -= 1
            raise requests.ConnectionError
        if fault is Fault.BAD_GATEWAY_AFTER:
            return _response(502, b"<html>Bad Gateway</html>")
        return _response(status, json.dumps(told).encode())

    def close(self) -> None:
        """Nothing is open."""


def client_of(name: str, ledger: Ledger, seam: Seam, store: TokenStore) -> Gateway:
    """The package's own client of that gateway, on the ledger's connection."""

    def adapter() -> LedgerAdapter:
        return LedgerAdapter(ledger, seam)

    if name in MODELS:
        return MODELS[name].made(adapter)
    if name == "MPESA":
        return Mpesa(_MPESA, "https://mpesa.example", store, "tests", adapter)
    return PhonePe(_PHONEPE, "https://phonepe.example", "https://phonepe.example/v1/oauth/token", store, "tests", adapter)


def secret(name: str) -> dict[str, Any]:
    """What Secrets Manager keeps for the functions."""
    gateways = {"phonepe": asdict(_PHONEPE), "mpesa": asdict(_MPESA)}
    gateways |= {gateway.lower(): model.secret for gateway, model in MODELS.items()}
    kept: dict[str, dict[str, Any]] = {"cursor": {"key": "cursor-key"}, "gateways": gateways}
    return kept[name]


def _response(status: int, body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.raw = urllib3.HTTPResponse(body=io.BytesIO(body), status=status, preload_content=False)
    return response
