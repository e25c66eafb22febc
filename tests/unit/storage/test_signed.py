"""The table's client asks, reads and fails as botocore's does: the same signatures, answers, errors and second tries."""

from __future__ import annotations

import json
import ssl
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as BOTOCORE_SESSION_VARIABLES
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.certificate import make_certificate
from local.embedded_aws import AwsEndpoint
from payfirst.storage.dynamodb import signed
from payfirst.storage.dynamodb.expressions import from_wire, to_wire
from payfirst.storage.dynamodb.failures import ConditionFailedError, Passing, StorageError, classify
from payfirst.storage.dynamodb.signed import ONLY_BOTOCORE_KNOWS, Keys, SignedClient, Signer, plain_client
from tests.clients import BOTOCORE, BOTOCORES_WORD, CLIENTS, choose

NOW: Final = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
LAMBDAS: Final = {
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "very secret",
    "AWS_REGION": "ap-south-1",
    "AWS_LAMBDA_FUNCTION_NAME": "payfirst-webhook",
}
KEY: Final = {"pk": {"S": "USER#1"}, "sk": {"S": "CART"}}
ITEM: Final = {"pk": "USER#1", "n": 7, "raw": b"\x00\xff", "inner": {"list": ["a", None, True]}}
TYPE: Final = "com.amazonaws.dynamodb.v20120810#"


def in_base64(part: Any) -> Any:
    """An item as it is on the wire."""
    return json.loads(json.dumps(part, default=lambda raw: b64encode(raw).decode()))


class Scripted:
    """A server that gives the answers of `script` in their order, and notes what was asked."""

    def __init__(self) -> None:
        self.script: list[Callable[[BaseHTTPRequestHandler], None]] = []
        self.asked: list[tuple[Mapping[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append((dict(self.headers), body))
                outer.script.pop(0)(self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def answers(status: int, body: Any, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """One answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(raw)

    return answer


def hangs_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted()
    thread = threading.Thread(target=scripted.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield scripted
    scripted.server.shutdown()
    scripted.server.server_close()
    thread.join()


def ours(url: str, *, tries: int = 2) -> SignedClient:
    made = plain_client({**LAMBDAS, "AWS_ENDPOINT_URL": url}, connect_s=1, read_s=0.5, tries=tries)
    assert made is not None
    return made


def botocores(url: str) -> Any:
    session = Session()
    session.set_credentials("AKID", "very secret")
    retries: Any = {"mode": "standard", "total_max_attempts": 1}
    return session.create_client("dynamodb", "ap-south-1", endpoint_url=url, config=Config(retries=retries))


@given(
    st.binary(max_size=200),
    st.sampled_from(["GetItem", "TransactWriteItems"]),
    st.none() | st.text("abcDEF+/=", min_size=1),
    st.sampled_from(["eu-west-1", "cn-north-1"]),
)
def test_a_request_is_signed_as_botocore_signs_it(body: bytes, operation: str, token: str | None, region: str) -> None:
    host = f"dynamodb.{region}.amazonaws.com"
    headers = Signer(Keys("AKID", "very secret", token), region, host).headers(operation, body, NOW.timetuple())
    sent = {name: headers[name] for name in ("Content-Type", "X-Amz-Target")}
    reference = AWSRequest("POST", f"https://{host}/", data=body, headers=sent)
    with patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        SigV4Auth(Credentials("AKID", "very secret", token), "dynamodb", region).add_auth(reference)
    expected = {name.lower(): value for name, value in reference.headers.items()} | {"host": host}
    assert {name.lower(): value for name, value in headers.items()} == expected


def test_what_is_asked_and_answered_is_what_botocore_would(server: Scripted) -> None:
    found = in_base64({"Item": to_wire(ITEM)})
    server.script = [answers(200, found)] * 2
    put = {"TableName": "t", "Item": to_wire(ITEM), "ConditionExpression": "attribute_not_exists(pk)"}
    read = from_wire(ours(server.url).put_item(**put)["Item"])
    botocores(server.url).put_item(**put)
    (our_headers, our_body), (their_headers, their_body) = server.asked
    assert read == ITEM
    assert json.loads(our_body) == json.loads(their_body)
    assert our_headers["X-Amz-Target"] == their_headers["X-Amz-Target"]


REFUSALS: Final = {
    "a false clause, with the item": {
        "__type": f"{TYPE}ConditionalCheckFailedException",
        "message": "no",
        "Item": to_wire(ITEM),
    },
    "a false clause, without one": {"__type": f"{TYPE}ConditionalCheckFailedException", "message": "no"},
    "a cancelled transaction": {
        "__type": f"{TYPE}TransactionCanceledException",
        "Message": "cancelled",
        "CancellationReasons": [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "no", "Item": to_wire(ITEM)}],
    },
    "a throttle": {"__type": f"{TYPE}ProvisionedThroughputExceededException", "message": "slow"},
    "a mistake of ours": {"__type": "com.amazon.coral.validate#ValidationException", "message": "empty key"},
    "no right": {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "not yours"},
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_means_what_botocores_would(server: Scripted, refusal: Any) -> None:
    server.script = [answers(400, in_base64(refusal))] * 2
    errors = []
    for client in (ours(server.url), botocores(server.url)):
        with pytest.raises(ClientError) as caught:
            client.get_item(TableName="t", Key=KEY)
        errors.append(caught.value)
    mine, theirs = errors
    assert (mine.response["Error"]["Code"], mine.operation_name) == (theirs.response["Error"]["Code"], theirs.operation_name)
    assert mine.response["Error"]["Message"] == theirs.response["Error"]["Message"]
    meanings = [classify(error, ("one", "two")) for error in errors]
    assert type(meanings[0]) is type(meanings[1])
    if isinstance(meanings[0], ConditionFailedError) and isinstance(meanings[1], ConditionFailedError):
        assert meanings[0].failed == meanings[1].failed
    if isinstance(meanings[0], Passing):
        assert meanings[0] == meanings[1]


@pytest.mark.parametrize(
    "first",
    [hangs_up, answers(500, {"__type": "InternalServerError"}), answers(503, b"busy"), answers(200, {}, x_amz_crc32="1")],
    ids=["no answer", "an error of theirs", "a front that is busy", "a damaged answer"],
)
def test_what_failed_on_its_way_is_asked_once_more(server: Scripted, first: Any) -> None:
    whole = json.dumps({"Item": KEY}).encode()
    server.script = [first, answers(200, whole, x_amz_crc32=str(zlib.crc32(whole)))]
    assert ours(server.url).get_item(TableName="t", Key=KEY) == {"Item": KEY}


@pytest.mark.parametrize(
    "always",
    [hangs_up, lambda _: time.sleep(0.8), answers(502, b"<html>"), answers(200, {}, x_amz_crc32="1"), answers(200, b"{")],
    ids=["no answer", "too late", "a broken front", "a damaged answer", "half an answer"],
)
def test_a_table_that_cannot_be_reached_is_a_passing_error(server: Scripted, always: Any) -> None:
    server.script = [always] * 2
    with pytest.raises((ClientError, BotoCoreError)) as caught:
        ours(server.url).get_item(TableName="t", Key=KEY)
    assert isinstance(classify(caught.value, ()), StorageError)  # type: ignore[arg-type]


def test_a_connection_that_was_closed_while_it_was_idle_is_not_used(server: Scripted) -> None:
    def last(request: BaseHTTPRequestHandler) -> None:
        answers(200, {})(request)
        request.close_connection = True

    server.script = [last, answers(200, {})]
    client = ours(server.url, tries=1)
    client.get_item(TableName="t", Key=KEY)
    time.sleep(0.05)
    assert client.get_item(TableName="t", Key=KEY) == {}


def test_two_requests_share_a_connection(server: Scripted) -> None:
    ports = []

    def noted(request: BaseHTTPRequestHandler) -> None:
        ports.append(request.client_address[1])
        answers(200, {})(request)

    server.script = [noted, noted]
    client = ours(server.url)
    for _ in range(2):
        client.get_item(TableName="t", Key=KEY)
    assert len(set(ports)) == 1


def test_threads_that_share_a_client_each_get_their_own_answer_over_few_connections(server: Scripted) -> None:
    ports: set[int] = set()

    def echo(request: BaseHTTPRequestHandler) -> None:
        ports.add(request.client_address[1])
        signature = request.headers["Authorization"]
        asked = next(body for headers, body in list(server.asked) if headers["Authorization"] == signature)
        answers(200, {"Item": json.loads(asked)["Key"]})(request)

    server.script = [echo] * 400
    client = ours(server.url)

    def ask(number: int) -> bool:
        key = {"pk": {"S": str(number)}, "sk": {"S": "x"}}
        return bool(client.get_item(TableName="t", Key=key) == {"Item": key})

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(ask, range(400)))
    assert len(ports) <= 16


@pytest.mark.parametrize("name", ONLY_BOTOCORE_KNOWS)
def test_an_environment_that_says_more_than_lambdas_is_botocores(name: str) -> None:
    limits = {"connect_s": 1.0, "read_s": 2.0, "tries": 2}
    assert plain_client(LAMBDAS, **limits) is not None  # type: ignore[arg-type]
    assert plain_client({**LAMBDAS, name: "anything"}, **limits) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "more", [{"AWS_REGION": "eusc-de-east-1"}, {"AWS_REGION": "us-iso-east-1"}, {"AWS_ENDPOINT_URL": "http://a/below"}]
)
def test_an_address_of_another_form_is_botocores(more: dict[str, str]) -> None:
    assert plain_client(LAMBDAS | more, connect_s=1, read_s=2, tries=2) is None


def test_botocore_knows_no_other_words_of_its_own() -> None:
    ends = ("ENDPOINT", "ENDPOINT_URLS", "PROFILE", "ENDPOINT_MODE", "DISCOVERY_ENABLED", "CONFIG_FILE")
    names = [name for _, name, *_ in BOTOCORE_SESSION_VARIABLES.values()]
    words = {word for name in names for word in (name if isinstance(name, list) else [name or ""])}
    assert {word for word in words if word.endswith(ends) and "_EC2_" not in word} <= set(ONLY_BOTOCORE_KNOWS)


@pytest.mark.parametrize("name", LAMBDAS)
def test_an_environment_that_is_not_lambdas_own_is_botocores(name: str) -> None:
    assert plain_client({**LAMBDAS, name: ""}, connect_s=1, read_s=2, tries=2) is None


@pytest.mark.parametrize("chosen", CLIENTS)
def test_a_stack_that_tests_start_has_the_client_that_they_choose(chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BOTOCORES_WORD, raising=False)
    with patch.dict("os.environ"):
        choose(chosen)
        given = LAMBDAS | AwsEndpoint(1).environment()
    assert (plain_client(given, connect_s=1, read_s=2, tries=2) is None) is (chosen == BOTOCORE)


def test_a_traced_stack_has_botocores_client_for_its_subsegments() -> None:
    assert plain_client({**LAMBDAS, "POWERTOOLS_TRACE_DISABLED": "false"}, connect_s=1, read_s=2, tries=2) is None


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ({}, "https://dynamodb.ap-south-1.amazonaws.com"),
        ({"AWS_REGION": "cn-north-1"}, "https://dynamodb.cn-north-1.amazonaws.com.cn"),
        ({"AWS_ENDPOINT_URL": "http://a"}, "http://a"),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_DYNAMODB": "http://b"}, "http://b"),
    ],
)
def test_requests_go_where_botocore_would_send_them(more: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = LAMBDAS | more
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Session().create_client("dynamodb", environment["AWS_REGION"]).meta.endpoint_url == url
    with patch.object(signed, "SignedClient") as made:
        plain_client(environment, connect_s=1, read_s=2, tries=2)
    assert made.call_args.args[2] == url


def test_nobody_reads_a_key_off_a_client() -> None:
    shown = repr(Keys("AKID", "very secret", "token of the role"))
    assert "very secret" not in shown
    assert "token of the role" not in shown


@pytest.mark.parametrize("known", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", ""])
def test_only_a_certificate_of_a_known_authority_is_believed(server: Scripted, tmp_path: Path, known: str) -> None:
    own, trusted = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
    server.script = [answers(200, {})]
    environment = LAMBDAS | {"AWS_ENDPOINT_URL": server.url.replace("http:", "https:")}
    client = plain_client(environment | ({known: str(trusted)} if known else {}), connect_s=2, read_s=2, tries=1)
    assert client is not None
    if known:
        assert client.get_item(TableName="t", Key=KEY) == {}
        return
    with pytest.raises(HTTPClientError, match="CERTIFICATE_VERIFY_FAILED"):
        client.get_item(TableName="t", Key=KEY)
    assert server.asked == []
