"""Creates in the embedded AWS what `template.yaml` declares, without CloudFormation: for tests and local runs.

Every schema, limit and name of an attribute is read from the template; only names of instances are arguments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeAlias

from ops.resolve import Resolver
from ops.template import load_template, the_only
from payfirst.domain.mailbox import name_and_address

Client: TypeAlias = Any
"""A boto3 client; boto3 makes their classes at run time, and what is passed here is read from the template."""


@dataclass(frozen=True, slots=True)
class UserPool:
    """A Cognito user pool with its one client, and what a token of it carries as `iss` and `aud`."""

    pool_id: str
    client_id: str

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{self.pool_id.split('_', 1)[0]}.amazonaws.com/{self.pool_id}"

    @property
    def audience(self) -> str:
        return self.client_id


@dataclass(frozen=True, slots=True)
class SharedResources:
    """What the functions share, under the names that their settings take."""

    table_name: str
    stream_arn: str
    gateway_tokens_table_name: str
    settle_queue_url: str
    event_bus_name: str
    users: UserPool
    secret_ids: Mapping[str, str]
    """The logical id of each secret in the template (`MpesaSecret`) and the name under which it was made."""


def create_table(client: Client, template: Path, name: str, *, logical_id: str = "Table", expires: bool = True) -> None:
    """Create the DynamoDB table `logical_id` of `template` as `name`, with indexes and time to live; active afterwards.

    Without `expires` it keeps everything, for who lives at another time than the table.
    """
    declared = load_template(template)["Resources"][logical_id]["Properties"]
    as_declared = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    client.create_table(TableName=name, **{key: declared[key] for key in as_declared if key in declared})
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    if expires:
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=declared["TimeToLiveSpecification"])


def stream_of(client: Client, template: Path, name: str, *, logical_id: str = "Table") -> str:
    """The ARN of the stream of the table `name`, which is turned on as `template` declares it where it is off."""
    table = client.describe_table(TableName=name)["Table"]
    if not table.get("StreamSpecification", {}).get("StreamEnabled"):
        declared = load_template(template)["Resources"][logical_id]["Properties"]["StreamSpecification"]
        table = client.update_table(TableName=name, StreamSpecification={"StreamEnabled": True, **declared})["TableDescription"]
    arn: str = table["LatestStreamArn"]
    return arn


def settle_queue(client: Client, template: Path, name: str) -> str:
    """Create the settle queue as `name` and its dead-letter queue as `name-dead`; the URL of the first."""
    resources = load_template(template)["Resources"]
    dead_letters = client.create_queue(
        QueueName=f"{name}-dead", Attributes=_queue_attributes(resources["SettleDeadLetterQueue"]["Properties"])
    )["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    declared = resources["SettleQueue"]["Properties"]
    redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": declared["RedrivePolicy"]["maxReceiveCount"]}
    attributes = _queue_attributes(declared) | {"RedrivePolicy": json.dumps(redrive)}
    url: str = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def _queue_attributes(declared: Mapping[str, Any]) -> dict[str, str]:
    names = ("VisibilityTimeout", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "DelaySeconds")
    return {name: str(declared[name]) for name in names if name in declared}


def verify_senders(client: Client, senders: Iterable[str]) -> None:
    """Let SES send for these addresses (`Name <address>`); empty ones are passed over. `client` is of sesv2."""
    for sender in senders:
        address = name_and_address(sender)[1]
        if address:
            with suppress(client.exceptions.AlreadyExistsException):
                client.create_email_identity(EmailIdentity=address)


def create_user_pool(client: Client, template: Path, name: str) -> UserPool:
    """Create the Cognito user pool of `template` as `name`, with its client and groups."""
    declared = load_template(template)
    own = Resolver(declared, {"AWS::NoValue": ""})
    made = own.value({key: value for key, value in the_only(declared, "AWS::Cognito::UserPool").items() if key in _POOL_FIELDS})
    pool = _without_nothing(made)
    pool_id = client.create_user_pool(PoolName=name, **pool)["UserPool"]["Id"]
    app = _without_nothing(
        own.value(
            {
                key: value
                for key, value in the_only(declared, "AWS::Cognito::UserPoolClient").items()
                if key not in ("UserPoolId", "ClientName")
            }
        )
    )
    client_id = client.create_user_pool_client(UserPoolId=pool_id, ClientName=name, **app)["UserPoolClient"]["ClientId"]
    for resource in declared["Resources"].values():
        if resource["Type"] == "AWS::Cognito::UserPoolGroup":
            properties = resource["Properties"]
            client.create_group(UserPoolId=pool_id, GroupName=properties["GroupName"], Description=properties["Description"])
    return UserPool(pool_id, client_id)


def _without_nothing(value: Any) -> Any:  # noqa: ANN401 - any part of a template
    """`value` without what a condition left out of it, which is resolved to an empty text."""
    if isinstance(value, dict):
        return {key: _without_nothing(part) for key, part in value.items() if part != ""}
    return [_without_nothing(part) for part in value if part != ""] if isinstance(value, list) else value


def find_user_pool(client: Client, name: str) -> UserPool | None:
    """The user pool called `name` with its first client; `None` if there is none."""
    for pool in client.list_user_pools(MaxResults=60)["UserPools"]:
        if pool["Name"] == name:
            clients = client.list_user_pool_clients(UserPoolId=pool["Id"], MaxResults=1)["UserPoolClients"]
            return UserPool(pool["Id"], clients[0]["ClientId"])
    return None


_POOL_FIELDS = frozenset(
    {
        "UsernameAttributes",
        "AutoVerifiedAttributes",
        "Schema",
        "Policies",
        "AdminCreateUserConfig",
        "AccountRecoverySetting",
    }
)


def create_secrets(client: Client, template: Path, prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    """Create every secret of `template` as `prefix/name`; `values` holds the text of each by its logical id.

    A secret that the template generates needs no value. One without value stays empty, as it is after a first
    deployment, until `payfirst credentials set` fills it; one that exists already keeps its content. Answers the names
    by logical id.
    """
    existing = {secret["Name"] for secret in client.list_secrets(MaxResults=100)["SecretList"]}
    names: dict[str, str] = {}
    for logical_id, resource in load_template(template)["Resources"].items():
        if resource["Type"] != "AWS::SecretsManager::Secret":
            continue
        properties = resource["Properties"]
        name = f"{prefix}/{str(properties['Name']['Fn::Sub']).rsplit('/', 1)[-1]}"
        names[logical_id] = name
        if name in existing:
            continue
        content = {"SecretString": values[logical_id]} if logical_id in values else {}
        if not content and "GenerateSecretString" in properties:
            content = {"SecretString": _generated(properties["GenerateSecretString"])}
        client.create_secret(Name=name, Description=properties["Description"], **content)
    return names


def _generated(declared: Mapping[str, Any]) -> str:
    """A random secret in the form that `declared` asks Secrets Manager for."""
    word = token_hex(declared["PasswordLength"] // 2)
    if "GenerateStringKey" not in declared:
        return word
    return json.dumps(json.loads(declared["SecretStringTemplate"]) | {declared["GenerateStringKey"]: word})


def create_shared_resources(
    client: Callable[[str], Client], template: Path, *, name: str = "payfirst", secrets: Mapping[str, str] | None = None
) -> SharedResources:
    """Everything the functions share, made from `template` under names that start with `name`.

    What a saved state brought back is kept as it is. `client` makes the client of a service (`EmbeddedAws.client`);
    `secrets` is what `create_secrets` takes as `values`.
    """
    tables = client("dynamodb")
    existing, tokens = tables.list_tables()["TableNames"], f"{name}-gateway-tokens"
    if name not in existing:
        create_table(tables, template, name)
    if tokens not in existing:
        create_table(tables, template, tokens, logical_id="GatewayTokens")
    buses = client("events")
    if name not in {bus["Name"] for bus in buses.list_event_buses()["EventBuses"]}:
        buses.create_event_bus(Name=name)
    users = client("cognito-idp")
    return SharedResources(
        table_name=name,
        stream_arn=stream_of(tables, template, name),
        gateway_tokens_table_name=tokens,
        settle_queue_url=settle_queue(client("sqs"), template, f"{name}-settle"),
        event_bus_name=name,
        users=find_user_pool(users, name) or create_user_pool(users, template, name),
        secret_ids=create_secrets(client("secretsmanager"), template, name, secrets or {}),
    )
