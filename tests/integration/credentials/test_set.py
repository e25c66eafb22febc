"""`payfirst credentials set`: whole, right and known to the gateway, or nothing is stored."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from local.ports import free_port
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.gateways.phonepe.credentials import PhonePeCredentials

from .operator import Operator


def test_mpesas_usual_variables_are_stored_as_the_functions_read_them(operator: Operator) -> None:
    said = operator.do("set", "mpesa", given=operator.mpesa())
    assert said.code == 0
    stored = operator.stored()
    assert stored is not None
    assert MpesaCredentials(**stored) == MpesaCredentials(
        operator.canaries.key, operator.canaries.secret, "600123", operator.canaries.passkey
    )
    assert operator.secret_id in said.output
    assert "known to the gateway" in said.output


def test_phonepes_variables_are_stored_as_the_functions_read_them(operator: Operator) -> None:
    assert operator.do("set", "phonepe", given=operator.phonepe(PHONEPE_MERCHANT_ID="SHOP")).code == 0
    stored = operator.stored()
    assert stored is not None
    assert PhonePeCredentials(**stored) == PhonePeCredentials(
        "SHOP_2611", operator.canaries.client_secret, "1", "SHOP", "shop_notices", operator.canaries.password
    )


def test_what_refunds_need_is_taken_as_safaricoms_certificate_made_it(operator: Operator) -> None:
    more = {
        "MPESA_INITIATOR_NAME": "apiuser",
        "MPESA_SECURITY_CREDENTIAL": operator.canaries.credential,
        "MPESA_TILL": "5512345",
    }
    assert operator.do("set", "mpesa", given=operator.mpesa(**more)).code == 0
    stored = operator.stored() or {}
    assert (stored["initiator_name"], stored["security_credential"], stored["till"]) == (
        "apiuser",
        operator.canaries.credential,
        "5512345",
    )


@pytest.mark.parametrize("by", ["variables", "fields"])
@pytest.mark.parametrize("gateway", ["mpesa", "phonepe"])
def test_json_on_standard_input_is_taken_instead_of_the_environment(operator: Operator, gateway: str, by: str) -> None:
    body = operator.whole(gateway)
    if by == "fields":
        assert operator.do("set", gateway, "--no-check", given=body).code == 0
        body = operator.stored() or {}
    elsewhere = dict.fromkeys(body, "9") if by == "variables" else {}
    assert operator.do("set", gateway, "--stdin", given=elsewhere, stdin=body).code == 0
    names = {field.name for kind in (MpesaCredentials, PhonePeCredentials) for field in fields(kind)}
    assert (operator.stored() or {}).keys() <= names
    assert set((operator.stored() or {}).values()) == set(body.values())


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', '{"consumer_key": 1}', '{"passkey": null}'])
def test_standard_input_that_is_no_object_of_strings_is_refused(operator: Operator, body: str) -> None:
    said = operator.do("set", "mpesa", "--stdin", stdin=body)
    assert (said.code, said.error) == (1, "Standard input must be a JSON object whose values are strings.")
    assert operator.stored() is None


def test_a_key_that_is_not_known_is_refused_and_not_repeated(operator: Operator) -> None:
    said = operator.do("set", "mpesa", "--stdin", stdin={**operator.mpesa(), operator.canaries.wrong: "x"})
    assert said.code == 1
    assert "a key that is none of" in said.error
    assert operator.stored() is None


@pytest.mark.parametrize(
    ("gateway", "variable", "value"),
    [
        ("mpesa", "MPESA_CONSUMER_KEY", "two words"),
        ("mpesa", "MPESA_CONSUMER_KEY", "a:colon"),
        ("mpesa", "MPESA_CONSUMER_SECRET", "naïve"),
        ("mpesa", "MPESA_CONSUMER_SECRET", "x" * 513),
        ("mpesa", "MPESA_BUSINESS_SHORTCODE", "1234"),
        ("mpesa", "MPESA_BUSINESS_SHORTCODE", "12345678"),
        ("mpesa", "MPESA_BUSINESS_SHORTCODE", "17437a"),
        ("mpesa", "MPESA_BUSINESS_SHORTCODE", "١٧٤٣٧٩"),
        ("mpesa", "MPESA_PASSKEY", "two\nlines"),
        ("mpesa", "MPESA_TILL", "till 5"),
        ("mpesa", "MPESA_SECURITY_CREDENTIAL", "ThePasswordItself1!"),
        ("mpesa", "MPESA_SECURITY_CREDENTIAL", "VGhlUGFzc3dvcmRJdHNlbGY="),
        ("mpesa", "MPESA_INITIATOR_NAME", "api user"),
        ("phonepe", "PHONEPE_CLIENT_ID", "two words"),
        ("phonepe", "PHONEPE_CLIENT_SECRET", "a\tb"),
        ("phonepe", "PHONEPE_CLIENT_VERSION", "v1"),
        ("phonepe", "PHONEPE_CLIENT_VERSION", "1.0"),
        ("phonepe", "PHONEPE_WEBHOOK_USERNAME", "four"),
        ("phonepe", "PHONEPE_WEBHOOK_USERNAME", "with-hyphen"),
        ("phonepe", "PHONEPE_WEBHOOK_USERNAME", "x" * 21),
        ("phonepe", "PHONEPE_WEBHOOK_PASSWORD", "onlyletters"),
        ("phonepe", "PHONEPE_WEBHOOK_PASSWORD", "1234567890"),
        ("phonepe", "PHONEPE_WEBHOOK_PASSWORD", "Short1"),
        ("phonepe", "PHONEPE_WEBHOOK_PASSWORD", "Sign5!here"),
        ("phonepe", "PHONEPE_MERCHANT_ID", "two words"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_stored(operator: Operator, gateway: str, variable: str, value: str) -> None:
    said = operator.do("set", gateway, given=operator.whole(gateway, **{variable: value}))
    assert said.code == 1
    assert said.error.startswith(f"{variable} must be ")
    assert value not in said.error
    assert operator.stored() is None


@pytest.mark.parametrize(
    ("gateway", "variable"),
    [
        ("mpesa", "MPESA_CONSUMER_KEY"),
        ("mpesa", "MPESA_CONSUMER_SECRET"),
        ("mpesa", "MPESA_BUSINESS_SHORTCODE"),
        ("mpesa", "MPESA_PASSKEY"),
        ("phonepe", "PHONEPE_CLIENT_ID"),
        ("phonepe", "PHONEPE_CLIENT_SECRET"),
        ("phonepe", "PHONEPE_CLIENT_VERSION"),
        ("phonepe", "PHONEPE_WEBHOOK_USERNAME"),
        ("phonepe", "PHONEPE_WEBHOOK_PASSWORD"),
    ],
)
def test_a_missing_value_is_named_and_nothing_is_stored(operator: Operator, gateway: str, variable: str) -> None:
    said = operator.do("set", gateway, given=operator.whole(gateway, **{variable: None}))
    assert said.code == 1
    assert said.error.startswith(f"{variable} is missing")
    assert operator.stored() is None


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_value_is_a_missing_one(operator: Operator, value: str) -> None:
    assert operator.do("set", "mpesa", given=operator.mpesa(MPESA_PASSKEY=value)).error.startswith("MPESA_PASSKEY is missing")
    assert operator.do("set", "mpesa", given=operator.mpesa(MPESA_TILL=value)).code == 0
    assert "till" not in (operator.stored() or {})


@pytest.mark.parametrize("variable", ["MPESA_INITIATOR_NAME", "MPESA_SECURITY_CREDENTIAL"])
def test_half_of_what_refunds_need_is_refused(operator: Operator, variable: str) -> None:
    value = "apiuser" if variable.endswith("NAME") else operator.canaries.credential
    said = operator.do("set", "mpesa", given=operator.mpesa(**{variable: value}))
    assert (said.code, "are needed together" in said.error) == (1, True)
    assert operator.stored() is None


@pytest.mark.parametrize(
    ("gateway", "variable"),
    [("mpesa", "MPESA_CONSUMER_SECRET"), ("mpesa", "MPESA_CONSUMER_KEY"), ("phonepe", "PHONEPE_CLIENT_SECRET")],
)
def test_credentials_that_the_gateway_does_not_know_are_not_stored(operator: Operator, gateway: str, variable: str) -> None:
    said = operator.do("set", gateway, given=operator.whole(gateway, **{variable: operator.canaries.wrong}))
    assert said.code == 1
    assert "does not know these credentials" in said.error
    assert operator.stored() is None


def test_what_is_stored_stays_when_new_credentials_are_not_known(operator: Operator) -> None:
    operator.do("set", "mpesa", given=operator.mpesa())
    before = operator.stored()
    assert operator.do("set", "mpesa", given=operator.mpesa(MPESA_CONSUMER_KEY=operator.canaries.wrong)).code == 1
    assert operator.stored() == before


def test_a_gateway_that_cannot_be_asked_stores_nothing(operator: Operator) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    said = operator.do("set", "mpesa", "--base-url", nobody, given=operator.mpesa())
    assert (said.code, "could not be asked" in said.error) == (1, True)
    assert operator.stored() is None


def test_no_check_stores_without_asking_anybody(operator: Operator) -> None:
    said = operator.run("set", "mpesa", "--secret-id", operator.secret_id, "--no-check", given=operator.mpesa())
    assert (said.code, "not tried" in said.output) == (0, True)
    assert (operator.stored() or {})["consumer_key"] == operator.canaries.key


@contextmanager
def echoing_gateway() -> Iterator[str]:
    """A gateway whose refusal repeats whatever it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            words = f"{self.headers.get('Authorization', '')} {sent}"
            body = json.dumps({"errorCode": "400.008.01", "errorMessage": words, "code": "X", "message": words}).encode()
            self.send_response(400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = answer  # noqa: N815 - the names are the base class's
        do_POST = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("gateway", ["mpesa", "phonepe"])
def test_a_gateway_that_repeats_a_secret_does_not_get_it_printed(operator: Operator, gateway: str) -> None:
    with echoing_gateway() as address:
        said = operator.do("set", gateway, "--base-url", address, given=operator.whole(gateway))
    assert said.code == 1
    assert "does not know these credentials" in said.error
    assert "…" in said.error
