"""The events of `events/`, as somebody would cause them, and what each function answers, whatever else the shop holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]


def example(name: str) -> Any:
    """The event of the function whose folder is `name`."""
    return json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))


def theirs(event: Any, sub: str) -> Any:
    """`event` as the customer `sub` would cause it, if it is one that customers cause."""
    authorizer = event.get("requestContext", {}).get("authorizer")
    if authorizer is not None:
        authorizer["jwt"]["claims"]["sub"] = sub
    return event


def http(status: int, says: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether API Gateway would answer `status` and a body of which `says` is true."""
    return lambda answer: answer["statusCode"] == status and says(json.loads(answer["body"]))


EXPECTED: Final[Mapping[str, Callable[[Any], bool]]] = {
    "bookings": http(200, lambda body: body["results"] == [] and body["count"] == 0),
    "carts": http(200, lambda body: body["items"][0]["product_name"] == "Fresh Tomatoes"),
    "catalogue": http(200, lambda body: body["results"][0]["product_name"] == "Fresh Tomatoes"),
    "create_session": http(400, lambda body: "empty" in json.dumps(body).lower()),
    "initiate_payment": http(404, bool),
    "operators": http(200, lambda body: isinstance(body["waiting"], list)),
    "read_payments": http(404, bool),
    "site": http(200, lambda body: body == {"status": "ok"}),
    "webhook": http(200, lambda body: body["ResultCode"] == 0),
    "deliver_events": lambda report: isinstance(report["delivered"], int),
    "expire_sessions": lambda report: isinstance(report["expired"], int),
    "reconcile_payments": lambda report: report == {"batchItemFailures": []},
}
