"""Writes down what fired it; messages whose body is `bad` fail, and so does a batch that tells of an item `N#bad`."""

import json
import os
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    with Path(os.environ["TABLE_NAME"]).open("a", encoding="utf-8") as notes:
        notes.write(json.dumps(event) + "\n")
    records = event.get("Records", [])
    if any(record["dynamodb"]["Keys"]["sk"]["S"] == "N#bad" for record in records if "dynamodb" in record):
        raise ValueError("bad")
    failures = [{"itemIdentifier": record["messageId"]} for record in records if record.get("body") == "bad"]
    return {"batchItemFailures": failures}
