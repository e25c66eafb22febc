"""Where credentials go: the secret of the running local stack, of a deployed stack, or one that the operator names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ops.deployed import CONFIG
from ops.running import NoStackError, enter
from ops.stack_state import outputs_of, parameters_of
from payfirst.api.addresses import NoticeAddresses
from payfirst.gateways.account import CredentialError, Values
from payfirst.gateways.declaration import Declaration
from payfirst.gateways.registry import declaration_of
from payfirst.settings import Stage

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

Account = str
"""A gateway's word in small letters, under which the gateways' secret keeps its credentials."""

_OUTPUT: Final = "GatewaysSecretId"


@dataclass(frozen=True, slots=True)
class Target:
    """One gateway's part of the gateways' secret, and what its stack says about itself; `None` where the operator named the
    secret alone.

    `settings` are those that the gateway alone reads, by their variables. Notices go to `callback_origin`, or to `notice_url`
    where they are signed.
    """

    account: Account
    client: SecretsManagerClient = field(repr=False)
    secret_id: str
    stage: Stage | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    callback_origin: str | None = None
    notice_url: str | None = None

    @property
    def notice_sources(self) -> str:
        """The networks from which its notices are taken; empty for any."""
        return self.settings.get(f"{self.account.upper()}_NOTICE_SOURCES", "")

    def read(self) -> Values | None:
        """What the secret holds of this gateway; None while that is nothing, CredentialError if there is no such secret or it
        holds something else."""
        return self._read().get(self.account)

    def write(self, values: Values) -> None:
        """Keep `values` and what the other gateway has; what was kept before stays in Secrets Manager as AWSPREVIOUS."""
        kept = self._read() | {self.account: values}
        try:
            self.client.put_secret_value(SecretId=self.secret_id, SecretString=json.dumps(kept))
        except (ClientError, BotoCoreError) as exc:
            raise _refused(exc) from exc

    def _read(self) -> dict[str, Values]:
        """What the secret holds of each gateway."""
        try:
            answer = self.client.get_secret_value(SecretId=self.secret_id)
        except self.client.exceptions.ResourceNotFoundException:
            self._must_exist()
            return {}
        except (ClientError, BotoCoreError) as exc:
            raise _refused(exc) from exc
        text = answer.get("SecretString", "")
        if not text and "SecretBinary" not in answer:
            return {}
        try:
            kept = json.loads(text)
        except ValueError:
            kept = None
        if not isinstance(kept, dict) or not all(_is_credentials(value) for value in kept.values()):
            raise CredentialError(f"The secret {self.secret_id} holds something else than credentials.")
        return kept

    def _must_exist(self) -> None:
        try:
            self.client.describe_secret(SecretId=self.secret_id)
        except self.client.exceptions.ResourceNotFoundException as exc:
            raise CredentialError(f"There is no secret {self.secret_id}: deploy the stack first, it makes the secret.") from exc
        except (ClientError, BotoCoreError) as exc:
            raise _refused(exc) from exc


def _is_credentials(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(word, str) for word in value.values())


def find_target(account: Account, *, secret_id: str | None, stack_name: str | None, home: Path) -> Target:
    """The secret of `account`: the one that is named, else the deployed stack's, else the local stack's that runs.

    CredentialError if there is none.
    """
    if secret_id is not None:
        return Target(account, _secrets(), secret_id)
    if stack_name is not None:
        return _of_deployed(account, stack_name)
    declared = declaration_of(account.upper())
    try:
        stack = enter(home)
    except NoStackError as exc:
        raise CredentialError(
            "No local stack is running: start one with `make run`, or name a deployed one with --stack-name."
        ) from exc
    environment = stack.environment
    return Target(
        account,
        _secrets(),
        environment["GATEWAYS_SECRET_ID"],
        Stage(environment["STAGE"]),
        {name: environment[name] for name in _settings(declared) if name in environment},
        environment["CALLBACK_ORIGIN"],
        NoticeAddresses(stack.base_url).of_payment(declared.terms, ""),
    )


def _of_deployed(account: Account, stack_name: str) -> Target:
    try:
        stacks: Any = boto3.session.Session().client("cloudformation", config=CONFIG)
        [stack] = stacks.describe_stacks(StackName=stack_name)["Stacks"]
    except (ClientError, BotoCoreError) as exc:
        raise _refused(exc) from exc
    outputs, given = outputs_of(stack), parameters_of(stack)
    declared = declaration_of(account.upper())
    parameters = {name: f"{declared.parameters}{_camel(name.partition('_')[2])}" for name in _settings(declared)}
    if _OUTPUT not in outputs:
        raise CredentialError(f"The stack {stack_name} has no output {_OUTPUT}: is it a PayFirst stack, and deployed?")
    origin = outputs.get("NoticeUrl", "").rstrip("/")
    return Target(
        account,
        _secrets(),
        outputs[_OUTPUT],
        Stage(given["Stage"]),
        {name: given[parameter] for name, parameter in parameters.items() if parameter in given},
        origin or None,
        outputs.get(f"{declared.parameters}NoticeUrl"),
    )


def _settings(declared: Declaration) -> list[str]:
    return [each.name.upper() for each in fields(declared.settings)]


def _camel(words: str) -> str:
    return "".join(word.capitalize() for word in words.split("_"))


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
