"""What an AWS account has to have before the stack is deployed, asked first: executions, API Gateway's role, SES's sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError

from ops.printing import say
from ops.running import ROOT
from ops.sentences import fail
from ops.stack_state import Agree, find, outputs_of, ready, wait

KEPT_UNRESERVED: Final = 100
"""What Lambda keeps for functions without a reservation (Lambda's guide, "Configuring reserved concurrency")."""
FOR_SWEEPS: Final = 24
"""What the stack reserves for sweeps, stream and queue beside `NoticeConcurrency`."""
RESERVING: Final = ("webhook", "expire-sessions", "reconcile-payments", "deliver-events")
"""The functions that the stack reserves executions for."""
NONE: Final = "-1"
CONCURRENCY_QUOTA: Final = "L-B99A9384"
"""Concurrent executions, in Service Quotas."""
LOGS_STACK: Final = "api-gateway-logs"
LOGS_TEMPLATE: Final = ROOT / "ops" / "api_logs.yaml"
DENIED: Final = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}

Answer = TypeVar("Answer")


def check_concurrency(
    functions: Any,  # noqa: ANN401 - a boto3 client
    given: Mapping[str, str],
    standing: Mapping[str, str],
    *,
    stack: str,
    region: str,
) -> None:
    """Exits with what to set where the account has not enough executions for those that the stack would reserve anew.

    `given` are the parameters to deploy with, `standing` those of the stack that is there: what is not given stays. What that
    one has reserved is asked, for another release may reserve more beside the notices.
    """
    wanted = _reserved({**standing, **given})
    more = wanted - (_held(functions, stack) if _reserved(standing) else 0) if wanted else 0
    limits = _answered("Lambda for the account's quota", lambda: functions.get_account_settings()["AccountLimit"])
    if limits is None:
        return
    total, free = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    raising = (
        f"`aws service-quotas request-service-quota-increase --service-code lambda --quota-code {CONCURRENCY_QUOTA} "
        f"--desired-value 1000 --region {region}` asks AWS for more, without a charge"
    )
    if more > 0 and free - more < KEPT_UNRESERVED:
        fail(
            f"The stack would reserve {wanted} executions ({wanted - FOR_SWEEPS} of them by NoticeConcurrency), and of the "
            f"{total} that this account may run at once {free} are unreserved, {KEPT_UNRESERVED} of which Lambda keeps so. "
            f"Set NoticeConcurrency=-1 in samconfig.toml for now; {raising}. Nothing was deployed."
        )
    if total <= KEPT_UNRESERVED:
        say(f"This account may run {total} functions at once: enough to try, few for a shop. {raising}.")


def _held(functions: Any, stack: str) -> int:  # noqa: ANN401 - a boto3 client
    held = 0
    for each in RESERVING:
        ask = partial(functions.get_function_concurrency, FunctionName=f"{stack}-{each}")
        try:
            answer = _answered("Lambda for what the stack has reserved", ask) or {}
        except functions.exceptions.ResourceNotFoundException:
            continue  # a deployment that failed may have left no such function
        held += answer.get("ReservedConcurrentExecutions", 0)
    return held


def _reserved(parameters: Mapping[str, str]) -> int:
    notices = parameters.get("NoticeConcurrency", NONE)
    return 0 if notices == NONE else int(notices) + FOR_SWEEPS


def with_access_logs(given: Mapping[str, str], gateway: Any, stacks: Any, agree: Agree) -> dict[str, str]:  # noqa: ANN401 - boto3 clients
    """The parameters with logs of requests, where the account has the role that they need or somebody agrees to make it.

    What `given` says of `AccessLogs` counts: `false` asks nothing, `true` without that role ends in a sentence.
    """
    if given.get("AccessLogs") == "false":
        return dict(given)
    has_role = _answered("API Gateway for its role", lambda: bool(gateway.get_account().get("cloudwatchRoleArn")))
    if has_role is False and agree(
        "API Gateway may not write logs in this account and region. Make a role for that, for all its APIs together (it stays "
        f"when the shop goes; stack {LOGS_STACK})?",
        harmless=False,
    ):
        _make_role(gateway, stacks, agree)
        has_role = True
    if not has_role:
        if given.get("AccessLogs") == "true":
            fail("AccessLogs=true needs a role that API Gateway has not: docs/deploying.md says how. Nothing was deployed.")
        say("API Gateway logs no requests; AccessLogs=false in samconfig.toml says so without a question.")
    return {**given, "AccessLogs": "true" if has_role else "false"}


def _make_role(gateway: Any, stacks: Any, agree: Agree) -> None:  # noqa: ANN401 - boto3 clients
    """Make the role and name it to API Gateway; where an earlier one was made and forgotten, name that one."""
    if ready(stacks, LOGS_STACK, agree) is None:
        stacks.create_stack(
            StackName=LOGS_STACK, TemplateBody=LOGS_TEMPLATE.read_text(encoding="utf-8"), Capabilities=["CAPABILITY_IAM"]
        )
        wait(stacks, find(stacks, LOGS_STACK) or {})
    made = ready(stacks, LOGS_STACK, agree)
    if made is None:
        fail(f"{LOGS_STACK} is gone again. Nothing was deployed.")
    if not gateway.get_account().get("cloudwatchRoleArn"):
        role = {"op": "replace", "path": "/cloudwatchRoleArn", "value": outputs_of(made)["RoleArn"]}
        gateway.update_account(patchOperations=[role])


def say_where_mail_goes(mail: Any, given: Mapping[str, str], region: str) -> None:  # noqa: ANN401 - a boto3 client
    """Say so where SES is in its sandbox and the stack has somebody to write as."""
    if not any(given.get(name) for name in ("BookingsMailSender", "OrdersMailSender")):
        return
    account = _answered("SES for its sandbox", mail.get_account)
    if account is not None and not account.get("ProductionAccessEnabled"):
        say(
            "SES is in its sandbox here: e-mails reach verified addresses only, until AWS lets you out "
            f"(https://console.aws.amazon.com/ses/home?region={region}#/account)."
        )


def _answered(whom: str, ask: Callable[[], Answer]) -> Answer | None:
    """The answer; None, and a sentence, where the caller may not ask. botocore's errors for anything else."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"].get("Code") not in DENIED:
            raise
        say(f"You may not ask {whom}, so that was not looked at before deploying.")
        return None
