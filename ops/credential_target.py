"""Where credentials go: the secret of the running local stack, of a deployed stack, or one that the operator names."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ops.credential_fields import CredentialError, Values
from ops.running import NoStackError, enter
from payfirst.settings import Stage

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CONFIG: Final = Config(connect_timeout=5, read_timeout=30)


class Account(StrEnum):
    """The gateways whose credentials are kept."""

    MPESA = "mpesa"
    PHONEPE = "phonepe"


@dataclass(frozen=True, slots=True)
class _Names:
    setting: str
    output: str
    address_setting: str
    address_parameter: str
    base_setting: str
    base_parameter: str


_NAMES: Final = {
    Account.MPESA: _Names(
        "MPESA_SECRET_ID", "MpesaSecretId", "MPESA_BASE_URL", "MpesaBaseUrl", "MPESA_BASE_URL", "MpesaBaseUrl"
    ),
    Account.PHONEPE: _Names(
        "PHONEPE_SECRET_ID", "PhonePeSecretId", "PHONEPE_TOKEN_URL", "PhonePeTokenUrl", "PHONEPE_BASE_URL", "PhonePeBaseUrl"
    ),
}


@dataclass(frozen=True, slots=True)
class Target:
    """One secret, and what its stack says about itself; `None` where the operator named the secret alone.

    `address` is where the functions get access tokens (M-Pesa's base address, PhonePe's token address), `base_address` where
    they ask for payments, `callback_origin` where M-Pesa's notices go.
    """

    client: SecretsManagerClient = field(repr=False)
    secret_id: str
    stage: Stage | None = None
    address: str | None = None
    base_address: str | None = None
    callback_origin: str | None = None

    def read(self) -> Values | None:
        """What the secret holds; None while it is empty, CredentialError if it is not there or holds something else."""
        try:
            answer = self.client.get_secret_value(SecretId=self.secret_id)
        except self.client.exceptions.ResourceNotFoundException:
            self._must_exist()
            return None
        except (ClientError, BotoCoreError) as exc:
            raise _refused(exc) from exc
        text = answer.get("SecretString", "")
        if not text and "SecretBinary" not in answer:
            return None
        try:
            kept = json.loads(text)
        except ValueError:
            kept = None
        if not isinstance(kept, dict) or not all(isinstance(value, str) for value in kept.values()):
            raise CredentialError(f"The secret {self.secret_id} holds something else than credentials.")
        return kept

    def write(self, values: Values) -> None:
        """Keep `values`; what was kept before stays in Secrets Manager as the version AWSPREVIOUS."""
        try:
            self.client.put_secret_value(SecretId=self.secret_id, SecretString=json.dumps(values))
        except self.client.exceptions.ResourceNotFoundException as exc:
            raise self._unknown() from exc
        except (ClientError, BotoCoreError) as exc:
            raise _refused(exc) from exc

    def _must_exist(self) -> None:
        try:
            self.client.describe_secret(SecretId=self.secret_id)
        except self.client.exceptions.ResourceNotFoundException as exc:
            raise self._unknown() from exc
        except (ClientError, BotoCoreError) as exc:
            raise _refused(exc) from exc

    def _unknown(self) -> CredentialError:
        return CredentialError(f"There is no secret {self.secret_id}: deploy the stack first, it makes the secrets.")


def find_target(account: Account, *, secret_id: str | None, stack_name: str | None, home: Path) -> Target:
    """The secret of `account`: the one that is named, else the deployed stack's, else the local stack's that runs.

    CredentialError if there is none.
    """
    if secret_id is not None:
        return Target(_secrets(), secret_id)
    if stack_name is not None:
        return _of_deployed(account, stack_name)
    names = _NAMES[account]
    try:
        environment = enter(home).environment
    except NoStackError as exc:
        raise CredentialError(
            "No local stack is running: start one with `make run`, or name a deployed one with --stack-name."
        ) from exc
    return Target(
        _secrets(),
        environment[names.setting],
        Stage(environment["STAGE"]),
        environment[names.address_setting],
        environment[names.base_setting],
        environment["CALLBACK_ORIGIN"],
    )


def _of_deployed(account: Account, stack_name: str) -> Target:
    try:
        stacks: Any = boto3.session.Session().client("cloudformation", config=CONFIG)
        [stack] = stacks.describe_stacks(StackName=stack_name)["Stacks"]
    except (ClientError, BotoCoreError) as exc:
        raise _refused(exc) from exc
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
    given = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack.get("Parameters", ())}
    names = _NAMES[account]
    if names.output not in outputs:
        raise CredentialError(f"The stack {stack_name} has no output {names.output}: is it a PayFirst stack, and deployed?")
    origin = outputs.get("NoticeUrl", "").rstrip("/")
    token_address, base_address = given.get(names.address_parameter), given.get(names.base_parameter)
    return Target(_secrets(), outputs[names.output], Stage(given["Stage"]), token_address, base_address, origin or None)


def _secrets() -> SecretsManagerClient:
    try:
        client: SecretsManagerClient = boto3.session.Session().client("secretsmanager", config=CONFIG)
    except BotoCoreError as exc:
        raise _refused(exc) from exc
    return client


def _refused(error: Exception) -> CredentialError:
    """One sentence for what AWS or its SDK said, which never holds a secret's content."""
    if isinstance(error, ClientError):
        told = error.response["Error"]
        return CredentialError(f"AWS refused: {told.get('Message') or told.get('Code')}")
    return CredentialError(f"AWS cannot be reached: {error}")
