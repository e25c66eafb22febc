"""`make deploy ENV=…` and `make destroy ENV=…`: the stack in the caller's own AWS account, as `samconfig.toml` describes it.

The first deployment of an environment is guided by SAM, which asks for every parameter and keeps the answers; later ones show
the change set and ask before they carry it out. Nothing here holds a secret or a credential.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from ops.running import ROOT
from ops.sentences import fail, in_one_sentence

SAM: Final = ROOT / ".tools" / "sam" / "bin" / "sam"
BUILT: Final = ROOT / ".aws-sam" / "build" / "template.yaml"
CONFIG: Final = Config(connect_timeout=5, read_timeout=30)
UNKNOWN_ORIGIN: Final = "https://origin.invalid"
"""Where an API is that has no address before it is deployed; a second pass gives it its own."""

FIRST_TIME: Final = """
SAM now asks for every parameter; Enter takes the value in brackets, and that does for a start. One question wants `y`: whether
it is okay that the WebhookFunction Function Url has no authentication. Gateways have no tokens; each notice proves itself.
"""

NEXT: Final = ("NextCredentials", "PhonePeNoticeUrl", "MpesaNoticeHost", "DomainTarget", "NextToken", "PublicUrl")
"""The outputs that say what to do now, in that order."""

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)
Env = Annotated[str, typer.Argument(help="An environment of samconfig.toml, for instance dev.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: for CI, where a person has asked already.")]
Data = Annotated[bool, typer.Option("--data", help="Delete the table and the customers too, for good.")]


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of `samconfig.toml`: its stack, its region and the parameters that it gives to the template."""

    name: str
    stack: str
    region: str
    parameters: Mapping[str, str]


def read_environment(name: str, config: Path = ROOT / "samconfig.toml") -> Environment:
    """The environment called `name`; LookupError names those that there are, for one that is not."""
    environments = {key: value for key, value in tomllib.loads(config.read_text(encoding="utf-8")).items() if key != "version"}
    if name not in environments:
        raise LookupError(f"{config.name} has no environment {name!r}: say ENV={' or ENV='.join(sorted(environments))}.")
    given = environments[name]["deploy"]["parameters"]
    return Environment(name, given["stack_name"], given["region"], read_overrides(given.get("parameter_overrides", [])))


def read_overrides(written: str | list[str]) -> dict[str, str]:
    """Parameters as SAM's configuration holds them: a list of `Name=value`, or the one line that its guide writes."""
    words = shlex.split(written) if isinstance(written, str) else written
    return {name: value.strip('"') for name, _, value in (word.partition("=") for word in words)}


def with_origin(parameters: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, str]:
    """The parameters with an address for the API: the one that is given, else the one that it got when it was deployed."""
    if parameters.get("PublicOrigin", UNKNOWN_ORIGIN) not in ("", UNKNOWN_ORIGIN) or parameters.get("DomainName"):
        return dict(parameters)
    return {**parameters, "PublicOrigin": outputs.get("ApiUrl", UNKNOWN_ORIGIN)}


def outputs_of(stacks: Any, stack: str) -> dict[str, str] | None:  # noqa: ANN401 - a boto3 client
    """What the stack answers; None if it was never deployed. botocore's ClientError for anything else."""
    try:
        [found] = stacks.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}


def enter_account(where: Environment) -> Any:  # noqa: ANN401 - a boto3 session
    """A session in the caller's account and the environment's region; says which, and exits with a sentence without one."""
    session: Any = boto3.session.Session(region_name=where.region)
    try:
        who = session.client("sts", config=CONFIG).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        fail(
            "AWS does not know you here: sign in (`aws sso login`) or name a profile (`export AWS_PROFILE=…`), then try again. "
            f"({error})",
            error,
        )
    print(f"Account {who['Account']}, region {where.region}, stack {where.stack}; you are {who['Arn']}.", flush=True)
    return session


def interpreter_folder(runtime: str) -> Path | None:
    """Where the Python of a runtime (`python3.13`) is on this machine, which uv knows; None if it is not there."""
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "python", "find", "--no-project", "--no-python-downloads", runtime.removeprefix("python")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return Path(found.stdout.strip()).parent if found.returncode == 0 else None


def sam(*words: str, where: Environment, runtime: str) -> None:
    """Run SAM in the foreground; exits with its own exit code if it fails."""
    if not SAM.exists():
        fail("The SAM CLI is not installed yet: run `make tools-sam`.")
    folder = interpreter_folder(runtime)
    if folder is None:
        version = runtime.removeprefix("python")
        fail(f"{runtime} is not on this machine: `.venv/bin/uv python install {version}`, or choose another Runtime.")
    variables = {
        **os.environ,
        "SAM_CLI_TELEMETRY": "0",
        "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "LAYER_RUNTIME": runtime,
        "LAYER_ARCHITECTURE": where.parameters.get("Architecture", "arm64"),
    }
    done = subprocess.run([str(SAM), *words, "--config-env", where.name], cwd=ROOT, env=variables, check=False)
    if done.returncode != 0:
        raise typer.Exit(done.returncode)


def compiled_for(layer: Path, python: Path) -> bool:
    """Whether everything in the built layer that can be compiled is, for that Python."""
    asked = [str(python), "-c", "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"]
    magic = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    found = list(layer.rglob("*.pyc"))
    return bool(found) and all(path.read_bytes()[:4].hex() == magic for path in found)


def overrides(parameters: Mapping[str, str]) -> list[str]:
    """The option that gives SAM parameters, values with blanks whole; nothing for none."""
    words = [f"ParameterKey={name},ParameterValue={_quoted(value)}" for name, value in parameters.items()]
    return ["--parameter-overrides", *words] if words else []


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if " " in value else value


@app.command("deploy")
def deploy_command(env: Env, *, yes: Yes = False) -> None:
    """Build the stack and deploy it: guided the first time, afterwards with its change set shown before it is carried out."""
    with in_one_sentence():
        where = _environment(env)
        session = enter_account(where)
        stacks = session.client("cloudformation", config=CONFIG)
        runtime = where.parameters.get("Runtime", "python3.13")
        before = outputs_of(stacks, where.stack)
        sam("build", *overrides(where.parameters), where=where, runtime=runtime)
        folder = interpreter_folder(runtime)
        if folder is None or not compiled_for(BUILT.parent / "CommonLayer" / "python", folder / runtime):
            fail(f"The layer is not compiled for {runtime}, so every cold start would be slower: nothing was deployed.")
        if before is None and not yes:
            print(FIRST_TIME, flush=True)
            sam("deploy", "--guided", *overrides(with_origin(where.parameters, {})), where=where, runtime=runtime)
            where = _environment(env)  # with the answers
        else:
            asks = "--no-confirm-changeset" if yes else "--confirm-changeset"
            sam("deploy", asks, *overrides(with_origin(where.parameters, before or {})), where=where, runtime=runtime)
        after = outputs_of(stacks, where.stack)
        if after is None:
            fail("Nothing was deployed.")
        if after.get("PublicUrl") == UNKNOWN_ORIGIN:
            print("The API has its address now; telling it to the functions.", flush=True)
            told = {**where.parameters, "PublicOrigin": after["ApiUrl"]}
            sam("deploy", "--no-confirm-changeset", *overrides(told), where=where, runtime=runtime)
            after = outputs_of(stacks, where.stack) or after
        for name in NEXT:
            if name in after:
                print(f"{name:18}{after[name]}")


@app.command("destroy")
def destroy_command(env: Env, *, data: Data = False) -> None:
    """Take the stack away. The table and the customers stay, unless that is asked for and then confirmed once more."""
    with in_one_sentence():
        where = _environment(env)
        session = enter_account(where)
        stacks = session.client("cloudformation", config=CONFIG)
        outputs = outputs_of(stacks, where.stack)
        if outputs is None:
            fail(f"There is no stack {where.stack} in this account and region.")
        kept: dict[str, str] = {name: outputs[name] for name in ("TableName", "UserPoolId") if name in outputs}
        Console(highlight=False).print(f"This stops the shop {where.stack}. Kept: {', '.join(kept.values()) or 'nothing'}.")
        _confirm(f"Type {where.stack} to take it away", where.stack)
        if data:
            _confirm(f"Type 'delete the data of {where.stack}' to lose it for good", f"delete the data of {where.stack}")
        stacks.delete_stack(StackName=where.stack)
        stacks.get_waiter("stack_delete_complete").wait(StackName=where.stack, WaiterConfig={"Delay": 5, "MaxAttempts": 240})
        print(f"{where.stack} is gone.")
        if data:
            _delete_data(session, kept)
        else:
            for name, value in kept.items():
                print(f"{name:18}{value} is kept")


def _environment(name: str) -> Environment:
    try:
        return read_environment(name)
    except LookupError as error:
        fail(str(error.args[0]), error, exit_code=2)


def _confirm(question: str, answer: str) -> None:
    if typer.prompt(question, default="", show_default=False) != answer:
        fail("Nothing was changed.")


def _delete_data(session: Any, kept: Mapping[str, str]) -> None:  # noqa: ANN401 - a boto3 session
    """Delete what stacks leave behind, protection and all."""
    if "TableName" in kept:
        tables = session.client("dynamodb", config=CONFIG)
        tables.update_table(TableName=kept["TableName"], DeletionProtectionEnabled=False)
        tables.delete_table(TableName=kept["TableName"])
        print(f"The table {kept['TableName']} is deleted; its backups are kept for as long as AWS keeps them.")
    if "UserPoolId" in kept:
        users = session.client("cognito-idp", config=CONFIG)
        users.update_user_pool(UserPoolId=kept["UserPoolId"], DeletionProtection="INACTIVE")
        users.delete_user_pool(UserPoolId=kept["UserPoolId"])
        print(f"The customers in {kept['UserPoolId']} are deleted.")


if __name__ == "__main__":
    app()
