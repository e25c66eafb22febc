"""Runs the webhook function by itself: one event a line in, its log lines and then `{"reply": …}` out."""

from __future__ import annotations

import json
import sys

from functions.webhook.app import handler


class Context:
    """As much of Lambda's context as the function looks at."""

    function_name = "webhook"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:webhook"
    aws_request_id = "test"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 10_000


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps({"reply": handler(json.loads(line), Context())}) + "\n")
        sys.stdout.flush()
