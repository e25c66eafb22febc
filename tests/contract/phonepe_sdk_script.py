"""Runs in `.tools/phonepe-sdk`: does with PhonePe's own SDK what it is told, one JSON line in, one JSON line out.

    python phonepe_sdk_script.py BASE_URL CLIENT_ID CLIENT_SECRET

A line is `{"do": NAME, …its arguments}`, and the answer `{"answer": …}` or, when the SDK raises, `{"error": its class,
"status": …, "code": …}`. The first line out is the answer to making the client, which fetches a token.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from phonepe.sdk.pg import env  # type: ignore[import-not-found]
from phonepe.sdk.pg.common.exceptions import PhonePeException  # type: ignore[import-not-found]
from phonepe.sdk.pg.common.models.request.meta_info import MetaInfo  # type: ignore[import-not-found]
from phonepe.sdk.pg.common.models.request.refund_request import RefundRequest  # type: ignore[import-not-found]
from phonepe.sdk.pg.payments.v2.models.request.standard_checkout_pay_request import (  # type: ignore[import-not-found]
    StandardCheckoutPayRequest,
)
from phonepe.sdk.pg.payments.v2.standard_checkout_client import StandardCheckoutClient  # type: ignore[import-not-found]


def answered(act: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"answer": act()}
    except PhonePeException as error:
        return {"error": type(error).__name__, "status": error.http_status_code, "code": error.code}


def pay(client: Any, order_id: str, amount: int, redirect_url: str, udf1: str | None = None) -> Any:
    meta = MetaInfo.build_meta_info(udf1=udf1) if udf1 else None
    request = StandardCheckoutPayRequest.build_request(order_id, amount, redirect_url, meta_info=meta)
    return client.pay(request).to_dict(encode_json=True)


def refund(client: Any, refund_id: str, amount: int, order_id: str) -> Any:
    request = RefundRequest.build_refund_request(refund_id, amount, order_id)
    return client.refund(request).to_dict(encode_json=True)


def status(client: Any, order_id: str) -> Any:
    return client.get_order_status(order_id).to_dict(encode_json=True)


def refund_status(client: Any, refund_id: str) -> Any:
    return client.get_refund_status(refund_id).to_dict(encode_json=True)


def notice(client: Any, username: str, password: str, header: str, body: str) -> Any:
    return client.validate_callback(username, password, header, body).to_dict(encode_json=True)


COMMANDS: dict[str, Callable[..., Any]] = {
    "pay": pay,
    "refund": refund,
    "status": status,
    "refund_status": refund_status,
    "notice": notice,
}


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main(base_url: str, client_id: str, client_secret: str) -> None:
    # The SDK knows two environments and no others: its sandbox is where the simulator is.
    env.SANDBOX_PG_BASE_URL = env.SANDBOX_OAUTH_BASE_URL = base_url
    made: list[Any] = []

    def make() -> str:
        made.append(StandardCheckoutClient.get_instance(client_id, client_secret, 1, env.Env.SANDBOX))
        return "made"

    say(answered(make))
    if not made:
        return
    [client] = made
    try:
        for line in sys.stdin:
            told = json.loads(line)
            say(answered(partial(COMMANDS[told.pop("do")], client, **told)))
    finally:
        client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
