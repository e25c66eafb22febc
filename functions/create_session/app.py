"""New and extended sessions (document B): plain writes, no gateway."""

from __future__ import annotations

import secrets

from payfirst.api.app import build_app
from payfirst.api.errors import Reply
from payfirst.api.request import Request
from payfirst.api.resources import customer, lifetime, limits, table
from payfirst.api.values import check_day, given
from payfirst.api.wire.fields import NothingIn
from payfirst.api.wire.new_session import CreateSessionIn
from payfirst.api.wire.sessions import ExtendedOut, SessionOut
from payfirst.domain.errors import InvalidInputError
from payfirst.settings import settings
from payfirst.usecases.checkout import create_session as sessions


def create(request: Request) -> Reply:
    """`POST /api/payments/sessions/`"""
    body = request.body(CreateSessionIn)
    wanted = body.delivery()
    check_day(body.field_of_day, wanted.estimated_delivery_date, request.now)
    try:
        session = sessions.create_session(
            wanted,
            customer=customer(request),
            table=table(request.deadline),
            now=request.now,
            entropy=secrets.token_bytes,
            lifetime=lifetime(),
            limits=limits(),
            area=settings().delivery_fees,
        )
    except InvalidInputError as error:
        raise error.inside(body.DELIVERY) from error
    return Reply(201, SessionOut.of(session, request.now))


def extend(request: Request, session_id: str) -> Reply:
    """`POST /api/payments/sessions/{session_id}/extend_session/`"""
    request.body(NothingIn)
    extended = sessions.extend_session(
        given(session_id), customer=customer(request), table=table(request.deadline), now=request.now, step=lifetime()
    )
    return Reply(200, ExtendedOut.of(extended))


handler = build_app("create_session", {"create_session": create, "extend_session": extend})
