"""Which secret and which gateway `payfirst credentials` means, and what it asks for on a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from .operator import VARIABLES, Operator

PAYFIRST = str(Path(sys.executable).with_name("payfirst"))
PATIENCE_S = 30.0


def only_named(operator: Operator, *words: str, **given: str) -> tuple[int, str]:
    """`set mpesa` where nothing but the secret is named: the exit code and the sentence."""
    said = operator.run("set", "mpesa", "--secret-id", operator.secret_id, *words, given=operator.mpesa(**given))
    return said.code, said.error


def test_without_a_stack_or_a_stage_nobody_knows_whom_to_ask(operator: Operator) -> None:
    assert only_named(operator) == (1, "Say where M-Pesa is to be asked: --stage sandbox or --stage production.")
    assert operator.stored() is None


@pytest.mark.parametrize("words", [["--stage", "staging"], ["--stage", "local"], []])
def test_a_stage_is_sandbox_or_production(operator: Operator, words: list[str]) -> None:
    given = {} if words else {"MPESA_ENVIRONMENT": "live"}
    code, sentence = only_named(operator, *words, **given)
    assert (code, sentence) == (1, f"{'--stage' if words else 'MPESA_ENVIRONMENT'} must be sandbox or production.")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MPESA_BUSINESS_SHORTCODE", "174379"),
        ("MPESA_PASSKEY", "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"),
    ],
)
def test_what_is_the_sandboxs_is_refused_for_production(operator: Operator, variable: str, value: str) -> None:
    code, sentence = only_named(operator, "--no-check", **{"MPESA_ENVIRONMENT": "production", variable: value})
    assert (code, sentence) == (1, f"{variable} is the sandbox's, and this is production.")
    assert only_named(operator, "--no-check", **{"MPESA_ENVIRONMENT": "sandbox", variable: value})[0] == 0


@pytest.mark.parametrize(
    "address",
    ["http://api.safaricom.co.ke", "http://10.0.0.1:8001", "http://127.0.0.1.evil.example", "ftp://127.0.0.1", "x", "http://["],
)
def test_credentials_are_sent_over_https_or_to_this_machine_only(operator: Operator, address: str) -> None:
    said = operator.do("set", "mpesa", "--base-url", address, given=operator.mpesa())
    assert (said.code, said.error.startswith("Credentials are sent to https addresses only")) == (1, True)
    assert operator.stored() is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://pay.shop.co.ke/x", "https"),
        ("https://a1b2.execute-api.eu-west-1.amazonaws.com/x", "exec"),
        ("https://mpesa.shop.co.ke/x", "mpesa"),
        ("https://localhost/x", "localhost"),
        ("pay.shop.co.ke", "https://"),
        ("https://[", "address"),
    ],
)
def test_a_callback_address_that_mpesa_refuses_stops_production_and_warns_the_sandbox(
    operator: Operator, url: str, why: str
) -> None:
    code, sentence = only_named(operator, "--no-check", "--stage", "production", MPESA_CALLBACK_URL=url)
    assert code == 1
    assert "M-Pesa would not post to the origin of MPESA_CALLBACK_URL" in sentence
    assert why in sentence
    assert operator.stored() is None
    code, sentence = only_named(operator, "--no-check", "--stage", "sandbox", MPESA_CALLBACK_URL=url)
    assert code == 0
    assert sentence.startswith("Warning: in production M-Pesa would not post")


def test_of_the_callback_address_only_the_origin_counts(operator: Operator) -> None:
    url = "https://pay.shop.co.ke/api/payments/transactions/mpesa_callback/"
    assert only_named(operator, "--no-check", "--stage", "production", MPESA_CALLBACK_URL=url) == (0, "")


@pytest.fixture
def deployed(operator: Operator) -> Iterator[str]:
    """A deployed stack's name; its outputs and parameters are those that PayFirst's template has."""
    name = f"payfirst-{uuid4().hex[:12]}"
    parameters = {
        "Stage": "sandbox",
        "MpesaBaseUrl": f"{operator.gateway_url}/mpesa",
        "PhonePeTokenUrl": f"{operator.gateway_url}/phonepe/v1/oauth/token",
    }
    template = {
        "Parameters": {key: {"Type": "String"} for key in parameters},
        "Resources": {"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": f"{name}/gateways"}}},
        "Outputs": {
            "GatewaysSecretId": {"Value": {"Ref": "Secret"}},
            "NoticeUrl": {"Value": "https://pay.shop.co.ke"},
        },
    }
    stacks = operator.aws.client("cloudformation")
    stacks.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    yield name
    stacks.delete_stack(StackName=name)


def test_a_deployed_stack_says_itself_where_its_secrets_and_gateways_are(operator: Operator, deployed: str) -> None:
    for gateway in ("mpesa", "phonepe"):
        missing = operator.run("check", gateway, "--stack-name", deployed)
        assert (missing.code, "There are no credentials in" in missing.error) == (1, True)
        assert operator.run("set", gateway, "--stack-name", deployed, given=operator.whole(gateway)).code == 0
    said = operator.run("check", "--stack-name", deployed)
    assert (said.code, said.output.count("the gateway gives a token")) == (0, 2)
    kept = json.loads(operator.keeper.get_secret_value(SecretId=f"{deployed}/gateways")["SecretString"])
    assert (kept["mpesa"]["shortcode"], kept["phonepe"]["webhook_username"]) == ("600123", "shop_notices")


def test_of_the_one_secret_each_gateway_changes_its_own_part_only(operator: Operator, deployed: str) -> None:
    def part(gateway: str) -> dict[str, str]:
        kept = operator.keeper.get_secret_value(SecretId=f"{deployed}/gateways")["SecretString"]
        found: dict[str, str] = json.loads(kept)[gateway]
        return found

    first = operator.first_api()
    for gateway, given in (("phonepe", first), ("mpesa", operator.mpesa()), ("phonepe", operator.phonepe())):
        assert operator.run("set", gateway, "--stack-name", deployed, "--no-check", given=given).code == 0
    before, changed = part("phonepe"), {"MPESA_PASSKEY": operator.canaries.passkey[::-1]}
    assert "salt_key" not in before, "of what the gateway had before nothing stays"
    assert operator.run("rotate", "mpesa", "--stack-name", deployed, "--no-check", given=changed).code == 0
    assert (part("phonepe"), part("mpesa")["passkey"]) == (before, operator.canaries.passkey[::-1])


def test_checking_both_gateways_fails_if_one_does_and_still_tells_of_the_other(operator: Operator, deployed: str) -> None:
    operator.run("set", "phonepe", "--stack-name", deployed, given=operator.phonepe())
    said = operator.run("check", "--stack-name", deployed)
    assert said.code == 1
    assert "set mpesa" in said.error
    assert "PhonePe: " in said.output


def test_credentials_for_another_stage_than_the_stacks_are_refused(operator: Operator, deployed: str) -> None:
    given = operator.mpesa(MPESA_ENVIRONMENT="production")
    said = operator.run("set", "mpesa", "--stack-name", deployed, given=given)
    assert (said.code, said.error) == (1, "The stack's stage is sandbox, and these credentials are for production.")


def test_a_stack_that_is_not_there_is_told_in_one_sentence(operator: Operator) -> None:
    said = operator.run("check", "mpesa", "--stack-name", "no-such-stack")
    assert said.code == 1
    assert said.error.startswith("AWS refused: ")


def test_without_a_running_local_stack_it_says_what_to_do(operator: Operator, tmp_path: Path) -> None:
    for words in (["set", "mpesa"], ["check"], ["rotate", "phonepe"]):
        said = operator.run(*words, "--home", str(tmp_path))
        assert (said.code, "start one with `make run`, or name a deployed one with --stack-name" in said.error) == (1, True)


@pytest.fixture
def home(operator: Operator, tmp_path: Path) -> Path:
    """A running local stack, as far as this command asks for it."""
    environment = {
        **operator.aws.environment(),
        "STAGE": "local",
        "GATEWAYS_SECRET_ID": operator.secret_id,
        "MPESA_BASE_URL": f"{operator.gateway_url}/mpesa",
        "PHONEPE_BASE_URL": f"{operator.gateway_url}/phonepe",
        "PHONEPE_TOKEN_URL": f"{operator.gateway_url}/phonepe/v1/oauth/token",
        "CALLBACK_ORIGIN": "http://127.0.0.1:8000",
    }
    told = {"pid": os.getpid(), "base_url": "http://127.0.0.1:8000", "environment": environment}
    (tmp_path / "stack.json").write_text(json.dumps(told), encoding="utf-8")
    return tmp_path


def callers_environment(**given: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES and not name.startswith("AWS_")}
    return {**kept, "AWS_PROFILE": "somebody-elses", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200", **given}


def test_the_running_local_stack_is_meant_if_nothing_is_named(operator: Operator, home: Path) -> None:
    command = [PAYFIRST, "credentials", "set", "phonepe", "--home", str(home)]
    done = subprocess.run(
        command, env=callers_environment(**operator.phonepe()), capture_output=True, text=True, timeout=60, check=False
    )
    operator.printed += [done.stdout, done.stderr]
    assert done.returncode == 0, done.stderr
    assert (operator.stored() or {})["client_id"] == "SHOP_2611"
    assert "The local stack makes its own again" in done.stdout


def test_the_first_api_is_tried_where_the_running_stack_asks_for_payments(operator: Operator, home: Path) -> None:
    said = operator.run("set", "phonepe", "--home", str(home), given=operator.first_api())
    assert (said.code, "known to the gateway" in said.output) == (0, True)


class Terminal:
    """A process at a terminal of its own; `shown` is everything that a person would have seen."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._mine, its = pty.openpty()
        self.process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True)
        os.close(its)
        self.shown = ""
        self._read_until = 0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._mine)

    def wait_for(self, words: str) -> None:
        """Return once `words` are shown after what was waited for before."""
        until = time.monotonic() + PATIENCE_S
        while (found := self.shown.find(words, self._read_until)) < 0:
            assert time.monotonic() < until, f"{words!r} is not shown: {self.shown!r}"
            assert self._more(), f"it ended without {words!r}: {self.shown!r}"
        self._read_until = found + len(words)

    def answer(self, question: str, text: str) -> None:
        """Type `text` once `question` is asked."""
        self.wait_for(question)
        time.sleep(0.1)  # the echo is turned off after the question is shown
        os.write(self._mine, f"{text}\n".encode())

    def end(self) -> int:
        """The exit code, when everything has been shown."""
        while self._more():
            pass
        return self.process.wait(PATIENCE_S)

    def _more(self) -> bool:
        """Read what is shown next; False once the process has closed its side."""
        assert select.select([self._mine], [], [], PATIENCE_S)[0], f"nothing more is shown: {self.shown!r}"
        try:
            self.shown += os.read(self._mine, 4096).decode()
        except OSError:  # how Linux says that the other side is closed
            return False
        return True


def test_a_terminal_is_asked_for_what_is_missing_and_shows_no_secret(operator: Operator, home: Path) -> None:
    given = operator.mpesa(MPESA_CONSUMER_SECRET=None, MPESA_PASSKEY=None, MPESA_BUSINESS_SHORTCODE=None)
    command = [PAYFIRST, "credentials", "set", "mpesa", "--home", str(home)]
    with Terminal(command, callers_environment(**given)) as terminal:
        terminal.answer("Consumer secret: ", operator.canaries.secret)
        terminal.answer("PayBill number", "12")
        terminal.wait_for("MPESA_BUSINESS_SHORTCODE must be 5 to 7 digits.")
        terminal.answer("PayBill number", "600123")
        terminal.answer("Passkey: ", operator.canaries.passkey)
        terminal.answer("Till number", "")
        terminal.answer("Initiator's name", "apiuser")
        terminal.answer("Security credential", operator.canaries.credential)
        code = terminal.end()
    operator.printed.append(terminal.shown)
    assert code == 0, terminal.shown
    assert "Consumer key" not in terminal.shown
    assert operator.stored() == {
        "consumer_key": operator.canaries.key,
        "consumer_secret": operator.canaries.secret,
        "shortcode": "600123",
        "passkey": operator.canaries.passkey,
        "initiator_name": "apiuser",
        "security_credential": operator.canaries.credential,
    }
