"""What each function answers when DynamoDB throttles every request; run as a program in the environment of a stack's functions.

`python -m tests.contract.refusals.throttled FILE` writes JSON by operation: the status and the body.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.api_reference.document import OPERATIONS
from payfirst.api.resources import credentials
from payfirst.api.routes import ROUTES, Family, Route
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.settings import settings
from tests.contract.refusals.scene import path_of
from tests.issuer import bearer
from tests.recording import told_of_calls

LEFT_MS: Final = 400
QUERY: Final = {"date": "2025-07-20", "month": "2025-07", "q": "NLJ7RT61SV"}
IDENTIFIERS: Final = {
    "gateway_notice": "phonepe",
    "operators_payment": "BK-449034CB",
    "operators_resolve": "MT7a8b9c0d1e2f3",
    "operators_refund": "MT7a8b9c0d1e2f3",
    "operators_refund_paid": "RMT7a8b9c0d1e2f3-1",
}


@dataclass(frozen=True, slots=True)
class Context:
    """A Lambda context, by default with less than a second to go."""

    function_name: str
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:in-process"
    aws_request_id: str = "in-process"
    left_ms: int = LEFT_MS
    since: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until the function would be stopped."""
        return max(0, self.left_ms - int((time.monotonic() - self.since) * 1000))


def throttle(service: str, operation: str, given: Any) -> None:  # noqa: ARG001 - what a listener is told
    """Stand in the way of every request to the table."""
    if service == "dynamodb":
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, operation)


def event(method: str, path: str, sub: str, body: str | None) -> dict[str, Any]:
    """An HTTP API event of a customer who is an operator too."""
    claims = {
        "sub": sub,
        "token_use": "id",
        "iss": settings().token_issuer,
        "aud": settings().token_audience,
        "email": "amina@example.com",
        "cognito:groups": "operators",
    }
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "queryStringParameters": QUERY,
        "headers": bearer({"sub": sub, "cognito:groups": ["operators"]}),
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1"},
            "requestId": "in-process",
            "stage": "$default",
            "authorizer": {"jwt": {"claims": claims}},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def event_of(route: Route) -> dict[str, Any]:
    """A request that reaches the table."""
    words = OPERATIONS[route.operation]
    path = path_of(route, IDENTIFIERS.get(route.operation, "712345678901234"))
    asked = event(route.method, path, "somebody", json.dumps(words.body.example) if words.body else None)
    if route.operation == "gateway_notice":
        known = credentials("PHONEPE")
        if not isinstance(known, PhonePeCredentials):
            raise TypeError("the stack's notices are not those of PhonePe's present form")
        pair = f"{known.webhook_username}:{known.webhook_password}"
        asked["headers"] = {"authorization": hashlib.sha256(pair.encode()).hexdigest()}
    return asked


def main(file: Path) -> None:
    """Ask every function that uses the table."""
    answers = {}
    os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "payfirst"  # as Lambda does
    told_of_calls(throttle)
    for route in ROUTES:
        if route.function == "site" or route.family is Family.NOTICE or route.path.startswith("/api/locations"):
            continue
        handler = import_module(f"functions.{route.function}.app").handler
        answer = handler(event_of(route), Context(route.function))
        answers[route.operation] = [answer["statusCode"], json.loads(answer["body"])]
    file.write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
