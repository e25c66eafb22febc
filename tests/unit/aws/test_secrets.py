"""What operators keep in Secrets Manager is what functions read, and a secret that is wrong does not show what it holds."""

from __future__ import annotations

from typing import Any

import pytest

from ops.credential_target import Target, find_target
from payfirst.api.resources import secret
from payfirst.domain.errors import MisconfiguredError
from payfirst.gateways.account import CredentialError
from tests.unit.aws.conftest import ELSEWHERE, InProcessAws

NAME = "shop/gateways"
KEPT = {"consumer_key": "key", "passkey": "a-word-that-nobody-may-see"}


def of(client: Any) -> Target:
    """Where M-Pesa's credentials go."""
    return Target("mpesa", client, NAME)


@pytest.fixture
def made(aws: InProcessAws) -> Any:
    """Secrets Manager with the secret as a deployment makes it, empty."""
    client = aws.client("secretsmanager")
    client.create_secret(Name=NAME)
    return client


def test_what_an_operator_writes_functions_read(made: Any) -> None:
    of(made).write(KEPT)
    other = Target("phonepe", made, NAME)
    other.write({"client_id": "another gateway's"})
    assert secret(NAME) == {"mpesa": KEPT, "phonepe": other.read()}
    assert of(made).read() == KEPT


def test_a_function_asks_once_in_five_minutes(made: Any) -> None:
    of(made).write(KEPT)
    assert secret(NAME) == {"mpesa": KEPT}
    made.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    assert secret(NAME) == {"mpesa": KEPT}


def test_what_was_kept_before_can_be_had_again(made: Any) -> None:
    of(made).write(KEPT)
    of(made).write({"consumer_key": "mistyped"})
    before = made.get_secret_value(SecretId=NAME, VersionStage="AWSPREVIOUS")["SecretString"]
    of(made).write({"consumer_key": "right"})
    assert "a-word-that-nobody-may-see" in before
    assert of(made).read() == {"consumer_key": "right"}


@pytest.mark.parametrize("text", ["{not json", "[1]", '"a-word-that-nobody-may-see"', "null"])
def test_a_secret_that_is_no_object_is_a_misconfiguration_and_is_not_shown(
    made: Any, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    made.put_secret_value(SecretId=NAME, SecretString=text)
    with pytest.raises(MisconfiguredError) as refused:
        secret(NAME)
    with pytest.raises(CredentialError, match="holds something else than credentials"):
        of(made).read()
    assert "nobody-may-see" not in caplog.text + refused.value.message


def test_bytes_are_no_credentials(made: Any) -> None:
    made.put_secret_value(SecretId=NAME, SecretBinary=b"\x00\xff")
    with pytest.raises(CredentialError, match="holds something else than credentials"):
        of(made).read()
    with pytest.raises(MisconfiguredError):
        secret(NAME)


def test_an_empty_secret_is_empty_for_an_operator_and_a_misconfiguration_for_a_function(made: Any) -> None:
    assert of(made).read() is None
    with pytest.raises(MisconfiguredError):
        secret(NAME)


def test_a_secret_that_is_not_there_is_said_in_a_sentence(aws: InProcessAws, caplog: pytest.LogCaptureFixture) -> None:
    there = of(aws.client("secretsmanager"))
    for act in (there.read, lambda: there.write(KEPT)):
        with pytest.raises(CredentialError, match=f"There is no secret {NAME}: deploy the stack first"):
            act()
    with pytest.raises(MisconfiguredError):
        secret(NAME)
    assert caplog.messages == ["secret.unreadable"]


def test_a_secret_of_another_region_is_not_there(aws: InProcessAws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.client("secretsmanager", ELSEWHERE).create_secret(Name=NAME, SecretString='{"mpesa": {"key": "value"}}')
    with pytest.raises(MisconfiguredError):
        secret(NAME)
    with pytest.raises(CredentialError, match="There is no secret"):
        of(aws.client("secretsmanager")).read()
    monkeypatch.setenv("AWS_DEFAULT_REGION", ELSEWHERE)
    assert of(aws.client("secretsmanager", ELSEWHERE)).read() == {"key": "value"}


def test_a_secret_that_waits_for_its_deletion_is_said_in_a_sentence(made: Any) -> None:
    of(made).write(KEPT)
    made.delete_secret(SecretId=NAME)
    with pytest.raises(CredentialError, match=r"AWS refused: .*marked .*deleted"):
        of(made).read()
    with pytest.raises(MisconfiguredError):
        secret(NAME)


def test_credentials_are_never_in_a_repr(made: Any) -> None:
    of(made).write(KEPT)
    target = find_target("mpesa", secret_id=NAME, stack_name=None, home=None)  # type: ignore[arg-type]
    assert target.read() == KEPT
    assert "nobody-may-see" not in repr(target)
