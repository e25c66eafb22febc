"""What handlers hand to use cases: the table, the queue, the gateways, made once for each container."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from payfirst.api.errors import NoSuchRouteError
from payfirst.api.request import Request
from payfirst.domain.clock import Deadline, lasting
from payfirst.domain.errors import MisconfiguredError
from payfirst.domain.fair_use import FairUse
from payfirst.domain.session import Customer
from payfirst.gateways.base import Gateway, GatewayName
from payfirst.observability import alarm, warn
from payfirst.settings import settings
from payfirst.storage.queue import Queue, sqs
from payfirst.storage.table import Table, dynamodb
from payfirst.usecases.settling import Settling
from payfirst.usecases.shared_tokens import SharedTokens
from payfirst.usecases.start_attempt import Till
from payfirst.usecases.take_notice import Desk

if TYPE_CHECKING:
    from payfirst.gateways.mpesa.credentials import MpesaCredentials
    from payfirst.gateways.phonepe.credentials import PhonePeCredentials
    from payfirst.gateways.phonepe_v1 import PhonePeV1Credentials

OPERATORS: Final = "operators"
"""The group of the shop's own people in the user pool."""

SECRET_LIVES_S: Final = 300
GATEWAY_CALL_S: Final = 10.0
TOKEN_PATIENCE_S: Final = 2.0
ANSWER_NOTICES_IN_S: Final = 2.5


def table(deadline: Deadline) -> Table:
    """The table, for a request that has until `deadline`."""
    return Table(dynamodb(), settings().table_name, deadline)


def queue() -> Queue:
    """The settle queue."""
    return Queue(sqs(), settings().settle_queue_url)


def customer(request: Request) -> Customer:
    """Who is calling; UnauthorizedError without an ID token of this shop."""
    return request.customer(settings().token_issuer, settings().token_audience)


def operator(request: Request) -> str:
    """Who of the shop's own people is calling, as timelines name them.

    UnauthorizedError as for `customer`. To everybody else the route does not exist: NoSuchRouteError.
    """
    who = customer(request)
    if OPERATORS not in request.groups:
        raise NoSuchRouteError("Not found")
    return f"operator:{who.email or who.sub}"


def secret(name: str) -> Mapping[str, Any]:
    """The JSON object that Secrets Manager keeps under `name`, at most five minutes old.

    MisconfiguredError when it is missing or is no JSON object; its content is never shown.
    """
    from aws_lambda_powertools.utilities.parameters import get_secret  # noqa: PLC0415 - only functions with secrets pay
    from aws_lambda_powertools.utilities.parameters.exceptions import (  # noqa: PLC0415
        GetParameterError,
        TransformParameterError,
    )

    try:
        value = get_secret(name, transform="json", max_age=SECRET_LIVES_S)
    except (GetParameterError, TransformParameterError) as exc:
        alarm("secret.unreadable", secret=name, error=type(exc).__name__)
        raise MisconfiguredError("A secret of the shop cannot be read.") from exc
    if not isinstance(value, dict):
        raise MisconfiguredError("A secret of the shop is not a JSON object.")
    return value


def _credentials(name: str, kind: type[Any]) -> Any:  # noqa: ANN401 - one of the credential dataclasses
    from dataclasses import fields  # noqa: PLC0415

    kept = secret(name)
    known = {field.name: kept[field.name] for field in fields(kind) if field.name in kept}
    try:
        return kind(**known)
    except TypeError as exc:
        raise MisconfiguredError("A gateway's secret lacks a value; set its credentials again.") from exc


def gateway(name: GatewayName) -> Gateway:
    """The client of that gateway, with the credentials as they are now; its access token is kept while they stay the same."""
    if name is GatewayName.MPESA:
        from payfirst.gateways.mpesa.credentials import MpesaCredentials  # noqa: PLC0415

        return _mpesa(_credentials(settings().mpesa_secret_id, MpesaCredentials))
    return _phonepe(phonepe_credentials())


def phonepe_credentials() -> PhonePeCredentials | PhonePeV1Credentials:
    """PhonePe's credentials, with what its notices are recognised by; with a salt key they are those of its first API."""
    name = settings().phonepe_secret_id
    if "salt_key" in secret(name):
        from payfirst.gateways.phonepe_v1 import PhonePeV1Credentials  # noqa: PLC0415

        first: PhonePeV1Credentials = _credentials(name, PhonePeV1Credentials)
        return first
    from payfirst.gateways.phonepe.credentials import PhonePeCredentials  # noqa: PLC0415

    credentials: PhonePeCredentials = _credentials(name, PhonePeCredentials)
    return credentials


@cache
def _container() -> str:
    return secrets.token_hex(8)


def _shared_tokens() -> SharedTokens:
    return SharedTokens(table(lasting(TOKEN_PATIENCE_S)))


@lru_cache(maxsize=2)
def _mpesa(credentials: MpesaCredentials) -> Gateway:
    from payfirst.gateways.mpesa.client import Mpesa  # noqa: PLC0415

    return Mpesa(credentials, settings().mpesa_base_url, _shared_tokens(), _container())


@lru_cache(maxsize=2)
def _phonepe(credentials: PhonePeCredentials | PhonePeV1Credentials) -> Gateway:
    from payfirst.gateways.phonepe.credentials import PhonePeCredentials  # noqa: PLC0415

    if not isinstance(credentials, PhonePeCredentials):
        from payfirst.gateways.phonepe_v1 import PhonePeV1  # noqa: PLC0415

        return PhonePeV1(credentials, settings().phonepe_base_url)
    from payfirst.gateways.phonepe.client import PhonePe  # noqa: PLC0415

    return PhonePe(credentials, settings().phonepe_base_url, settings().phonepe_token_url, _shared_tokens(), _container())


@cache
def check_callback_address() -> None:
    """MisconfiguredError in production when M-Pesa's results would go to an address that Safaricom refuses; else a warning."""
    from payfirst.gateways.mpesa.callback_address import Severity, callback_address_problem  # noqa: PLC0415

    problem = callback_address_problem(f"{settings().callback_origin}/cb/stk/", settings().stage)
    if problem is not None:
        facts = {"problem": problem.message, "word": problem.word, "place": problem.place}
        if problem.severity is Severity.ERROR:
            alarm("callback_address.refused", **facts)
            raise MisconfiguredError("M-Pesa cannot reach this shop; an operator has to mend the callback address.")
        warn("callback_address.doubtful", **facts)


def _collecting(name: GatewayName) -> Gateway:
    """The gateway for a new payment: none whose result would never reach this shop, whatever is paid for."""
    if name is GatewayName.MPESA:
        check_callback_address()
    return gateway(name)


def till(request: Request) -> Till:
    """What initiating a payment needs."""
    return Till(
        table=table(request.deadline),
        queue=queue(),
        gateway=_collecting,
        callback_origin=settings().callback_origin,
        public_origin=settings().public_origin,
        pace=timedelta(seconds=settings().phone_pace_seconds),
        now=request.now,
        entropy=secrets.token_bytes,
        deadline=request.deadline,
        longest_call_s=GATEWAY_CALL_S,
        fair_use=limits(),
    )


def desk(now: datetime, deadline: Deadline) -> Desk:
    """What taking notices and looking at attempts needs, for a function that has until `deadline`."""
    return Desk(
        settling=Settling(table(deadline), now, secrets.token_bytes, settings().late_payment),
        gateway=gateway,
        queue=queue(),
        confirm=settings().mpesa_confirm_with_query,
        callback_origin=settings().callback_origin,
        deadline=deadline,
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
