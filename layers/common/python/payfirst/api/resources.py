"""What handlers hand to use cases: the table, the queue, the gateways, made once for each container."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from payfirst.api.addresses import NoticeAddresses, return_address
from payfirst.api.errors import NoSuchRouteError
from payfirst.api.request import Request
from payfirst.api.shared_tokens import SharedTokens
from payfirst.domain.clock import Deadline, lasting
from payfirst.domain.errors import MisconfiguredError
from payfirst.domain.fair_use import FairUse
from payfirst.domain.session import Customer
from payfirst.gateways.base import Gateway
from payfirst.gateways.declaration import Credentials
from payfirst.gateways.registry import declaration_of
from payfirst.observability import alarm
from payfirst.settings import settings
from payfirst.storage.dynamodb.table import Table, dynamodb
from payfirst.usecases.context import NoticeContext, PaymentContext, SettlementContext

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

    from payfirst.storage.queue import Queue

OPERATORS: Final = "operators"
"""The group of the shop's own people in the user pool."""

SECRET_LIVES_S: Final = 300
GATEWAY_CALL_S: Final = 10.0
TOKEN_PATIENCE_S: Final = 2.0
ANSWER_NOTICES_IN_S: Final = 2.5


def table(deadline: Deadline, *, hasty: bool = False) -> Table:
    """The table, for a request that has until `deadline`; `hasty` where a gateway waits for the answer."""
    return Table(dynamodb(hasty=True) if hasty else dynamodb(), settings().table_name, deadline)


def queue() -> Queue:
    """The settle queue."""
    from payfirst.storage.queue import Queue, sqs  # noqa: PLC0415 - botocore's clients, which most functions never need

    return Queue(sqs, settings().settle_queue_url)


def customer(request: Request) -> Customer:
    """Who is calling; UnauthorizedError without an ID token of this shop."""
    return request.customer(settings().token_issuer, settings().token_audience)


def operator(request: Request) -> str:
    """Who of the shop's own people is calling, as timelines name them: by the `sub`, which nobody can change, with the
    address as it is now.

    UnauthorizedError as for `customer`. To everybody else the route does not exist: NoSuchRouteError.
    """
    who = customer(request)
    if OPERATORS not in request.groups:
        raise NoSuchRouteError("Not found")
    return f"operator:{who.sub} ({who.email})" if who.email else f"operator:{who.sub}"


def secret(name: str) -> Mapping[str, Any]:
    """The JSON object that Secrets Manager keeps under `name`, at most five minutes old.

    MisconfiguredError when it is missing or is no JSON object; its content is never shown.
    """
    from aws_lambda_powertools.utilities.parameters import get_secret  # noqa: PLC0415 - only functions with secrets pay
    from aws_lambda_powertools.utilities.parameters.constants import DEFAULT_PROVIDERS  # noqa: PLC0415
    from aws_lambda_powertools.utilities.parameters.exceptions import (  # noqa: PLC0415
        GetParameterError,
        TransformParameterError,
    )

    DEFAULT_PROVIDERS.setdefault("secrets", _secrets())
    try:
        value = get_secret(name, transform="json", max_age=SECRET_LIVES_S)
    except (GetParameterError, TransformParameterError, UnicodeDecodeError) as exc:
        alarm("secret.unreadable", secret=name, error=type(exc).__name__)
        raise MisconfiguredError("A secret of the shop cannot be read.") from exc
    if not isinstance(value, dict):
        raise MisconfiguredError("A secret of the shop is not a JSON object.")
    return value


@cache
def _secrets() -> SecretsProvider:
    """Secrets Manager, with timeouts that fit an answer to a gateway: one that never answers is a secret that is missing."""
    from aws_lambda_powertools.utilities.parameters import SecretsProvider  # noqa: PLC0415 - see `secret`
    from botocore.config import Config  # noqa: PLC0415

    return SecretsProvider(boto_config=Config(connect_timeout=0.5, read_timeout=1.5, retries={"total_max_attempts": 1}))


def credentials(name: str) -> Credentials:
    """What the gateways' one secret keeps of that gateway, as it is now; MisconfiguredError where that is not enough."""
    kept = secret(settings().gateways_secret_id).get(name.lower())
    if not isinstance(kept, dict):
        alarm("secret.unreadable", secret=settings().gateways_secret_id, gateway=name)
        raise MisconfiguredError("The shop has no credentials of this gateway.")
    try:
        return declaration_of(name).credentials(kept)
    except TypeError as exc:
        raise MisconfiguredError("A gateway's secret lacks a value; set its credentials again.") from exc


def gateway(name: str) -> Gateway:
    """The client of that gateway, with the credentials as they are now; its access token is kept while they stay the same."""
    return _client(name, credentials(name))


@cache
def _container() -> str:
    return secrets.token_hex(8)


def _shared_tokens() -> SharedTokens:
    return SharedTokens(Table(dynamodb(hasty=True), settings().gateway_tokens_table_name, lasting(TOKEN_PATIENCE_S)))


@lru_cache(maxsize=4)
def _client(name: str, credentials: Credentials) -> Gateway:
    return declaration_of(name).client(credentials, _shared_tokens(), _container())


@cache
def check_callbacks(name: str) -> None:
    """MisconfiguredError when that gateway's notices would never reach this shop; looked at once in a container."""
    declaration_of(name).check_callbacks(settings().callback_origin)


def _collecting(name: str) -> Gateway:
    """The gateway for a new payment: none whose result would never reach this shop, whatever is paid for."""
    check_callbacks(name)
    return gateway(name)


def public_origin(request: Request) -> str:
    """Where addresses in answers start: PUBLIC_ORIGIN or, without, the API's own address; MisconfiguredError without either."""
    origin = settings().public_origin or request.api_address(os.environ["AWS_REGION"])
    if origin is None:
        raise MisconfiguredError("This request came past the API, and the shop has no PublicOrigin.")
    return origin


def payment_context(request: Request) -> PaymentContext:
    """What initiating a payment needs."""
    return PaymentContext(
        table=table(request.deadline),
        queue=queue(),
        gateway=_collecting,
        addresses=NoticeAddresses(settings().callback_origin),
        return_url=settings().return_url or return_address(public_origin(request)),
        pace=timedelta(seconds=settings().phone_pace_seconds),
        now=request.now,
        entropy=secrets.token_bytes,
        deadline=request.deadline,
        longest_call_s=GATEWAY_CALL_S,
        search_key=search_key,
        fair_use=limits(),
        days=settings().days,
    )


def settlement_context(request: Request) -> SettlementContext:
    """What settling an attempt needs."""
    return SettlementContext(
        table=table(request.deadline),
        now=request.now,
        entropy=secrets.token_bytes,
        late_payment=settings().late_payment,
        days=settings().days,
    )


def notice_context(
    now: datetime, deadline: Deadline, *, hasty: bool = False, sent_by: Callable[[str], bool] = lambda _: False
) -> NoticeContext:
    """What taking notices and checking attempts needs, for a function that has until `deadline`.

    `sent_by` says for a notice whether it came from where that gateway's may come from; a sweep has none, and believes none.
    """
    return NoticeContext(
        table=table(deadline, hasty=hasty),
        now=now,
        entropy=secrets.token_bytes,
        late_payment=settings().late_payment,
        days=settings().days,
        gateway=gateway,
        queue=queue(),
        confirm=lambda name: declaration_of(name).confirm(),
        addresses=NoticeAddresses(settings().callback_origin),
        deadline=deadline,
        sent_by=sent_by,
    )


def limits() -> FairUse:
    """What one customer and one phone may ask for."""
    return FairUse(
        sessions_per_user=settings().sessions_per_user_hour,
        prompts_per_user=settings().prompts_per_user_hour,
        prompts_per_phone=settings().prompts_per_phone_hour,
        open_sessions=settings().open_sessions_per_user,
    )


def lifetime() -> timedelta:
    """How long a new session can be paid."""
    return timedelta(seconds=settings().session_ttl_seconds)


def cursor_key() -> bytes:
    """The key that signs the cursors of lists."""
    key = secret(settings().cursor_secret_id).get("key")
    if not isinstance(key, str) or not key:
        raise MisconfiguredError("The key for cursors is missing.")
    return key.encode()


def search_key() -> bytes:
    """The key under which payments are found by a phone number or an address: another one, made of that for cursors.

    A secret of its own would cost as much again each month and keep nobody out: whoever reads this one reads the table too,
    where attempts hold their numbers.
    """
    return hmac.digest(cursor_key(), b"search", "sha256")
