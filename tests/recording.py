"""A worker that notes which rights its calls to AWS need: `python -m tests.recording HANDLER` in place of awslambdaric.

Each right is one line of JSON in a file of the process's own in the folder `PAYFIRST_RUNTIME_RECORDS`, once. A right is an
action, as IAM knows it, on a resource, named by the environment variable that holds its name (`TABLE_NAME`): the template
says which resource that is. Nothing of the function is changed: botocore and the table's client tell of each call before it is
sent.
"""

from __future__ import annotations

import json
import os
import runpy
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from botocore import handlers
from botocore.model import OperationModel

from local.host.environment import RUNTIME
from payfirst.storage.dynamodb.signed import SignedClient

RECORDS: Final = f"{RUNTIME}_RECORDS"
"""The variable that names the folder where workers note the rights that they need."""
UNKNOWN: Final = "?"

WRITES: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
"""What a transaction's action needs: DynamoDB asks for the right to each part and for none to the transaction."""

NAMED_BY: Final = {
    "dynamodb": "TABLE_NAME",
    "sqs": "SETTLE_QUEUE_URL",
    "events": "EVENT_BUS_NAME",
    "ses": "BOOKINGS_MAIL_SENDER",
}
"""The end of the variables that name what a service keeps for us; both senders of e-mails are sent for alike."""


def rights_of(service: str, operation: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What a call needs: the action, the name of what it touches as it is `given`, and what stands behind that in an ARN.

    A call that this does not know needs its own name on something unknown, which no role allows.
    """
    match service, operation:
        case "dynamodb", _:
            yield from _rights_of_table(operation, given)
        case "sqs", "SendMessage":
            yield "sqs:SendMessage", given["QueueUrl"], ""
        case "secretsmanager", "GetSecretValue":
            yield "secretsmanager:GetSecretValue", given["SecretId"], ""
        case "events", "PutEvents":
            for entry in given["Entries"]:
                yield "events:PutEvents", entry["EventBusName"], ""
        case "sesv2", "SendEmail" if "Simple" in given["Content"]:
            yield "ses:SendEmail", given["FromEmailAddress"], ""
        case _:
            yield f"{service}:{operation}", UNKNOWN, ""


def _rights_of_table(operation: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    match operation:
        case "TransactWriteItems":
            for item in given["TransactItems"]:
                for verb, part in item.items():
                    yield f"dynamodb:{WRITES[verb]}", part["TableName"], ""
        case "BatchGetItem" | "BatchWriteItem":
            for table in given["RequestItems"]:
                yield f"dynamodb:{operation}", table, ""
        case _:
            index = f"/index/{given['IndexName']}" if "IndexName" in given else ""
            yield f"dynamodb:{operation}", given.get("TableName", UNKNOWN), index


class Recorder:
    """Writes each right that this process needs into `file`, once."""

    def __init__(self, file: IO[str], function: str, environment: Mapping[str, str]) -> None:
        self._file = file
        self._function = function
        self._environment = environment
        self._known: set[tuple[str, str]] = set()

    def __call__(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        """Note what one call needs."""
        for action, name, more in rights_of(service, operation, params):
            resource = variable_of(action, name, self._environment) + more
            if (action, resource) not in self._known:
                self._known.add((action, resource))
                self._file.write(json.dumps({"function": self._function, "action": action, "resource": resource}) + "\n")
                self._file.flush()


def told_of_calls(listener: Callable[[str, str, Mapping[str, Any]], None]) -> Callable[[], None]:
    """Let `listener` hear of each call of this process to AWS before it is sent, whichever client makes it: the service, the
    operation and what is given. What it raises, the caller gets. Answers how to end that."""

    def heard(params: Mapping[str, Any], model: OperationModel, **_: object) -> None:
        listener(model.service_model.service_name, model.name, params)

    ask = SignedClient.ask

    def asked(client: SignedClient, operation: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        listener("dynamodb", operation, given)
        return ask(client, operation, given)

    def end() -> None:
        handlers.BUILTIN_HANDLERS.remove(entry)
        SignedClient.ask = ask  # type: ignore[method-assign]

    # botocore's own list of what every session of this process starts with, whoever makes the session.
    handlers.BUILTIN_HANDLERS.append(entry := ("before-parameter-build", heard))
    SignedClient.ask = asked  # type: ignore[method-assign, assignment]
    return end


def variable_of(action: str, value: str, environment: Mapping[str, str]) -> str:
    """The variable that names what the action touches; the unknown where what it touches is not what that names."""
    service = action.split(":", 1)[0]
    if service == "ses":
        return NAMED_BY[service]
    end = NAMED_BY.get(service, "_SECRET_ID")
    names = sorted(name for name, known in environment.items() if known == value and name.endswith(end))
    return names[0] if names else UNKNOWN


def main() -> None:
    """Become a worker of Lambda that records."""
    function = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    path = Path(os.environ[RECORDS]) / f"{function}-{os.getpid()}.jsonl"
    with path.open("a", encoding="utf-8") as file:
        told_of_calls(Recorder(file, function, os.environ))
        runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
