"""The deployed form: `template.yaml`, unmodified, built by SAM and deployed to the embedded AWS, with the simulators beside it.

    with DeployedStack(state_dir=Path(".local/deployed")) as stack:
        requests.get(f"{stack.base_url}/health")

The functions then run as Lambda functions behind API Gateway with the layer, the roles, the queue and the schedules of the
template. It shows that the stack deploys and works as one; `make run` is quicker for everything else.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from local import sam
from local.credentials import load_credentials
from local.embedded_aws import TEMPLATE, AwsEndpoint, EmbeddedAws
from local.part import Part
from local.ports import free_port
from local.resources import Client, verify_senders
from local.rest_api import complete
from local.simulator_process import SimulatorProcess
from local.stack import SEED_SECONDS, Ports
from ops.seed import seed
from ops.template import load_template
from payfirst.domain.clock import Deadline
from payfirst.storage.dynamodb.table import Table

STACK: Final = "payfirst-local"
API_STAGE: Final = "live"
API_ID: Final = "a1b2c3d4"
"""The id that the API gets in MiniStack, by a tag that it knows, so that its address is known before it exists."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is deployed: the stack's outputs, the environment of its functions, its base URL."""

    outputs: Mapping[str, str]
    variables: Mapping[str, str]
    base_url: str


class DeployedStack(Part):
    """One embedded AWS with the stack deployed to it, and the gateways' simulators: started by `start` or `with`.

    With `state_dir` everything survives a clean stop, on the same ports only: the deployed stack knows its own address.
    `parameters` of the template win over those that a local run has. `progress` gets a sentence before each step.
    `environment` lends credentials as it does to a `LocalStack`.
    """

    def __init__(
        self,
        *,
        state_dir: Path | None = None,
        ports: Ports | None = None,
        parameters: Mapping[str, str] | None = None,
        progress: Callable[[str], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._given = dict(environment or {})
        self._state_dir = state_dir
        self._ports = ports or Ports()
        self._parameters = dict(parameters or {})
        self._progress = progress or (lambda _: None)
        self._running = contextlib.ExitStack()
        self.base_url = ""
        self.simulator_url = ""
        self.endpoint = ""
        self.environment: dict[str, str] = {}
        self.deployment: Deployment | None = None
        self.built = Path()

    def start(self) -> Self:
        """Build, start everything, deploy, and return once all of it answers."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything in the reverse order and keep the state, if a directory was given."""
        self._running.close()

    def _start(self) -> None:
        state_dir = self._state_dir or self._temporary()
        secrets = load_credentials(state_dir / "credentials.json", self._given)
        simulator_port = self._ports.simulators or free_port()
        self._progress("building functions and layer")
        self.built = state_dir / "build"
        sam.build(self.built)
        self._progress("starting the embedded AWS and the gateways' simulators")
        aws = self._running.enter_context(EmbeddedAws(self._ports.aws, state_dir / "aws", enforce_rights=True))
        self.endpoint, self.base_url = aws.endpoint, base_url(aws)
        self.simulator_url = f"http://127.0.0.1:{simulator_port}"
        simulators = SimulatorProcess(
            port=simulator_port,
            state=state_dir / "simulators.sqlite",
            log=state_dir / "simulators.log",
            webhook_url=f"{self.base_url}/api/payments/webhook/phonepe",
            phonepe=secrets["phonepe"],
            mail_source=f"{aws.endpoint}/_ministack/ses/messages",
        )
        simulators.launch()
        self._running.callback(simulators.stop)
        self._progress("deploying the stack")
        self.deployment = deploy(aws, local_parameters(self.simulator_url) | self._parameters, self.built)
        outputs, keeper = self.deployment.outputs, aws.client("secretsmanager")
        keeper.put_secret_value(SecretId=outputs["GatewaysSecretId"], SecretString=json.dumps(secrets))
        senders = (self.deployment.variables[name] for name in ("BOOKINGS_MAIL_SENDER", "ORDERS_MAIL_SENDER"))
        verify_senders(aws.client("sesv2"), senders)
        self._progress("filling the catalogue")
        seed(Table(aws.client("dynamodb"), self.deployment.outputs["TableName"], Deadline(lambda: SEED_SECONDS)))
        simulators.wait_until_ready()
        self.environment = {
            **aws.environment(),
            **self.deployment.variables,
            "PAYFIRST_BASE_URL": self.base_url,
            "PAYFIRST_SIMULATOR_URL": self.simulator_url,
        }

    def _temporary(self) -> Path:
        directory = Path(tempfile.mkdtemp(prefix="payfirst-deployed-"))
        self._running.callback(shutil.rmtree, directory)
        return directory


def base_url(aws: AwsEndpoint) -> str:
    """Where the API of the deployed stack answers; known before it is deployed."""
    return f"{aws.endpoint}/_aws/execute-api/{API_ID}/{API_STAGE}"


def local_parameters(simulator_url: str) -> dict[str, str]:
    """The template's parameters with which the stack talks to the simulators at `simulator_url`."""
    return {
        "Stage": "local",
        "ShopOrigin": "https://shop.example,http://localhost:3000",
        "AllowPastDates": "true",
        "ExpiryGraceSeconds": "0",
        "PhonePaceSeconds": "0",
        "BookingsMailSender": "Puja Bookings <bookings@shop.example>",
        "OrdersMailSender": "Green Valley Produce <orders@shop.example>",
        "OpenSessionsPerUser": "0",
        "SessionsPerUserHour": "0",
        "PromptsPerUserHour": "0",
        "PromptsPerPhoneHour": "0",
        "MpesaBaseUrl": f"{simulator_url}/mpesa",
        "PhonePeBaseUrl": f"{simulator_url}/phonepe",
        "PhonePeTokenUrl": f"{simulator_url}/phonepe/v1/oauth/token",
    }


def deploy(aws: AwsEndpoint, parameters: Mapping[str, str], build_dir: Path = sam.BUILD_DIR) -> Deployment:
    """Deploy what `sam.build` built in `build_dir` to `aws`, or update what is deployed."""
    origin = base_url(aws)
    sam.deploy(
        STACK,
        {"PublicOrigin": origin, "CallbackOrigin": origin, **sam.this_machine(), **parameters},
        {"ms-custom-id": API_ID},
        aws.environment(),
        build_dir,
    )
    stacks, functions = aws.client("cloudformation"), aws.client("lambda")
    [stack] = stacks.describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    made = {part["LogicalResourceId"]: part for part in stacks.describe_stack_resources(StackName=STACK)["StackResources"]}
    site = functions.get_function_configuration(FunctionName=made["SiteFunction"]["PhysicalResourceId"])
    variables = site["Environment"]["Variables"]
    for logical in ("DeliverEventsFunctionRole", "Boundary"):
        _let_mail_leave(aws.client("iam"), made[logical]["PhysicalResourceId"])
    complete(
        aws.client("apigateway"),
        api_id=outputs["ApiId"],
        stage=API_STAGE,
        template=load_template(TEMPLATE),
        shop_origin=variables["SHOP_ORIGIN"],
    )
    return Deployment(outputs, variables, origin)


def _let_mail_leave(iam: Client, where: str) -> None:
    """Let a role, or the boundary, send mail from anything: MiniStack asks for that where AWS asks for who sends it."""
    more = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
    if not where.startswith("arn:"):
        policy = {"Version": "2012-10-17", "Statement": [more]}
        iam.put_role_policy(RoleName=where, PolicyName="mail-here", PolicyDocument=json.dumps(policy))
        return
    version = iam.get_policy(PolicyArn=where)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=where, VersionId=version)["PolicyVersion"]["Document"]
    policy = json.loads(document) if isinstance(document, str) else document
    if more not in policy["Statement"]:  # an update finds it there
        wider = {**policy, "Statement": [*policy["Statement"], more]}
        iam.create_policy_version(PolicyArn=where, PolicyDocument=json.dumps(wider), SetAsDefault=True)
