"""`make deploy ENV=…` and `make destroy ENV=…`: the stack in the caller's own AWS account, as `samconfig.toml` describes it.

Each step finds out by itself what the ones before have done, so the same command goes on wherever one ended. The change set is
shown, and nothing is carried out before somebody agrees. Nothing here holds a secret or a credential.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import boto3
import typer
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from ops.account import check_concurrency, say_where_mail_goes, with_access_logs
from ops.deployed import CONFIG
from ops.earlier_tokens import forget
from ops.environments import Environment, overrides, read_environment
from ops.login_page import open_login_page
from ops.printing import complain, say
from ops.running import ROOT
from ops.sentences import fail, in_one_sentence
from ops.smoke import awaits_its_owner, smoke
from ops.stack_state import STATES, Agree, Way, failures, find, in_words, outputs_of, parameters_of, ready, wait

SAM: Final = ROOT / ".tools" / "sam" / "bin" / "sam"
BUILT: Final = ROOT / ".aws-sam" / "build" / "template.yaml"
NOBODY: Final = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
"""What botocore says where nobody is signed in."""
BUCKET_STACK: Final = "aws-sam-cli-managed-default"
"""SAM's own stack, with the bucket that it puts code into."""

NEXT: Final = ("NextCredentials", "PhonePeNoticeUrl", "MpesaNoticeHost", "DomainTarget", "NextToken", "PublicUrl")
"""The outputs that say what to do now, in that order."""

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)
Env = Annotated[str, typer.Argument(help="An environment of samconfig.toml, for instance dev.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: for CI, where a person has asked already.")]
AtOnce = Annotated[bool, typer.Option("--at-once", help="Take over at once, past an alarm that is on.")]
Data = Annotated[bool, typer.Option("--data", help="Delete the table and the customers too, for good.")]


def enter_account(where: Environment) -> Any:  # noqa: ANN401 - a boto3 session
    """A session in the caller's account and the environment's region; says which, and exits with a sentence without one."""
    try:
        session: Any = boto3.session.Session(region_name=where.region)
        if session.region_name is None:
            fail(f"Say in which region: write `region` into [{where.name}.deploy.parameters] of samconfig.toml.")
        who = session.client("sts", config=CONFIG).get_caller_identity()
    except (*NOBODY, ClientError) as error:
        fail(
            "AWS does not know you here: sign in (`aws sso login`) or name a profile (`export AWS_PROFILE=…`), then try again. "
            f"({error})",
            error,
        )
    say(f"Account {who['Account']}, region {session.region_name}, stack {where.stack}; you are {who['Arn']}.")
    return session


def interpreter_folder(runtime: str) -> Path | None:
    """Where the Python of a runtime (`python3.13`) is on this machine, which uv knows; None if it is not there."""
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    behind_shims = [str(folder) for folder in home.glob("versions/*/bin")]  # uv runs a shim, and takes its refusal for the end
    path = os.pathsep.join([*behind_shims, os.environ.get("PATH", os.defpath)])
    command = [_uv(), "python", "find", "--no-project", "--no-python-downloads", runtime.removeprefix("python")]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})
    return Path(found.stdout.strip()).parent if found.returncode == 0 else None


def _uv() -> str:
    return str(Path(sys.executable).with_name("uv"))


def _interpreter(runtime: str, agree: Agree) -> Path:
    folder = interpreter_folder(runtime)
    version = runtime.removeprefix("python")
    if folder is None and agree(f"Python {version}, on which the functions run, is not here. Let uv fetch it?", harmless=True):
        subprocess.run([_uv(), "python", "install", version], check=False)
        folder = interpreter_folder(runtime)
    if folder is None:
        fail(f"{runtime} is not on this machine: `.venv/bin/uv python install {version}`, or choose another Runtime.")
    return folder


def sam(*words: str, where: Environment, folder: Path, runtime: str) -> int:
    """Run SAM in the foreground, with the interpreter in `folder`; its exit code."""
    if not SAM.exists():
        fail("The SAM CLI is not installed yet: run `make tools-sam`.")
    variables = {
        **os.environ,
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": str(where.region),
        "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "LAYER_RUNTIME": runtime,
        "LAYER_ARCHITECTURE": where.parameters.get("Architecture", "arm64"),
    }
    return subprocess.run([str(SAM), *words, "--config-env", where.name], cwd=ROOT, env=variables, check=False).returncode


def compiled_for(layer: Path, python: Path) -> bool:
    """Whether everything in the built layer that can be compiled is, for that Python."""
    asked = [str(python), "-c", "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"]
    magic = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    found = list(layer.rglob("*.pyc"))
    return bool(found) and all(path.read_bytes()[:4].hex() == magic for path in found)


@app.command("deploy")
def deploy_command(env: Env, *, yes: Yes = False, at_once: AtOnce = False) -> None:
    """Build the stack and deploy it, its change set shown before it is carried out; goes on wherever an earlier run ended."""
    with in_one_sentence():
        where, session = _enter(env)
        where = shifted(where, at_once=at_once)
        agree = _agreeing(yes=yes)
        stacks = session.client("cloudformation", config=CONFIG)
        standing = ready(stacks, where.stack, agree)
        given = _asked_of_account(session, where, parameters_of(standing or {}), agree)
        ready(stacks, BUCKET_STACK, agree)
        runtime = where.parameters.get("Runtime", "python3.13")
        folder = _interpreter(runtime, agree)
        if sam("build", *overrides(given), where=where, folder=folder, runtime=runtime) != 0:
            fail("The build failed, for the reason above: nothing was deployed.")
        if not compiled_for(BUILT.parent / "CommonLayer" / "python", folder / runtime):
            fail(f"The layer is not compiled for {runtime}, so every cold start would be slower: nothing was deployed.")
        for protects in [False, True] if standing is None and where.protects_data else [where.protects_data]:
            if protects and standing is None:
                say("Everything is there; protecting table and customers from deletion.")
            asks = "--no-confirm-changeset" if yes or (protects and standing is None) else "--confirm-changeset"
            told = {**given, "ProtectData": "true" if protects else "false"}
            code = sam("deploy", asks, *overrides(told), where=where, folder=folder, runtime=runtime)
            after = _after(stacks, where, code)
        forget(session.client("dynamodb", config=CONFIG), after["TableName"])
        for name in NEXT:
            if name in after:
                say(f"{name:18}{after[name]}")
        open_login_page(session.client("cognito-idp", config=CONFIG), after["UserPoolId"], after["UserPoolClientId"])
        wrong = smoke(session, where.stack)
        if awaits_its_owner(wrong):
            awaited = ", ".join(line.what for line in wrong)
            say(
                f"It is deployed, and waits for what only you can give: {awaited}. Do what those lines say, "
                f"then `make smoke ENV={where.name}`."
            )
        elif wrong:
            complain(f"It is deployed, and not all of it is as it should be: look again with `make smoke ENV={where.name}`.")
            raise typer.Exit(1)


def _after(stacks: Any, where: Environment, code: int) -> dict[str, str]:  # noqa: ANN401 - a boto3 client
    """The outputs of the stack that SAM left; exits with what it left and how to go on where that is none to work with."""
    found = find(stacks, where.stack)
    if code != 0:
        left = f"{in_words(found)} " if found else ""
        complain(f"SAM could not deploy it, for the reason above. {left}`make deploy ENV={where.name}` goes on from here.")
        raise typer.Exit(code)
    if found is None or STATES[found["StackStatus"]].way is not Way.UPDATE:
        fail("Nothing was deployed.")
    return outputs_of(found)


def _asked_of_account(session: Any, where: Environment, standing: Mapping[str, str], agree: Agree) -> dict[str, str]:  # noqa: ANN401 - a boto3 session
    """The parameters to deploy with, once the account has answered that it can carry them."""
    region: str = session.region_name
    functions = session.client("lambda", config=CONFIG)
    check_concurrency(functions, where.parameters, standing, stack=where.stack, region=region)
    say_where_mail_goes(session.client("sesv2", config=CONFIG), where.parameters, region)
    gateway, stacks = (session.client(name, config=CONFIG) for name in ("apigateway", "cloudformation"))
    return with_access_logs(where.parameters, gateway, stacks, agree)


@app.command("destroy")
def destroy_command(env: Env, *, data: Data = False) -> None:
    """Take the stack away. The table and the customers stay, unless that is asked for and then confirmed once more."""
    with in_one_sentence():
        where, session = _enter(env)
        stacks = session.client("cloudformation", config=CONFIG)
        found = _at_rest(stacks, where.stack)
        outputs = outputs_of(found)
        kept: dict[str, str] = {name: outputs[name] for name in ("TableName", "UserPoolId") if name in outputs}
        say(in_words(found), f"This stops the shop {where.stack}. Kept: {', '.join(kept.values()) or 'nothing'}.")
        _confirm(f"Type {where.stack} to take it away", where.stack)
        if data:
            _confirm(f"Type 'delete the data of {where.stack}' to lose it for good", f"delete the data of {where.stack}")
        stacks.delete_stack(StackName=found["StackId"])
        status = wait(stacks, found, begun=found["StackStatus"])
        if status != "DELETE_COMPLETE":
            fail(
                "\n".join(
                    [f"{where.stack} is {status}. Mend what is named, then try again:", *failures(stacks, found["StackId"])]
                )
            )
        say(f"{where.stack} is gone.")
        if data:
            _delete_data(session, kept)
        else:
            for name, value in kept.items():
                say(f"{name:18}{value} is kept")


def _at_rest(stacks: Any, stack: str) -> dict[str, Any]:  # noqa: ANN401 - a boto3 client
    """The stack once nothing moves in it; exits with a sentence where there is none."""
    while True:
        found = find(stacks, stack)
        if found is None:
            fail(f"There is no stack {stack} in this account and region.")
        if STATES[found["StackStatus"]].way is not Way.WAIT:
            return found
        say(in_words(found))
        wait(stacks, found)


def shifted(where: Environment, *, at_once: bool) -> Environment:
    """The environment, for a deployment that waits for no alarm if `at_once`; the next one shifts as it is written down."""
    return replace(where, parameters={**where.parameters, "TrafficShift": "AllAtOnce"}) if at_once else where


def _enter(name: str) -> tuple[Environment, Any]:
    """The environment with its region, and a session there."""
    try:
        where = read_environment(name)
    except LookupError as error:
        fail(str(error.args[0]), error, exit_code=2)
    session = enter_account(where)
    return replace(where, region=session.region_name), session


def _agreeing(*, yes: bool) -> Agree:
    """Asks a person; with `yes` nobody is there, and only what loses nothing is agreed to."""

    def agree(question: str, *, harmless: bool) -> bool:
        if yes:
            say(f"{question} {'Yes' if harmless else 'No'}, since nobody is asked (--yes).")
            return harmless
        return typer.confirm(question)

    return agree


def _confirm(question: str, answer: str) -> None:
    if typer.prompt(question, default="", show_default=False) != answer:
        fail("Nothing was changed.")


def _delete_data(session: Any, kept: Mapping[str, str]) -> None:  # noqa: ANN401 - a boto3 session
    """Delete what stacks leave behind, protection and all."""
    if "TableName" in kept:
        tables = session.client("dynamodb", config=CONFIG)
        tables.update_table(TableName=kept["TableName"], DeletionProtectionEnabled=False)
        tables.delete_table(TableName=kept["TableName"])
        say(f"The table {kept['TableName']} is deleted; its backups are kept for as long as AWS keeps them.")
    if "UserPoolId" in kept:
        users = session.client("cognito-idp", config=CONFIG)
        users.update_user_pool(UserPoolId=kept["UserPoolId"], DeletionProtection="INACTIVE")
        users.delete_user_pool(UserPoolId=kept["UserPoolId"])
        say(f"The customers in {kept['UserPoolId']} are deleted.")


if __name__ == "__main__":
    app()
