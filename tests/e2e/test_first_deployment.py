"""A first deployment from a fresh clone: `sam build` and `sam deploy` as they are typed, and `make deploy`, killed twice."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
import requests

from local import sam
from local.credentials import Secrets, load_credentials
from local.deployed import local_parameters
from local.embedded_aws import EmbeddedAws
from local.simulator_process import SimulatorProcess
from tests.contract.exchanges import document
from tests.tools import need

ROOT: Final = Path(__file__).resolve().parents[2]
REGION: Final = "ap-south-1"
FORGED: Final = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
LONGEST_S: Final = 600


@dataclass(frozen=True, slots=True)
class Clone:
    """A fresh clone whose owner has AWS credentials; `home` is its folder."""

    home: Path
    aws: EmbeddedAws
    simulators: SimulatorProcess
    secrets: Secrets

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        pythons = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        machine = {f"LAYER_{name.upper()}": value for name, value in sam.this_machine().items()}
        own = {"PATH": pythons, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
        return {**kept, **machine, **self.aws.environment(), **own}

    def run(self, *words: str, answers: str = "", code: int = 0) -> str:
        """What a command says that must end with `code`."""
        done = subprocess.run(
            words,
            cwd=self.home,
            env=self.environment,
            input=answers,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
        assert done.returncode == code, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def kill_at(self, sentence: str, *words: str) -> None:
        """Kill a command and whatever it has started as soon as it says so."""
        process = subprocess.Popen(
            words,
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        said = []
        with process.stdout:
            for line in process.stdout:
                said.append(line)
                if sentence in line:
                    os.killpg(process.pid, signal.SIGKILL)
                    break
        assert process.wait(timeout=60) == -signal.SIGKILL, "".join(said)

    def client(self, service: str) -> Any:
        session: Any = boto3.session.Session("test", "test", region_name=REGION)
        return session.client(service, endpoint_url=self.aws.endpoint)

    def outputs(self) -> dict[str, str]:
        [stack] = self.client("cloudformation").describe_stacks(StackName="payfirst-dev")["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    """The tracked files; `samconfig.toml` has parameters for this machine and the simulators, as an owner would write them."""
    need("aws", "sam")
    home = tmp_path / "payfirst"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, tracked.split("\0")):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, home / name)
    for tools in (".tools", ".venv"):
        (home / tools).symlink_to(ROOT / tools)
    secrets = load_credentials(tmp_path / "credentials.json", {})
    with EmbeddedAws(enforce_rights=True) as aws:
        simulators = SimulatorProcess(
            port=0,
            state=tmp_path / "simulators.sqlite",
            log=tmp_path / "simulators.log",
            webhook_url=f"{aws.endpoint}/unused",
            phonepe=secrets["phonepe"],
        )
        simulators.launch()
        try:
            _write_parameters(home / "samconfig.toml", {**local_parameters(simulators.url), **sam.this_machine()})
            simulators.wait_until_ready()
            yield Clone(home, aws, simulators, secrets)
        finally:
            simulators.stop()


def _write_parameters(config: Path, own: Mapping[str, str]) -> None:
    """Into `default`, and into `dev` with protection and an address where nothing answers, least of all AWS."""
    text = config.read_text(encoding="utf-8")
    for more in ({}, {"ProtectData": "true", "PublicOrigin": "http://127.0.0.1:9"}):
        given = [f'{name}="{value}"' for name, value in {**own, **more}.items()]
        lines = "".join(f"  {json.dumps(one)},\n" for one in given)
        text = text.replace('\n  "Stage=sandbox",\n  "LogRetentionDays=14",\n', f"\n{lines}", 1)
    config.write_text(text, encoding="utf-8")


def test_what_sams_own_users_type_gives_a_shop_under_the_apis_own_address(clone: Clone) -> None:
    program = str(clone.home / ".tools" / "sam" / "bin" / "sam")
    clone.run(program, "build")
    clone.run(program, "deploy", answers="y\n")

    outputs = clone.outputs()
    own = outputs["ApiUrl"]
    assert own == f"https://{outputs['ApiId']}.execute-api.{REGION}.amazonaws.com/live"
    assert (outputs["PublicUrl"], outputs["PhonePeNoticeUrl"]) == (own, f"{own}/api/payments/webhook/phonepe")
    assert f".lambda-url.{REGION}." in outputs["NoticeUrl"], "M-Pesa refuses the API's own address"
    clone.client("secretsmanager").put_secret_value(
        SecretId=outputs["GatewaysSecretId"], SecretString=json.dumps(clone.secrets)
    )
    payfirst = str(clone.home / ".venv" / "bin" / "payfirst")
    clone.run(payfirst, "seed", "--stack-name", "payfirst-dev", "--region", REGION)
    printed = outputs["NextToken"]
    assert f"--region {REGION}" in printed
    token = clone.run(payfirst, *shlex.split(printed)[1:]).strip()

    def call(method: str, path: str, body: Any = None) -> Any:
        here = f"{clone.aws.endpoint}/_aws/execute-api/{outputs['ApiId']}/live"
        headers = {"Authorization": f"Bearer {token}", **FORGED}
        answer = requests.request(method, f"{here}{path}", json=body, headers=headers, timeout=120)
        assert answer.ok, answer.text
        return answer.json()

    carts = [call("POST", "/api/cart/carts", document("bookings")["create_cart"].body) for _ in range(2)]
    listed = call("GET", "/api/cart/carts?page_size=1")
    assert listed["next"].startswith(f"{own}/api/cart/carts?")
    following = call("GET", listed["next"].removeprefix(own))
    assert [listed["results"][0]["id"], following["results"][0]["id"]] == [carts[1]["id"], carts[0]["id"]]

    started = call("POST", "/api/payments/process-cart", {"cart_id": carts[0]["id"], "method": "PHONEPE"})
    page = requests.get(started["payment_url"], timeout=60)
    paid = requests.post(page.url, data={"outcome": "pay"}, timeout=60, allow_redirects=False)
    assert (paid.status_code, paid.headers["Location"]) == (303, f"{own}/paid")


def test_a_first_deployment_goes_on_wherever_it_was_killed(clone: Clone) -> None:
    deploy = [str(clone.home / ".venv" / "bin" / "python"), "-m", "ops.rollout", "deploy", "dev", "--yes"]
    clone.kill_at("Waiting for changeset", *deploy)
    clone.kill_at("protecting table and customers", *deploy)
    said = clone.run(*deploy, code=1)  # since nothing answers at its address, which the look at the end tells
    assert "not ok" in said
    assert "everybody has lambda:InvokeFunctionUrl and lambda:InvokeFunction" in said
    outputs = clone.outputs()
    for name in ("NextCredentials", "NextToken"):
        assert f"{name:18}{outputs[name]}" in said
    table = clone.client("dynamodb").describe_table(TableName=outputs["TableName"])["Table"]
    pool = clone.client("cognito-idp").describe_user_pool(UserPoolId=outputs["UserPoolId"])["UserPool"]
    assert (table["DeletionProtectionEnabled"], pool["DeletionProtection"]) == (True, "ACTIVE")
    gone = clone.run(*deploy[:3], "destroy", "dev", answers="payfirst-dev\n")
    assert f"{outputs['TableName']} is kept" in gone
