"""`payfirst credentials check` and `rotate`: what is stored, and how it is replaced while both sets are valid."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

import pytest

from payfirst.gateways.phonepe.credentials import PhonePeCredentials

from .operator import Operator


def header(username: str, password: str) -> str:
    return hashlib.sha256(f"{username}:{password}".encode()).hexdigest()


def taken(operator: Operator, password: str, username: str = "shop_notices") -> bool:
    """Whether the functions would take a notice that PhonePe signs with this pair."""
    return PhonePeCredentials(**(operator.stored() or {})).recognises(header(username, password), b"")


def put(operator: Operator, text: str) -> None:
    operator.keeper.put_secret_value(SecretId=operator.secret_id, SecretString=text)


@pytest.mark.parametrize("gateway", ["mpesa", "phonepe"])
def test_check_says_that_stored_credentials_work_and_changes_nothing(operator: Operator, gateway: str) -> None:
    operator.do("set", gateway, given=operator.whole(gateway))
    before = operator.stored()
    said = operator.do("check", gateway)
    assert (said.code, "the gateway gives a token" in said.output) == (0, True)
    assert (operator.stored(), operator.stored("AWSPREVIOUS")) == (before, None)


@pytest.mark.parametrize(("gateway", "variable"), [("mpesa", "MPESA_CONSUMER_SECRET"), ("phonepe", "PHONEPE_CLIENT_SECRET")])
def test_check_fails_when_the_gateway_does_not_know_them_any_more(operator: Operator, gateway: str, variable: str) -> None:
    changed = operator.whole(gateway, **{variable: operator.canaries.wrong})
    operator.do("set", gateway, "--no-check", given=changed)
    said = operator.do("check", gateway)
    assert (said.code, "does not know these credentials" in said.error) == (1, True)


def test_check_says_that_nothing_is_stored_yet(operator: Operator) -> None:
    said = operator.do("check", "mpesa")
    assert said.code == 1
    assert "There are no credentials in" in said.error
    assert "`payfirst credentials set mpesa`" in said.error


@pytest.mark.parametrize("text", ["no json", "[1]", '{"consumer_key": "k"}', '{"mpesa": {"consumer_key": 5}}'])
def test_check_does_not_show_a_secret_that_is_something_else(operator: Operator, text: str) -> None:
    put(operator, text.replace("json", operator.canaries.key))
    said = operator.do("check", "mpesa")
    assert (said.code, "something else than credentials" in said.error) == (1, True)


def test_check_names_what_is_missing_in_the_secret(operator: Operator) -> None:
    put(operator, '{"mpesa": {"consumer_key": "k", "consumer_secret": "s", "shortcode": "600123"}}')
    assert operator.do("check", "mpesa").error.startswith("MPESA_PASSKEY is not stored")


@pytest.mark.parametrize("what", ["set", "check", "rotate"])
def test_a_secret_that_does_not_exist_is_named(operator: Operator, what: str) -> None:
    words = ["--stage", "sandbox"] if what == "check" else ["--no-check"]
    said = operator.run(what, "mpesa", "--secret-id", "payfirst/none", *words, given=operator.mpesa())
    assert (said.code, said.error.startswith("There is no secret payfirst/none")) == (1, True)


def test_new_keys_replace_the_old_ones_which_secrets_manager_keeps(operator: Operator) -> None:
    operator.do("set", "mpesa", "--no-check", given=operator.mpesa(MPESA_CONSUMER_KEY="oldkey", MPESA_TILL="5512345"))
    old = operator.stored()
    keys = {"MPESA_CONSUMER_KEY": operator.canaries.key, "MPESA_CONSUMER_SECRET": operator.canaries.secret}
    said = operator.do("rotate", "mpesa", given=keys)
    assert (said.code, "known to the gateway" in said.output) == (0, True)
    new = operator.stored()
    assert (new or {})["consumer_key"] == operator.canaries.key
    assert {**(old or {}), "consumer_key": operator.canaries.key} == new
    assert operator.stored("AWSPREVIOUS") == old


@pytest.mark.parametrize(
    ("gateway", "change"),
    [("mpesa", "MPESA_CONSUMER_SECRET"), ("phonepe", "PHONEPE_CLIENT_SECRET"), ("phonepe", "PHONEPE_CLIENT_ID")],
)
def test_new_keys_that_the_gateway_does_not_know_replace_nothing(operator: Operator, gateway: str, change: str) -> None:
    operator.do("set", gateway, given=operator.whole(gateway))
    before = operator.stored()
    said = operator.do("rotate", gateway, "--stdin", stdin={change: operator.canaries.wrong})
    assert (said.code, "does not know these credentials" in said.error) == (1, True)
    assert (operator.stored(), operator.stored("AWSPREVIOUS")) == (before, None)


@pytest.mark.parametrize("gateway", ["mpesa", "phonepe"])
@pytest.mark.parametrize("given", ["nothing", "the same"])
def test_a_rotation_without_anything_new_changes_nothing(operator: Operator, gateway: str, given: str) -> None:
    operator.do("set", gateway, given=operator.whole(gateway))
    said = operator.do("rotate", gateway, given=operator.whole(gateway) if given == "the same" else None)
    assert (said.code, said.error.startswith("Nothing is new")) == (1, True)
    assert operator.stored("AWSPREVIOUS") is None


def test_a_wrong_new_value_is_named_and_replaces_nothing(operator: Operator) -> None:
    operator.do("set", "phonepe", given=operator.phonepe())
    before = operator.stored()
    said = operator.do("rotate", "phonepe", given={"PHONEPE_WEBHOOK_PASSWORD": "short"})
    assert said.error.startswith("PHONEPE_WEBHOOK_PASSWORD must be")
    assert operator.stored() == before


def test_a_rotation_needs_something_to_rotate(operator: Operator) -> None:
    said = operator.do("rotate", "mpesa", given=operator.mpesa())
    assert (said.code, "There are no credentials in" in said.error) == (1, True)


def test_both_passwords_of_the_webhook_are_taken_until_the_change_is_finished(operator: Operator) -> None:
    old, new = operator.canaries.password, operator.canaries.new_password
    operator.do("set", "phonepe", given=operator.phonepe())
    assert (taken(operator, old), taken(operator, new)) == (True, False)
    said = operator.do("rotate", "phonepe", given={"PHONEPE_WEBHOOK_PASSWORD": new})
    assert (said.code, "--finish" in said.output) == (0, True)
    assert (taken(operator, old), taken(operator, new)) == (True, True)
    assert "previous name and password are still taken" in operator.do("check", "phonepe").output
    assert operator.do("rotate", "phonepe", "--finish").code == 0
    assert (taken(operator, old), taken(operator, new)) == (False, True)
    assert operator.do("check", "phonepe").code == 0


def test_a_new_name_of_the_webhook_is_taken_beside_the_old_one(operator: Operator) -> None:
    password = operator.canaries.password
    operator.do("set", "phonepe", given=operator.phonepe())
    assert operator.do("rotate", "phonepe", given={"PHONEPE_WEBHOOK_USERNAME": "new_notices"}).code == 0
    assert taken(operator, password)
    assert taken(operator, password, "new_notices")


def test_a_second_change_waits_until_the_first_is_finished(operator: Operator) -> None:
    operator.do("set", "phonepe", given=operator.phonepe())
    operator.do("rotate", "phonepe", given={"PHONEPE_WEBHOOK_PASSWORD": operator.canaries.new_password})
    before = operator.stored()
    said = operator.do("rotate", "phonepe", given={"PHONEPE_WEBHOOK_PASSWORD": "Third0password"})
    assert (said.code, "still open" in said.error) == (1, True)
    assert operator.stored() == before


def test_new_api_keys_leave_the_webhooks_passwords_alone(operator: Operator) -> None:
    operator.do("set", "phonepe", "--no-check", given=operator.phonepe(PHONEPE_CLIENT_SECRET="oldsecret"))
    operator.do("rotate", "phonepe", "--no-check", given={"PHONEPE_WEBHOOK_PASSWORD": operator.canaries.new_password})
    before = operator.stored() or {}
    said = operator.do("rotate", "phonepe", given={"PHONEPE_CLIENT_SECRET": operator.canaries.client_secret})
    assert (said.code, "--finish" in said.output) == (0, False)
    assert operator.stored() == {**before, "client_secret": operator.canaries.client_secret}


@pytest.mark.parametrize(
    ("gateway", "sentence"), [("mpesa", "M-Pesa signs no notices"), ("phonepe", "No change of the webhook's")]
)
def test_finishing_what_was_not_begun_changes_nothing(operator: Operator, gateway: str, sentence: str) -> None:
    operator.do("set", gateway, given=operator.whole(gateway))
    before: Any = operator.stored()
    said = operator.do("rotate", gateway, "--finish")
    assert (said.code, said.error.startswith(sentence)) == (1, True)
    assert operator.stored() == before


def test_every_field_that_a_rotation_stores_is_one_that_the_functions_read(operator: Operator) -> None:
    operator.do("set", "phonepe", given=operator.phonepe(PHONEPE_MERCHANT_ID="SHOP"))
    operator.do("rotate", "phonepe", given={"PHONEPE_WEBHOOK_PASSWORD": operator.canaries.new_password})
    stored = operator.stored() or {}
    assert asdict(PhonePeCredentials(**stored)) == stored
