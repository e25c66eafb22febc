"""PhonePe's first API at the command line: a salt key is asked for unseen, tried, and changed without losing a notice."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict

import pytest

from payfirst.gateways.phonepe.v1 import PhonePeV1Credentials, checksum

from .operator import Operator

CONTENT = base64.b64encode(b'{"code": "PAYMENT_SUCCESS", "data": {"merchantTransactionId": "MT1"}}').decode()
NOTICE = json.dumps({"response": CONTENT}).encode()


def taken(operator: Operator, key: str, index: str) -> bool:
    """Whether the functions would take a notice that PhonePe signs with this key."""
    header = checksum(CONTENT, PhonePeV1Credentials("PAYFIRSTUAT", key, index))
    return PhonePeV1Credentials(**(operator.stored() or {})).recognises(header, NOTICE)


def test_a_salt_key_in_the_environment_means_the_first_api(operator: Operator) -> None:
    said = operator.do("set", "phonepe", given=operator.first_api())
    assert (said.code, "known to the gateway" in said.output) == (0, True)
    stored = {"merchant_id": "PAYFIRSTUAT", "salt_key": operator.canaries.salt_key, "salt_index": "1"}
    assert operator.stored() == stored


def test_standard_input_may_hold_it_too(operator: Operator) -> None:
    fields = {"merchant_id": "PAYFIRSTUAT", "salt_key": operator.canaries.salt_key, "salt_index": "1"}
    assert operator.do("set", "phonepe", "--stdin", stdin=fields).code == 0
    assert operator.stored() == fields


@pytest.mark.parametrize("missing", ["PHONEPE_MERCHANT_ID", "PHONEPE_SALT_INDEX"])
def test_what_is_missing_is_named_and_nothing_is_stored(operator: Operator, missing: str) -> None:
    said = operator.do("set", "phonepe", given=operator.first_api(**{missing: None}))
    assert (said.code, said.error.startswith(f"{missing} is missing")) == (1, True)
    assert operator.stored() is None


def test_without_a_salt_key_the_first_api_has_to_be_asked_for(operator: Operator) -> None:
    said = operator.do("set", "phonepe", "--first-api", given=operator.first_api(PHONEPE_SALT_KEY=None))
    assert (said.code, said.error.startswith("PHONEPE_SALT_KEY is missing")) == (1, True)
    said = operator.do("set", "phonepe", given=operator.first_api(PHONEPE_SALT_KEY=None))
    assert (said.code, said.error.startswith("PHONEPE_CLIENT_ID is missing")) == (1, True)


def test_a_salt_key_and_a_client_do_not_go_together(operator: Operator) -> None:
    said = operator.do("set", "phonepe", given=operator.phonepe() | operator.first_api())
    assert (said.code, "two APIs of PhonePe" in said.error) == (1, True)
    assert operator.stored() is None


@pytest.mark.parametrize(
    "change", [{"PHONEPE_SALT_KEY": "wrong"}, {"PHONEPE_SALT_INDEX": "7"}, {"PHONEPE_MERCHANT_ID": "SOMEBODY"}]
)
def test_what_phonepe_does_not_know_is_not_stored(operator: Operator, change: dict[str, str]) -> None:
    said = operator.do("set", "phonepe", given=operator.first_api(**change))
    assert (said.code, "does not know these credentials" in said.error) == (1, True)
    assert operator.stored() is None


def test_check_asks_phonepe_and_says_when_it_does_not_know_them_any_more(operator: Operator) -> None:
    operator.do("set", "phonepe", given=operator.first_api())
    said = operator.do("check", "phonepe")
    assert (said.code, "takes its checksum" in said.output) == (0, True)
    operator.do("set", "phonepe", "--no-check", given=operator.first_api(PHONEPE_SALT_KEY=operator.canaries.wrong))
    said = operator.do("check", "phonepe")
    assert (said.code, "does not know these credentials" in said.error) == (1, True)


def test_a_gateway_that_cannot_be_asked_is_no_wrong_key(operator: Operator) -> None:
    said = operator.do("set", "phonepe", "--base-url", "http://127.0.0.1:9", given=operator.first_api())
    assert (said.code, "could not be asked" in said.error) == (1, True)


def test_both_salt_keys_are_taken_until_the_change_is_finished(operator: Operator) -> None:
    old, new = operator.canaries.salt_key, operator.canaries.new_salt_key
    operator.do("set", "phonepe", given=operator.first_api())
    assert (taken(operator, old, "1"), taken(operator, new, "2")) == (True, False)

    said = operator.do("rotate", "phonepe", given={"PHONEPE_SALT_KEY": new, "PHONEPE_SALT_INDEX": "2"})

    assert (said.code, "--finish" in said.output) == (0, True)
    stored = PhonePeV1Credentials(**(operator.stored() or {}))
    assert checksum("x", stored).endswith("###2")
    assert (taken(operator, old, "1"), taken(operator, new, "2")) == (True, True)
    assert (taken(operator, old, "2"), taken(operator, new, "1")) == (False, False)
    assert "the previous salt key are still taken" in operator.do("check", "phonepe").output
    assert operator.do("rotate", "phonepe", "--finish").code == 0
    assert (taken(operator, old, "1"), taken(operator, new, "2")) == (False, True)
    assert operator.do("check", "phonepe").code == 0


def test_a_second_change_waits_until_the_first_is_finished(operator: Operator) -> None:
    operator.do("set", "phonepe", given=operator.first_api())
    new = {"PHONEPE_SALT_KEY": operator.canaries.new_salt_key, "PHONEPE_SALT_INDEX": "2"}
    operator.do("rotate", "phonepe", given=new)
    before = operator.stored()
    said = operator.do("rotate", "phonepe", given={"PHONEPE_SALT_INDEX": "3"})
    assert (said.code, "the salt key is still open" in said.error) == (1, True)
    assert operator.stored() == before


def test_a_new_key_that_phonepe_does_not_know_replaces_nothing(operator: Operator) -> None:
    operator.do("set", "phonepe", given=operator.first_api())
    before = operator.stored()
    said = operator.do("rotate", "phonepe", given={"PHONEPE_SALT_KEY": operator.canaries.wrong})
    assert (said.code, "does not know these credentials" in said.error) == (1, True)
    assert operator.stored() == before


def test_every_field_that_a_rotation_stores_is_one_that_the_functions_read(operator: Operator) -> None:
    operator.do("set", "phonepe", given=operator.first_api())
    new = {"PHONEPE_SALT_KEY": operator.canaries.new_salt_key, "PHONEPE_SALT_INDEX": "2"}
    operator.do("rotate", "phonepe", given=new)
    stored = operator.stored() or {}
    assert asdict(PhonePeV1Credentials(**stored)) == stored


def test_the_second_api_takes_its_place_at_once(operator: Operator) -> None:
    operator.do("set", "phonepe", given=operator.first_api())
    assert operator.do("set", "phonepe", given=operator.phonepe()).code == 0
    assert "salt_key" not in (operator.stored() or {})
