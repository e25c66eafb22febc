"""The table's client in Lambda's own environment: one signed JSON request over a kept connection.

It has the operations of botocore's client that requests use, with the same arguments, answers and errors, at a third of the
processor's time; botocore's serves wherever the environment says more than keys and a region (`table.dynamodb`).
Signature: AWS's Signature Version 4; wire: DynamoDB's JSON 1.0, in which binary values are base64.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import certifi
import urllib3
from botocore.exceptions import ClientError, HTTPClientError
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.util.ssl_ import create_urllib3_context

SERVICE: Final = "dynamodb"
JSON: Final = "application/x-amz-json-1.0"
SERVER_ERRORS: Final = 500
MOST_CONNECTIONS: Final = 50
"""What is kept open at most: one for each worker that a function has (`reconcile_payments`)."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Who asks; `session` is the token of a role's passing keys."""

    access: str
    secret: str = field(repr=False)
    session: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs requests of one region to one address."""

    keys: Keys
    region: str
    host: str

    def headers(self, operation: str, body: bytes, now: time.struct_time) -> dict[str, str]:
        """What `POST /` with that body needs to be taken, as of `now` (UTC)."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", now)
        signed = {"content-type": JSON, "host": self.host, "x-amz-date": moment}
        if self.keys.session is not None:
            signed["x-amz-security-token"] = self.keys.session
        signed["x-amz-target"] = f"DynamoDB_20120810.{operation}"
        names = ";".join(signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
        request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{moment[:8]}/{self.region}/{SERVICE}/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self.keys.secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        proof = f"AWS4-HMAC-SHA256 Credential={self.keys.access}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**{name.title(): value for name, value in signed.items()}, "Authorization": proof}


class SignedClient:
    """Asks the table at `url`. A try that is not answered within `read_s` seconds is given up, and made at most `tries` times;
    what DynamoDB answers to a request that came twice its writer's token tells (`table.transact`)."""

    def __init__(
        self,
        keys: Keys,
        region: str,
        url: str,
        *,
        connect_s: float,
        read_s: float,
        tries: int,
        now: Callable[[], time.struct_time] = time.gmtime,
        authorities: str | None,
    ) -> None:
        self._signer = Signer(keys, region, urlsplit(url).netloc)
        self._tries = tries
        self._now = now
        options: dict[str, Any] = {}
        if url.startswith("https:"):
            options["ssl_context"] = context = create_urllib3_context()  # once: it reads every authority
            context.load_verify_locations(authorities)
        self._pool = urllib3.connectionpool.connection_from_url(
            url, maxsize=MOST_CONNECTIONS, timeout=urllib3.Timeout(connect=connect_s, read=read_s), **options
        )

    def get_item(self, **given: Any) -> Mapping[str, Any]:
        return self.ask("GetItem", given)

    def batch_get_item(self, **given: Any) -> Mapping[str, Any]:
        return self.ask("BatchGetItem", given)

    def query(self, **given: Any) -> Mapping[str, Any]:
        return self.ask("Query", given)

    def put_item(self, **given: Any) -> Mapping[str, Any]:
        return self.ask("PutItem", given)

    def update_item(self, **given: Any) -> Mapping[str, Any]:
        return self.ask("UpdateItem", given)

    def delete_item(self, **given: Any) -> Mapping[str, Any]:
        return self.ask("DeleteItem", given)

    def transact_write_items(self, **given: Any) -> Mapping[str, Any]:
        return self.ask("TransactWriteItems", given)

    def ask(self, operation: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """DynamoDB's answer; ClientError for a refusal, HTTPClientError where none of the tries was answered."""
        body = json.dumps(given, default=_base64, separators=(",", ":")).encode()
        for left in range(self._tries - 1, -1, -1):
            try:
                answer = self._pool.urlopen(
                    "POST", "/", body=body, headers=self._signer.headers(operation, body, self._now()), retries=False
                )
                _check(answer)
            except HTTPError as error:
                if not left:
                    raise HTTPClientError(error=error) from error
                continue
            if answer.status < SERVER_ERRORS or not left:
                return _read(operation, answer)
        raise AssertionError("there is at least one try")


ONLY_BOTOCORE_KNOWS: Final = (
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_ACCOUNT_ID",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_ENDPOINT_DISCOVERY_ENABLED",
    "AWS_CONFIG_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    *(name for kind in ("https", "http", "all") for name in (f"{kind}_proxy", f"{kind.upper()}_PROXY")),
)
"""Variables that change whom requests go to, by which way, or in whose name."""
OTHER_DOMAINS: Final = ("us-iso", "eu-iso", "eusc-")
"""What the regions begin with whose addresses do not end in amazonaws.com, nor in China's."""


def plain_client(environment: Mapping[str, str], *, connect_s: float, read_s: float, tries: int) -> SignedClient | None:
    """The client that Lambda's own `environment` is enough for: keys, region, and perhaps another address.

    None outside Lambda, and where the environment asks for something that only botocore knows: its endpoints, profiles,
    proxies, and X-Ray's subsegments.
    """
    known = {name: value for name, value in environment.items() if value}
    needed = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME")
    traced = environment.get("POWERTOOLS_TRACE_DISABLED") == "false"
    if traced or any(name in known for name in ONLY_BOTOCORE_KNOWS) or any(name not in known for name in needed):
        return None
    access, secret, region, _ = (known[name] for name in needed)
    china = ".cn" if region.startswith("cn-") else ""
    regular = f"https://dynamodb.{region}.amazonaws.com{china}"
    url = known.get("AWS_ENDPOINT_URL_DYNAMODB") or known.get("AWS_ENDPOINT_URL") or regular
    if region.startswith(OTHER_DOMAINS) or urlsplit(url).path.strip("/"):
        return None
    return SignedClient(
        Keys(access, secret, known.get("AWS_SESSION_TOKEN")),
        region,
        url,
        connect_s=connect_s,
        read_s=read_s,
        tries=tries,
        authorities=known.get("AWS_CA_BUNDLE") or known.get("REQUESTS_CA_BUNDLE") or certifi.where(),
    )


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _check(answer: urllib3.BaseHTTPResponse) -> None:
    """ProtocolError for an answer that is not what DynamoDB sent."""
    checksum = answer.headers.get("x-amz-crc32")
    if checksum is not None and zlib.crc32(answer.data) != int(checksum):
        raise ProtocolError("the answer's checksum is not its own")


def _read(operation: str, answer: urllib3.BaseHTTPResponse) -> Mapping[str, Any]:
    try:
        body: Mapping[str, Any] = json.loads(answer.data)
    except ValueError as error:
        if answer.status == HTTPStatus.OK:
            raise HTTPClientError(error=error) from error
        body = {}
    if answer.status == HTTPStatus.OK:
        return body
    code = str(body.get("__type", answer.status)).rsplit("#", 1)[-1]
    problem: Any = {
        "Error": {"Code": code, "Message": body.get("message", body.get("Message", ""))},
        "ResponseMetadata": {"HTTPStatusCode": answer.status, "RequestId": answer.headers.get("x-amzn-requestid", "")},
        **{name: body[name] for name in ("Item", "CancellationReasons") if name in body},
    }
    raise ClientError(problem, operation)
