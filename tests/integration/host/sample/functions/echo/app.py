"""Answers with the event it received; on POST /answer with whatever the body says."""

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> Any:
    if event["resource"] == "/answer":
        return json.loads(event["body"])
    seen = {
        "event": event,
        "pid": os.getpid(),
        "remaining_ms": context.get_remaining_time_in_millis(),
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "environment": {name: os.environ.get(name) for name in ("GREETING", "TABLE_NAME", "PLACE", "HOME", "LAMBDA_TASK_ROOT")},
    }
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(seen)}
