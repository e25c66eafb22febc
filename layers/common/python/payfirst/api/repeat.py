"""`Idempotency-Key`: the same request twice gets the same answer for 24 hours.

Powertools' idempotency replays the answers. It guards no money: a payment is asked for once because its claim is one
conditional write, key or no key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from payfirst.api.errors import RepeatConflictError, Reply, StillRunningError
from payfirst.api.request import Request
from payfirst.domain.errors import ContentionError, FieldProblem, InvalidInputError
from payfirst.observability import warn
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.signed import SignedClient
from payfirst.storage.dynamodb.table import Table, botocores

HEADER: Final = "Idempotency-Key"
LONGEST_KEY: Final = 255
KEPT_S: Final = 24 * 60 * 60
_TOO_SOON: Final = 429
_SERVER_ERRORS: Final = 500


class _NotKeptError(Exception):
    """Takes an answer that must not be replayed past the library that would keep it."""


def repeat_key(request: Request) -> str | None:
    """The request's key; None when it has none. InvalidInputError for one that is empty or longer than 255 characters."""
    key = request.header(HEADER)
    if key is not None and not 1 <= len(key.strip()) <= LONGEST_KEY:
        raise InvalidInputError(FieldProblem(HEADER, f"A key of 1 to {LONGEST_KEY} characters is expected."))
    return key.strip() if key else None


def answered_once(key: str, subject: str, request: Request, table: Table, context: Any, answer: Callable[[], Reply]) -> Reply:  # noqa: ANN401
    """The first answer to this key of this customer on this method and path; `answer` runs only for the first.

    RepeatConflictError when the key came with another body or query, StillRunningError while the first runs, at most until its
    function would be stopped; ContentionError when the table cannot say. Answers of 500 and more are not kept, nor those of
    429: both say that nothing was done and that the same request may be sent again.
    """
    from aws_lambda_powertools.utilities.idempotency import (  # noqa: PLC0415 - only requests with a key pay the import
        DynamoDBPersistenceLayer,
        IdempotencyConfig,
        idempotent_function,
    )
    from aws_lambda_powertools.utilities.idempotency.exceptions import (  # noqa: PLC0415
        IdempotencyAlreadyInProgressError,
        IdempotencyInconsistentStateError,
        IdempotencyPersistenceLayerError,
        IdempotencyValidationError,
    )

    config = IdempotencyConfig(
        event_key_jmespath="scope",
        payload_validation_jmespath="body",
        expires_after_seconds=KEPT_S,
        hash_function="sha256",
        lambda_context=context,
    )
    kept = DynamoDBPersistenceLayer(
        table_name=table.name,
        key_attr="pk",
        sort_key_attr="sk",
        static_pk_value=keys.owner(subject),
        expiry_attr="ttl",
        boto3_client=botocores() if isinstance(table.client, SignedClient) else table.client,
    )

    given: list[Reply] = []

    def run(*, sent: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - the library reads it
        reply = answer()
        given.append(reply)
        if reply.status >= _SERVER_ERRORS or reply.status == _TOO_SOON:
            raise _NotKeptError
        return {"status": reply.status, "body": reply.body, "headers": dict(reply.headers)}

    run_once = idempotent_function(
        run, data_keyword_argument="sent", config=config, persistence_store=kept, key_prefix=keys.KEPT_ANSWER
    )
    http = request.event["requestContext"]["http"]
    query = urlencode(sorted((request.event.get("queryStringParameters") or {}).items()))
    sent = {"scope": [http["method"], request.event["rawPath"], key], "body": request.raw.hex() + f"?{query}" * bool(query)}
    try:
        first: dict[str, Any] = run_once(sent=sent)
    except _NotKeptError:
        return given[0]
    except IdempotencyValidationError as exc:
        raise RepeatConflictError(f"This {HEADER} was used for another body or query.") from exc
    except IdempotencyAlreadyInProgressError as exc:
        raise StillRunningError(f"The first request with this {HEADER} is still running.") from exc
    except (IdempotencyPersistenceLayerError, IdempotencyInconsistentStateError) as exc:
        warn("repeat.not_kept", answered=bool(given), error=type(exc).__name__)
        if given:  # what was asked for is done: its answer is worth more than the promise to give it again
            return given[0]
        raise ContentionError("The table is busy; please try again.") from exc
    return Reply(int(first["status"]), first["body"], first["headers"])
