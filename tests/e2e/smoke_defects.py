"""What may be wrong with a deployed stack: each makes it so by AWS's own calls, says what is then found, and takes it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from local.deployed import STACK
from ops.smoke_alarms import ALARM_KIND
from ops.smoke_shop import ALIAS, Shop


@contextmanager
def a_missing_route(shop: Shop) -> Iterator[str]:
    gateway, api = shop.client("apigateway"), shop.outputs["ApiId"]
    [resource] = [one for one in gateway.get_resources(restApiId=api, limit=500)["items"] if one["path"] == "/api/orders"]
    place = {"restApiId": api, "resourceId": resource["id"], "httpMethod": "GET"}
    method = gateway.get_method(**place)
    gateway.delete_method(**place)
    yield "missing: GET /api/orders"
    gateway.put_method(**place, authorizationType=method["authorizationType"], authorizerId=method["authorizerId"])
    uri = method["methodIntegration"]["uri"]
    gateway.put_integration(**place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)


@contextmanager
def a_pool_of_another_stack(shop: Shop) -> Iterator[str]:
    users, gateway, api = shop.client("cognito-idp"), shop.client("apigateway"), shop.outputs["ApiId"]
    pool = users.create_user_pool(PoolName="another stack's")["UserPool"]
    other = gateway.create_authorizer(
        restApiId=api,
        name="Others",
        type="COGNITO_USER_POOLS",
        providerARNs=[pool["Arn"]],
        identitySource="method.request.header.Authorization",
    )
    [ours] = [one for one in gateway.get_authorizers(restApiId=api)["items"] if one["name"] != "Others"]
    protected = [
        {"restApiId": api, "resourceId": resource["id"], "httpMethod": name}
        for resource in gateway.get_resources(restApiId=api, limit=500, embed=["methods"])["items"]
        for name, method in resource.get("resourceMethods", {}).items()
        if method["authorizationType"] == "COGNITO_USER_POOLS"
    ]

    def take_tokens_of(authorizer: str) -> None:
        for place in protected:
            change = {"op": "replace", "path": "/authorizerId", "value": authorizer}
            gateway.update_method(**place, patchOperations=[change])

    take_tokens_of(other["id"])
    yield f"takes tokens of {pool['Id']}, not of {shop.outputs['UserPoolId']}"
    take_tokens_of(ours["id"])
    gateway.delete_authorizer(restApiId=api, authorizerId=other["id"])
    users.delete_user_pool(UserPoolId=pool["Id"])


@contextmanager
def a_disabled_schedule(shop: Shop) -> Iterator[str]:
    scheduler, name = shop.client("scheduler"), f"{STACK}-reconcile-payments"
    found = scheduler.get_schedule(Name=name, GroupName=STACK)
    kept = {key: found[key] for key in ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**kept, State="DISABLED")
    yield f"{name} is DISABLED"
    scheduler.update_schedule(**kept, State="ENABLED")


@contextmanager
def with_variable(shop: Shop, folder: str, variable: str, value: str) -> Iterator[None]:
    """The live version of a function has another value."""
    functions, name = shop.client("lambda"), shop.function(folder)
    before = functions.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
    variables = functions.get_function_configuration(FunctionName=name, Qualifier=ALIAS)["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**variables, variable: value}})
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)
    yield
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=before)


@contextmanager
def cors_for_another_origin(shop: Shop) -> Iterator[str]:
    with with_variable(shop, "site", "SHOP_ORIGIN", "https://other.example"):
        yield "OPTIONS /api/payments/sessions/ may be read by nobody"


@contextmanager
def another_clients_tokens(shop: Shop) -> Iterator[str]:
    with with_variable(shop, "carts", "TOKEN_AUDIENCE", "another"):
        yield "CartsFunction believes another client (TOKEN_AUDIENCE)"


@contextmanager
def an_alarm_on_a_metric_that_nobody_sends(shop: Shop) -> Iterator[str]:
    watch, [name] = shop.client("cloudwatch"), [name for name in alarms(shop) if "ApiErrors" in name]
    [found] = watch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    given = ("Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods", "Threshold")
    more = ("AlarmName", "ComparisonOperator", "TreatMissingData", "AlarmActions", "OKActions")
    kept = {key: found[key] for key in given + more}
    of_http_apis = {"MetricName": "5xx", "Dimensions": [{"Name": "ApiId", "Value": shop.outputs["ApiId"]}]}
    watch.put_metric_alarm(**{**kept, **of_http_apis})
    yield f"watches AWS/ApiGateway 5xx ApiId={shop.outputs['ApiId']}, which nothing in this stack sends"
    watch.put_metric_alarm(**kept)


def alarms(shop: Shop) -> list[str]:
    return sorted(shop.made(ALARM_KIND).values())


@contextmanager
def an_empty_secret(shop: Shop) -> Iterator[str]:
    keeper, place = shop.client("secretsmanager"), {"SecretId": shop.outputs["GatewaysSecretId"]}
    before = keeper.get_secret_value(**place)["SecretString"]
    keeper.put_secret_value(**place, SecretString="{}")
    yield "missing: PHONEPE_CLIENT_ID, PHONEPE_CLIENT_SECRET"
    keeper.put_secret_value(**place, SecretString=before)


@contextmanager
def a_route_with_a_slash(shop: Shop) -> Iterator[str]:
    gateway, api = shop.client("apigateway"), shop.outputs["ApiId"]
    [parent] = [one for one in gateway.get_resources(restApiId=api, limit=500)["items"] if one["path"] == "/api"]
    made = gateway.create_resource(restApiId=api, parentId=parent["id"], pathPart="orders/")
    yield "/api/orders/: the path without it is another"
    gateway.delete_resource(restApiId=api, resourceId=made["id"])


RIGHTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "lambda:InvokeFunctionUrl": {"FunctionUrlAuthType": "NONE"},
    "lambda:InvokeFunction": {"InvokedViaFunctionUrl": True},
}


@contextmanager
def a_url(shop: Shop, *, without: str = "") -> Iterator[str]:
    """The webhook's own URL, which a stack with an address for notices does not have, and its two rights `without` one."""
    functions, place = shop.client("lambda"), {"FunctionName": shop.function("webhook"), "Qualifier": ALIAS}
    functions.create_function_url_config(**place, AuthType="NONE")
    given = [action for action in RIGHTS if action != without]
    for action in given:
        sid = action.replace(":", "-")
        functions.add_permission(**place, StatementId=sid, Action=action, Principal="*", **RIGHTS[action])
    yield f"nobody has the right {without}"
    for action in given:
        functions.remove_permission(**place, StatementId=action.replace(":", "-"))
    functions.delete_function_url_config(**place)
