"""What `process-cart` answers when somebody else is faster between its look at the cart and its write.

`python -m tests.contract.refusals.raced` in the environment of a stack's functions: JSON on standard input names the path, the
customer, the cart's key and what the rival writes into it; the last line on standard output is the status and the body.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from payfirst.settings import settings
from payfirst.storage.dynamodb.expressions import to_wire
from payfirst.storage.dynamodb.table import dynamodb
from tests.contract.refusals.throttled import Context, event
from tests.recording import told_of_calls

LEFT_MS = 9_000


def main() -> None:
    """Answer one request."""
    os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "payfirst"  # as Lambda does
    told = json.load(sys.stdin)
    acted = list[str]()

    def after_a_rival(service: str, operation: str, given: Mapping[str, Any]) -> None:  # noqa: ARG001 - what a listener is told
        if operation == "TransactWriteItems" and not acted:
            acted.append(operation)
            dynamodb().update_item(
                TableName=settings().table_name,
                Key=to_wire(told["key"]),
                UpdateExpression="SET #name = :value",
                ExpressionAttributeNames={"#name": told["name"]},
                ExpressionAttributeValues=to_wire({":value": told["value"]}),
            )

    told_of_calls(after_a_rival)
    request = event("POST", told["path"], told["sub"], json.dumps(told["body"]))
    answer = import_module("functions.initiate_payment.app").handler(request, Context("initiate_payment", left_ms=LEFT_MS))
    if not acted:
        raise SystemExit("nothing was written, so nobody came in between")
    sys.stdout.write(json.dumps([answer["statusCode"], json.loads(answer["body"])]) + "\n")


if __name__ == "__main__":
    main()
