"""Writes down what fired it; messages whose body is `bad` fail."""

import json
import os
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    with Path(os.environ["TABLE_NAME"]).open("a", encoding="utf-8") as notes:
        notes.write(json.dumps(event) + "\n")
    failures = [{"itemIdentifier": record["messageId"]} for record in event.get("Records", []) if record["body"] == "bad"]
    return {"batchItemFailures": failures}
