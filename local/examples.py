"""What `events/` is about: a customer with tomatoes in the cart, and a payment session that waits to be paid.

The session has the id that the events name, so it is made as of the instant in that id, and can be paid for a century. Once it
is paid it stays so, and its events answer accordingly, until the stack is reset.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from local.embedded_aws import ROOT, AwsEndpoint
from ops.logs import aside
from payfirst.api.wire.new_session import CreateSessionIn
from payfirst.domain.clock import Deadline
from payfirst.domain.ids import made_at, number_of
from payfirst.domain.session import Customer
from payfirst.storage import sessions
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.carts.produce_cart import add_item, read_cart
from payfirst.usecases.checkout.create_session import create_session

EVENTS: Final = ROOT / "events"
LIFETIME: Final = timedelta(days=36525)
SECONDS: Final = 60.0


def example(function: str) -> Any:  # noqa: ANN401 - what JSON holds
    """The event of the function whose folder is `function`."""
    return json.loads((EVENTS / f"{function}.json").read_text(encoding="utf-8"))


def verified_by(event: Any) -> dict[str, str]:  # noqa: ANN401 - what JSON holds
    """The settings under which the token that API Gateway has verified in `event` is the right one; none without a token."""
    try:
        claims = event["requestContext"]["authorizer"]["claims"]
    except (KeyError, TypeError):
        return {}
    return {"TOKEN_ISSUER": claims["iss"], "TOKEN_AUDIENCE": claims["aud"]}


def prepare(environment: Mapping[str, str]) -> None:
    """Let the customer and the session of the events exist in the stack whose functions have `environment`."""
    port = urlsplit(environment["AWS_ENDPOINT_URL"]).port or 0
    table = Table(AwsEndpoint(port).client("dynamodb"), environment["TABLE_NAME"], Deadline(lambda: SECONDS))
    asked, item, paid = example("create_session"), json.loads(example("carts")["body"]), example("initiate_payment")
    claims = paid["requestContext"]["authorizer"]["claims"]
    customer = Customer(claims["sub"], int(claims["custom:user_id"]), claims["email"], claims["name"])

    def fill_cart() -> None:
        now = datetime.now(UTC)
        cart = read_cart(customer=customer, table=table, now=now).cart
        if cart is None or not cart.lines:
            quantity = Decimal(str(item["quantity"]))
            add_item(item["listing_id"], quantity, customer=customer, table=table, now=now, entropy=secrets.token_bytes)

    fill_cart()
    uuid = UUID(paid["pathParameters"]["session_id"])
    number = number_of(uuid)
    if number is None or sessions.read(table, customer.sub, number) is not None:
        return
    bits = (uuid.int & (2**62 - 1)) << 12 | (uuid.int >> 64 & 0xFFF)
    delivery = CreateSessionIn.model_validate_json(asked["body"]).delivery()
    with aside(shown=False):
        create_session(delivery, customer=customer, table=table, now=made_at(number), entropy=bits.to_bytes, lifetime=LIFETIME)
    fill_cart()  # the other one was last touched when that session was made, so nobody wants it any more
