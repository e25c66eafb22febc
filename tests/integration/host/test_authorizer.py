"""Who calls is settled before any function runs."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
import requests

from tests.integration.host.conftest import SampleHost
from tests.issuer import TokenIssuer


def ask(host: SampleHost, authorization: str | None) -> requests.Response:
    return host.get("/mine", headers={} if authorization is None else {"Authorization": authorization})


def test_a_good_token_gives_the_function_its_claims_as_text(host: SampleHost, issuer: TokenIssuer) -> None:
    groups: dict[str, Any] = {"cognito:groups": ["operators", "staff"]}
    token = issuer.token(user_id=7, sub="me", **groups)
    answer = ask(host, f"Bearer {token}")

    assert answer.status_code == 200
    claims = answer.json()["event"]["requestContext"]["authorizer"]["claims"]
    assert claims["sub"] == "me"
    assert claims["custom:user_id"] == "7"
    assert claims["email_verified"] == "true"
    assert claims["cognito:groups"] == "operators,staff"
    assert "UTC" in claims["exp"], "an instant is told in words"
    assert all(isinstance(value, str) for value in claims.values())


def test_the_bare_token_is_taken_too(host: SampleHost, issuer: TokenIssuer) -> None:
    assert ask(host, issuer.token()).status_code == 200
    assert ask(host, f"bearer {issuer.token()}").status_code == 200


def test_a_token_of_a_key_that_is_new_is_known_after_one_look(host: SampleHost, issuer: TokenIssuer) -> None:
    time.sleep(2.1)  # the authorizer reads the keys at most every two seconds
    issuer.rotate()

    assert ask(host, issuer.token()).status_code == 200


def test_an_access_token_is_refused(host: SampleHost, issuer: TokenIssuer) -> None:
    assert ask(host, issuer.token(aud=None, client_id=issuer.audience, token_use="access")).status_code == 401


def unsigned(token: str) -> str:
    """The claims of `token` under the algorithm `none`."""
    header = base64.urlsafe_b64encode(b'{"alg": "none", "typ": "JWT"}').rstrip(b"=").decode()
    return f"{header}.{token.split('.')[1]}."


def with_shared_secret(token: str, issuer: TokenIssuer) -> str:
    """The claims of `token`, signed HS256 with what everybody can read."""
    header = json.dumps({"alg": "HS256", "kid": jwt.get_unverified_header(token)["kid"]}).encode()
    signed = f"{base64.urlsafe_b64encode(header).rstrip(b'=').decode()}.{token.split('.')[1]}"
    signature = hmac.digest(json.dumps(issuer.published()["keys"][0]).encode(), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def tampered(token: str) -> str:
    """`token` with another customer's number in it."""
    header, payload, signature = token.split(".")
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["custom:user_id"] = "1000"
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{header}.{changed}.{signature}"


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(lambda _: None, id="none"),
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: "Bearer ", id="only the word"),
        pytest.param(lambda _: "Bearer not.a.token", id="garbled"),
        pytest.param(lambda _: "Bearer ééé", id="not ASCII"),
        pytest.param(lambda _: "Basic dXNlcjpwYXNz", id="another scheme"),
        pytest.param(lambda issuer: issuer.token(exp=int(time.time()) - 1), id="expired"),
        pytest.param(lambda issuer: issuer.token(exp=None), id="without an end"),
        pytest.param(lambda issuer: issuer.token(nbf=int(time.time()) + 600), id="not yet valid"),
        pytest.param(lambda issuer: issuer.token(aud="another-shop"), id="wrong audience"),
        pytest.param(lambda issuer: issuer.token(aud=None), id="no audience"),
        pytest.param(lambda issuer: issuer.token(iss="https://elsewhere.example"), id="wrong issuer"),
        pytest.param(lambda issuer: tampered(issuer.token()), id="tampered"),
        pytest.param(lambda issuer: issuer.token()[:-4], id="cut"),
        pytest.param(lambda issuer: unsigned(issuer.token()), id="unsigned"),
        pytest.param(lambda issuer: with_shared_secret(issuer.token(), issuer), id="signed with the public key"),
        pytest.param(lambda _: jwt.encode({"sub": "me"}, "k" * 32, headers={"kid": "made up"}), id="unknown key"),
    ],
)
def test_any_other_token_is_unauthorized_before_the_function_runs(host: SampleHost, issuer: TokenIssuer, bad: Any) -> None:
    authorization = bad(issuer)
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    starts = (host.logs / "echo.log").read_text().count("START")
    answer = host.get("/mine", headers=headers)

    assert (answer.status_code, answer.json()) == (401, {"message": "Please sign in.", "error_code": "UNAUTHORIZED"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert (host.logs / "echo.log").read_text().count("START") == starts


def test_key_ids_that_clients_make_up_do_not_make_the_host_read_keys_each_time(host: SampleHost, issuer: TokenIssuer) -> None:
    before = issuer.reads
    for number in range(20):
        forged = jwt.encode({"sub": "me"}, "k" * 32, headers={"kid": f"made up {number}"})
        assert ask(host, forged).status_code == 401

    assert issuer.reads - before <= 2
