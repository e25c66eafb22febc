"""What a failed request to the table means, read from codes and positions, never from texts.

conflict, throttle, in progress   others were there at the same time: wait a little, try again inside the time
a clause was false                the business answer, with the item that was found
both in one transaction           nobody knows yet: try again, then decide
validation                        a mistake of ours: raised as it is
anything else                     the table cannot be reached: the same request may come again
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from payfirst.domain.errors import PayFirstError, TemporaryError
from payfirst.storage.dynamodb.expressions import Item, from_wire

CONDITION_FAILED: Final = "ConditionalCheckFailed"
_PASSING: Final = frozenset(
    {
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    }
)
_UNREACHABLE: Final = frozenset({"InternalServerError", "InternalFailure", "ServiceUnavailable"})
_REFUSED_AS_WRITTEN: Final = frozenset({"ValidationException", "ValidationError", "ItemCollectionSizeLimitExceeded"})
_NO_REASON: Final = "None"
_SERVER_ERRORS: Final = 500


class StorageError(TemporaryError):
    """The table could not be reached; whether the request was applied is not known."""

    code = "STORAGE_UNAVAILABLE"


class ConditionFailedError(Exception):
    """Clauses were false: `failed` maps the name of each such write to the item that it found (None: no item)."""

    def __init__(self, failed: Mapping[str, Item | None]) -> None:
        super().__init__(f"condition failed: {', '.join(sorted(failed))}")
        self.failed = failed


def lies_in_the_request(error: Exception) -> bool:
    """Whether `error` comes of what was asked for or of our code, so that the same request will meet it again.

    Not so: answers of ours, false clauses, a table, a network or a machine in trouble, rights and settings of the account.
    """
    if isinstance(error, PayFirstError | ConditionFailedError | OSError | MemoryError):
        return False
    if isinstance(error, ClientError):
        response: Mapping[str, Any] = error.response
        codes = {response["Error"]["Code"], *(reason.get("Code") for reason in response.get("CancellationReasons", ()))}
        return bool(codes & _REFUSED_AS_WRITTEN)
    return isinstance(error, ParamValidationError) or not isinstance(error, BotoCoreError)


@dataclass(frozen=True, slots=True)
class Passing:
    """Other writers were there at the same time; the request was surely not applied."""

    code: str


def classify(error: ClientError | BotoCoreError, names: tuple[str, ...]) -> Passing | Exception:
    """What `error` means: `Passing` to try again, else the exception to raise. `names` are the writes by position."""
    if isinstance(error, ParamValidationError):
        return error
    if isinstance(error, BotoCoreError):
        return StorageError("The table did not answer.")
    response: Mapping[str, Any] = error.response
    code = response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        raw = response.get("Item")
        return ConditionFailedError({names[0]: from_wire(raw) if raw else None})
    if code == "TransactionCanceledException":
        return _cancelled(error, response["CancellationReasons"], names)
    if code in _PASSING:
        return Passing(code)
    unreachable = code in _UNREACHABLE or response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERRORS
    return StorageError("The table did not answer.") if unreachable else error


def _cancelled(error: ClientError, reasons: list[Mapping[str, Any]], names: tuple[str, ...]) -> Passing | Exception:
    codes = {reason.get("Code", _NO_REASON) for reason in reasons} - {_NO_REASON}
    if codes - _PASSING - {CONDITION_FAILED}:
        return error
    passing = sorted(codes & _PASSING)
    if passing:
        return Passing(passing[0])
    return ConditionFailedError(
        {
            name: from_wire(reason["Item"]) if reason.get("Item") else None
            for name, reason in zip(names, reasons, strict=True)
            if reason.get("Code") == CONDITION_FAILED
        }
    )
