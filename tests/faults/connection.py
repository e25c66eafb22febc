"""The connection to both gateways, in the place of the one that `gateways.wire` would open; each request passes the seam."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from payfirst.gateways.base import Gateway, TokenStore
from payfirst.gateways.lenient import json_object
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.gateways.wire import Answered, Call, Lost
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


class _LostError(Exception):
    """The answer never comes, or nobody was reached."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The way to the gateways; each request passes the seam."""

    ledger: Ledger
    seam: Seam

    def send(self, call: Call, timeout_s: float) -> Answered | Lost:
        """What becomes of `call`."""
        if timeout_s <= 0:
            return Lost("never sent: no time left", sent=False)
        address = urlsplit(call.url)
        path, model = address.path, next((each for each in MODELS.values() if each.host == address.hostname), None)
        if model is not None:
            operation = f"{call.method} {path.split('/')[1]}"
        else:
            operation = next(name for start, name in _PATHS if path.startswith(start))
        body = json.loads(call.body or "{}") if "token" not in operation else {}
        fault = self.seam.passes(Service.GATEWAY, operation)
        if fault is Fault.UNSENT:
            return Lost("never sent: ConnectionRefusedError", sent=False)
        if fault in (Fault.EMPTY, Fault.BAD_GATEWAY):
            return Answered(503 if fault is Fault.EMPTY else 502, None)

        def answer() -> Answer:
            if model is not None:
                return model.answer(self.ledger, call.method, path, body)
            return self.ledger.answer(operation, path, body)

        try:
            status, told = met(fault, answer, _LostError)
        except _LostError:
            return _LOST
        if operation == "push" and self.ledger.lose_pushes:
            self.ledger.lose_pushes -= 1
            return _LOST
        return (
            Answered(502, None)
            if fault is Fault.BAD_GATEWAY_AFTER
            else Answered(status, json_object(json.dumps(told).encode()))
        )


_LOST: Final = Lost("maybe processed: the connection broke (RemoteDisconnected)", sent=True)


def client_of(name: str, ledger: Ledger, seam: Seam, store: TokenStore) -> Gateway:
    """The package's own client of that gateway, on the ledger's connection."""
    send = Connection(ledger, seam).send
    if name in MODELS:
        return MODELS[name].made(send)
    if name == "MPESA":
        return Mpesa(_MPESA, "https://mpesa.example", store, "tests", send)
    return PhonePe(_PHONEPE, "https://phonepe.example", "https://phonepe.example/v1/oauth/token", store, "tests", send)


def secret(name: str) -> dict[str, Any]:
    """What Secrets Manager keeps for the functions."""
    gateways = {"phonepe": asdict(_PHONEPE), "mpesa": asdict(_MPESA)}
    gateways |= {gateway.lower(): model.secret for gateway, model in MODELS.items()}
    kept: dict[str, dict[str, Any]] = {"cursor": {"key": "cursor-key"}, "gateways": gateways}
    return kept[name]
