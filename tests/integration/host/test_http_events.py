"""The REST API's events and answers, over real HTTP against real Lambda workers."""

from __future__ import annotations

import base64
import http.client
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.integration.host.conftest import SampleHost


def test_an_event_has_the_form_of_payload_version_one(host: SampleHost) -> None:
    before = int(time.time() * 1000)
    headers = {"X-Thing": "One", "Cookie": "a=1; b=2", "User-Agent": "a test", "Host": "evil.example"}
    event = host.event("/open/?name=a%20b&name=c+d&empty=", headers=headers)["event"]
    context = event["requestContext"]

    assert (event["resource"], event["path"], event["httpMethod"]) == ("/open", "/open/", "GET")
    assert event["multiValueQueryStringParameters"] == {"name": ["a b", "c d"], "empty": [""]}
    assert event["queryStringParameters"] == {"name": "c d", "empty": ""}
    assert event["headers"]["X-Thing"] == "One"
    assert event["multiValueHeaders"]["Cookie"] == ["a=1; b=2"]
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "a test"}
    assert (context["stage"], context["path"], context["resourcePath"]) == ("live", "/live/open/", "/open")
    assert context["domainName"] == f"{context['apiId']}.execute-api.us-east-1.amazonaws.com"
    assert before <= context["requestTimeEpoch"] <= int(time.time() * 1000)
    assert (event["body"], event["isBase64Encoded"], event["pathParameters"]) == (None, False, None)
    assert "authorizer" not in context


def test_header_values_that_come_twice_are_all_told(host: SampleHost) -> None:
    connection = http.client.HTTPConnection(urlsplit(host.base_url).netloc, timeout=30)
    connection.putrequest("GET", "/answer-is-not-here")
    connection.putheader("X-Twice", "1")
    connection.putheader("X-Twice", "2")
    connection.endheaders()
    answer = connection.getresponse().read()
    connection.close()

    assert b'"X-Twice": ["1", "2"]' in answer


def test_the_function_runs_as_lambda_runs_it(host: SampleHost) -> None:
    seen = host.event("/open")

    assert seen["arn"] == "arn:aws:lambda:us-east-1:000000000000:function:echo"
    assert seen["memory"] == "256"
    assert 3000 < seen["remaining_ms"] <= 5000
    assert seen["environment"]["GREETING"] == "jambo"
    assert seen["environment"]["PLACE"] == "us-east-1-jambo"
    assert seen["environment"]["LAMBDA_TASK_ROOT"].endswith("sample/functions/echo")
    assert seen["environment"]["HOME"] is None, "nothing of this machine's environment reaches a function"


def resource(host: SampleHost, path: str, method: str = "GET") -> str:
    return str(host.event(path, method)["event"]["resource"])


def test_a_slash_at_the_end_makes_no_difference(host: SampleHost) -> None:
    assert resource(host, "/open") == resource(host, "/open/") == "/open"
    assert resource(host, "/things/fixed/") == "/things/fixed"


def test_a_fixed_path_wins_over_a_variable_and_both_over_the_rest(host: SampleHost) -> None:
    assert resource(host, "/things/fixed") == "/things/fixed"
    assert resource(host, "/things/other") == "/things/{thing_id}"
    assert resource(host, "/things") == "/{proxy+}"
    assert resource(host, "/things/other", "POST") == "/{proxy+}"


def test_what_no_resource_serves_is_answered_by_the_api_itself(host: SampleHost) -> None:
    answer = host.get("/")

    assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})


def test_a_path_variable_arrives_as_it_was_sent(host: SampleHost) -> None:
    event = host.event("/things/caf%C3%A9%20au%20lait")["event"]

    assert event["pathParameters"] == {"thing_id": "caf%C3%A9%20au%20lait"}
    assert event["path"] == "/things/caf%C3%A9%20au%20lait"
    assert resource(host, "/things/a%2Fb") == "/things/{thing_id}"


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", "application/pdf", None])
def test_a_body_is_text_whatever_its_content_type(host: SampleHost, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    event = host.event("/open", "POST", data=b'{"a": "\xc3\xa9"}', headers=headers)["event"]

    assert (event["isBase64Encoded"], event["body"]) == (False, '{"a": "é"}')


def test_bytes_that_are_no_text_arrive_mended(host: SampleHost) -> None:
    event = host.event("/open", "POST", data=b"\xff\x00", headers={"content-type": "text/plain"})["event"]

    assert event["body"] == "\ufffd\x00"


def test_an_answer_carries_status_headers_cookies_and_bytes(host: SampleHost) -> None:
    answer = host.answer(
        {
            "statusCode": 201,
            "headers": {"X-Number": 7, "Content-Type": "application/octet-stream"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2; Path=/"]},
            "body": base64.b64encode(b"\x00\xff").decode(),
            "isBase64Encoded": True,
        }
    )

    assert answer.status_code == 201
    assert answer.headers["x-number"] == "7"
    assert answer.content == b"\x00\xff"
    assert answer.raw.headers.getlist("set-cookie") == ["a=1", "b=2; Path=/"]


@pytest.mark.parametrize(
    "declared",
    [
        {"statusCode": "high"},
        {"hello": "world"},
        "hello",
        {"statusCode": 200, "cookies": ["a=1"]},
        {"statusCode": 42},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": {"x-split": "a\r\nset-cookie: b=1"}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "body": "%%%", "isBase64Encoded": True},
    ],
)
def test_an_answer_that_http_cannot_carry_is_an_internal_error(host: SampleHost, declared: Any) -> None:
    answer = host.answer(declared)

    assert (answer.status_code, answer.json()) == (502, {"message": "Internal server error"})
    assert "set-cookie" not in answer.headers


def raw_exchange(host: SampleHost, sent: bytes) -> bytes:
    """The first bytes of the answer to raw bytes."""
    address = urlsplit(host.base_url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as connection:
        connection.sendall(sent)
        return connection.recv(4096)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /%zz HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /things/%ff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /open?q=%f HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /open HTTP/1.1\r\nhost: x\r\ncontent-length: minus\r\n\r\n",
        b"GET /open HTTP/1.1\r\nhost: x\r\nx-big: " + b"a" * 12_000 + b"\r\n\r\n",
        b"GET /open HTTP/1.1\r\nhost: x\r\nx-huge: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n",
        b"POST /open HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\n\r\n",
    ],
)
def test_hostile_bytes_get_a_client_error_and_the_next_request_is_served(host: SampleHost, sent: bytes) -> None:
    assert raw_exchange(host, sent).startswith(b"HTTP/1.1 4")
    assert host.get("/open").status_code == 200


def test_a_body_of_more_than_ten_megabytes_is_refused_and_one_below_is_not(host: SampleHost) -> None:
    def chunks(count: int) -> Any:
        return (b"x" * 65536 for _ in range(count))

    def sizes(count: int) -> int:
        return requests.post(f"{host.base_url}/hostile/none", data=chunks(count), timeout=30).status_code

    assert sizes(161) == 413
    assert sizes(10) == 200


def test_a_connection_is_kept_for_the_next_request(host: SampleHost) -> None:
    connection = http.client.HTTPConnection(urlsplit(host.base_url).netloc, timeout=30)
    ports = set()
    for _ in range(3):
        connection.request("GET", "/open")
        assert connection.getresponse().read()
        ports.add(connection.sock.getsockname()[1])
    connection.close()

    assert len(ports) == 1
