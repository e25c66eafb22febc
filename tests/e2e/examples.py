"""What each function answers to its event of `events/`, whatever else the shop holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final


def http(status: int, says: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether API Gateway would answer `status` and a body of which `says` is true."""
    return lambda answer: answer["statusCode"] == status and says(json.loads(answer["body"]))


EXPECTED: Final[Mapping[str, Callable[[Any], bool]]] = {
    "bookings": http(200, lambda body: body["results"] == [] and body["count"] == 0),
    "carts": http(200, lambda body: body["items"][0]["product_name"] == "Fresh Tomatoes"),
    "catalogue": http(200, lambda body: body["results"][0]["product_name"] == "Fresh Tomatoes"),
    "create_session": http(201, lambda body: body["session_status"] == "pending" and body["cart_snapshot"]),
    "initiate_payment": http(200, lambda body: body["checkout_request_id"]),
    "operators": http(200, lambda body: isinstance(body["waiting"], list)),
    "read_payments": http(200, lambda body: body["session_status"] in ("pending", "payment_initiated")),
    "site": http(200, lambda body: body == {"status": "ok"}),
    "webhook": http(200, lambda body: body["ResultCode"] == 0),
    "deliver_events": lambda report: isinstance(report["delivered"], int),
    "expire_sessions": lambda report: isinstance(report["expired"], int),
    "reconcile_payments": lambda report: report == {"batchItemFailures": []},
}
