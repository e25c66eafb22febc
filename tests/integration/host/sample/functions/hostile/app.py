"""Misbehaves in the way that the path names."""

import json
import os
import time
from typing import Any


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    how = event["pathParameters"]["how"]
    if how == "raise":
        raise ValueError("this function always raises here")
    if how == "sleep":
        time.sleep(30)
    if how == "exit":
        os._exit(3)
    if how == "slow":
        time.sleep(0.4)
    print(json.dumps({"level": "INFO", "event": "hostile.answered", "how": how}))  # noqa: T201 - a function's log
    return {"statusCode": 200, "body": str(os.getpid())}
