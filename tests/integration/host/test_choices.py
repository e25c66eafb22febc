"""What `make run` is told by its environment and by `.env`: printed names work or say why not, and no value is shown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from local.choices import ChoiceError, Choices, choose, read_env_file
from local.credentials import load_credentials
from local.run import main
from ops.token import mint
from payfirst.gateways.account import CredentialError
from tests.contract.walk import Customer, a_session, wait_until
from tests.integration.host.test_process import run, running

PRINTED = """\
MPESA_CONSUMER_KEY=your_consumer_key
MPESA_CONSUMER_SECRET=your_consumer_secret
MPESA_BUSINESS_SHORTCODE=174379
MPESA_PASSKEY=your_passkey
MPESA_CALLBACK_URL=https://yourdomain.com/api/payments/transactions/mpesa_callback/
MPESA_ENVIRONMENT=production
"""
"""As document B prints it."""


def told(text: str, folder: Path, **environment: str) -> tuple[Choices, list[str]]:
    said: list[str] = []
    file = folder / ".env"
    file.write_text(text, encoding="utf-8")
    return choose(environment, read_env_file(file, said.append), said.append), said


def test_the_printed_env_works_and_says_what_is_not_for_this_machine(tmp_path: Path) -> None:
    choices, said = told(PRINTED, tmp_path)
    assert choices.settings == {}, "nothing leaves this machine, and the simulated M-Pesa posts to it"
    assert sorted(said) == [
        "MPESA_CALLBACK_URL is not used: the simulated M-Pesa posts its notices to this machine",
        "MPESA_ENVIRONMENT=production is not for this machine: MPESA is simulated",
    ]
    secret = load_credentials(tmp_path / "credentials.json", choices.given)["mpesa"]
    assert (secret["consumer_key"], secret["consumer_secret"]) == ("your_consumer_key", "your_consumer_secret")
    assert (secret["shortcode"], secret["passkey"]) == ("174379", "your_passkey")


def test_the_sandboxes_are_reached_where_they_are_asked_for(tmp_path: Path) -> None:
    text = PRINTED.replace("=production", "=sandbox") + "PHONEPE_ENVIRONMENT=sandbox\nPHONEPE_MERCHANT_ID=SHOP\n"
    choices, said = told(text, tmp_path)
    assert said == []
    assert choices.settings == {
        "CALLBACK_ORIGIN": "https://yourdomain.com",
        "MPESA_BASE_URL": "https://sandbox.safaricom.co.ke",
        "PHONEPE_BASE_URL": "https://api-preprod.phonepe.com/apis/pg-sandbox",
        "PHONEPE_TOKEN_URL": "https://api-preprod.phonepe.com/apis/pg-sandbox/v1/oauth/token",
    }
    assert choices.given["PHONEPE_MERCHANT_ID"] == "SHOP"


def test_the_environment_wins_over_the_file_and_may_empty_what_stands_there(tmp_path: Path) -> None:
    text = "SESSION_TTL_SECONDS=20\nLATE_PAYMENT=refund\nMPESA_TILL=5512345\nPORT=9000\n"
    choices, said = told(text, tmp_path, SESSION_TTL_SECONDS="30", MPESA_TILL="")
    assert choices.settings == {"SESSION_TTL_SECONDS": "30", "LATE_PAYMENT": "refund"}
    assert (choices.given["PORT"], "MPESA_TILL" in choices.given, said) == ("9000", False, [])


def test_unknown_names_are_named_and_their_values_are_not(tmp_path: Path) -> None:
    choices, said = told("MPESA_CONSUMER_SECRT=hunter2\nDJANGO_SECRET_KEY=hunter3\n", tmp_path)
    assert sorted(said) == [
        ".env names DJANGO_SECRET_KEY, which is unknown here",
        ".env names MPESA_CONSUMER_SECRT, which is unknown here; MPESA_CONSUMER_SECRET is known",
    ]
    assert choices.given == {}


def test_a_name_is_never_taken_for_one_of_the_other_gateway_and_is_shown_visibly(tmp_path: Path) -> None:
    choices, said = told("PHONEPE_CALLBACK_URL=https://x.example\nSH\x1b[2JOP=1\nHORIZON_DAYS=7\n", tmp_path)
    assert not any("MPESA" in sentence or "\x1b" in sentence for sentence in said), said
    assert any(r"SH\x1b[2JOP" in sentence for sentence in said), said
    assert choices.settings == {"HORIZON_DAYS": "7"}


@pytest.mark.parametrize("port", ["\u0668\u0661\u0661\u0660", "80_00", "+8000", "8e3", "0", "65536"])
def test_a_port_is_written_in_digits_of_ascii(port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / ".env"
    file.write_text(f"PORT={port}\n", encoding="utf-8")
    assert main(["--env-file", str(file), "--home", str(tmp_path), "--reset"]) == 1
    assert capsys.readouterr().err.startswith("PORT must be ")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("MPESA_PASSKEY='sp ace $HOME #1'  # a remark", "sp ace $HOME #1"),
        ("export MPESA_PASSKEY=pa$$word", "pa$$word"),
        ('MPESA_PASSKEY="${HOME}"', "${HOME}"),
        ("  MPESA_PASSKEY = x  ", "x"),
        ("\ufeffMPESA_PASSKEY=x", "x"),
        ("MPESA_PASSKEY=a\r\nMPESA_PASSKEY=b\r", "b"),
    ],
)
def test_a_line_is_read_as_env_files_are_written(tmp_path: Path, line: str, value: str) -> None:
    assert told(f"{line}\n\n# last\n", tmp_path)[0].given == {"MPESA_PASSKEY": value}


@pytest.mark.parametrize("line", ["hunter2", "MPESA_PASSKEY", "MPESA_PASSKEY='hunter2", "=hunter2"])
def test_a_line_that_is_none_is_told_by_its_number_alone(tmp_path: Path, line: str) -> None:
    with pytest.raises(ChoiceError) as refused:
        told(f"PORT=1\n\n{line}\n", tmp_path)
    assert str(refused.value) == "Line 3 of .env is not NAME=value."


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00A")
    with pytest.raises(ChoiceError, match="UTF-8"):
        read_env_file(tmp_path / ".env", pytest.fail)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ChoiceError, match="folder cannot be read"):
        read_env_file(tmp_path / "folder", pytest.fail)


@pytest.mark.parametrize(
    "text",
    [
        "MPESA_ENVIRONMENT=hunter2",
        "PHONEPE_ENVIRONMENT=hunter2",
        "MPESA_CALLBACK_URL=hunter2",
        "MPESA_CALLBACK_URL=http://[hunter2",
        "MPESA_INITIATOR=hunter2",
    ],
)
def test_a_value_that_cannot_be_followed_is_named_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(ChoiceError) as refused:
        told(text, tmp_path)
    assert str(refused.value).startswith(text.split("=", maxsplit=1)[0])
    assert "hunter2" not in str(refused.value)


def test_a_credential_that_cannot_be_one_is_named_and_not_shown(tmp_path: Path) -> None:
    choices, _ = told("MPESA_BUSINESS_SHORTCODE=hunter2", tmp_path)
    with pytest.raises(CredentialError) as refused:
        load_credentials(tmp_path / "credentials.json", choices.given)
    assert str(refused.value) == "MPESA_BUSINESS_SHORTCODE must be 5 to 7 digits."


def initiator(folder: Path, *, simulated: bool = True, **environment: str) -> list[str]:
    secret = load_credentials(folder / "credentials.json", environment, simulated=simulated)["mpesa"]
    return sorted(secret.keys() & {"initiator_name", "security_credential"})


def test_the_simulated_shop_has_an_initiator_unless_it_is_told_to_have_none(tmp_path: Path) -> None:
    assert initiator(tmp_path) == ["initiator_name", "security_credential"]
    assert initiator(tmp_path, MPESA_INITIATOR="none") == []
    assert initiator(tmp_path) == ["initiator_name", "security_credential"]


def test_credentials_that_an_earlier_release_kept_get_an_initiator_and_stay_otherwise(tmp_path: Path) -> None:
    kept = load_credentials(tmp_path / "credentials.json", {"MPESA_INITIATOR": "none"})
    (tmp_path / "credentials.json").write_text(json.dumps(kept))
    found = load_credentials(tmp_path / "credentials.json", {})
    assert {name: found["mpesa"][name] for name in kept["mpesa"]} == kept["mpesa"]
    assert found == load_credentials(tmp_path / "credentials.json", {})
    assert "initiator_name" in found["mpesa"]


def test_m_pesa_itself_is_never_shown_the_simulated_initiator(tmp_path: Path) -> None:
    assert initiator(tmp_path, simulated=False) == []
    with pytest.raises(CredentialError, match="together"):
        initiator(tmp_path, simulated=False, MPESA_INITIATOR_NAME="amina")


def test_make_run_reads_the_file_and_shows_no_secret_of_it(tmp_path: Path) -> None:
    file = tmp_path / "given.env"
    file.write_text(f"{PRINTED}SESSION_TTL_SECONDS=77\nSHOP_NAME=hunter3\n".replace("your_consumer_secret", "hunter2"))
    greeting: list[str] = []
    with running(tmp_path / "home", "--env-file", str(file), greeting=greeting) as process:
        announced = (tmp_path / "home" / "stack.json").read_text()
        process.terminate()
        assert process.stdout is not None
        rest = process.stdout.read()
    assert json.loads(announced)["environment"]["SESSION_TTL_SECONDS"] == "77"
    said = "".join(greeting) + rest
    assert "hunter" not in announced + said
    for name in ("MPESA_ENVIRONMENT=production", "MPESA_CALLBACK_URL", "given.env names SHOP_NAME"):
        assert name in said, name


def test_make_run_ends_with_one_sentence_over_a_file_that_cannot_be_followed(tmp_path: Path) -> None:
    file = tmp_path / "given.env"
    for text, sentence in (
        ("PORT=hunter2", "PORT must be a whole number."),
        ("hunter2", "Line 1 of given.env is not NAME=value."),
    ):
        file.write_text(text)
        ended = run(tmp_path / "home", "--env-file", str(file))
        assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"{sentence}\n")


def test_git_ignores_the_file() -> None:
    assert subprocess.run(["git", "check-ignore", "-q", ".env"], check=False).returncode == 0


@pytest.mark.parametrize(
    ("environment", "word", "sentence", "letter"),
    [
        ("", "refunded", "This amount was sent back to you.", "We have sent back Ksh350.00"),
        ("MPESA_INITIATOR=none\n", "refund_due", "The shop pays this back by hand.", "The shop pays Ksh350.00 back by hand"),
    ],
)
def test_a_newcomer_sees_a_cancelled_order_s_money_go_back_and_without_an_initiator_that_a_person_has_to(
    tmp_path: Path, environment: str, word: str, sentence: str, letter: str
) -> None:
    file, home = tmp_path / "given.env", tmp_path / "home"
    file.write_text(f"{environment}SCHEDULE_SECONDS=1\n")
    with running(home, "--env-file", str(file)):
        stack = json.loads((home / "stack.json").read_text())
        customer = Customer(stack["base_url"], mint(stack["environment"], 1, "user@example.com"))
        path = f"/api/payments/sessions/{a_session(customer)['session_id']}"
        prompt = customer.post(f"{path}/initiate_payment", {})["checkout_request_id"]
        requests.post(f"{stack['simulator_url']}/control/mpesa/{prompt}", json={"outcome": "pay"}, timeout=10)
        order = wait_until(lambda: customer.get(f"{path}/status"), lambda answer: answer["order"] is not None)["order"]
        assert order["payment_status"] == "paid"
        cancel = ["orders", "cancel", order["order_number"], "--refund", "350.00", "--why", "No van.", "--home", str(home)]
        cancelled = subprocess.run([sys.executable, "-m", "ops.main", *cancel], capture_output=True, text=True, check=False)
        assert cancelled.returncode == 0, cancelled.stderr
        ended = wait_until(lambda: customer.get(f"{path}/status"), lambda answer: answer["refund"]["message"] == sentence)
        assert ended["order"]["payment_status"] == word
        assert customer.get(f"/api/orders/{order['order_number']}")["payment_status"] == word
        assert [each["payment_status"] for each in customer.get("/api/orders/")["results"]] == [word]
        assert [each["refund"]["message"] for each in customer.get("/api/payments/sessions/")["results"]] == [sentence]
        wait_until(lambda: requests.get(f"{stack['simulator_url']}/mail", timeout=10).text, lambda page: letter in page)
