"""Gives a deployed HTTP API in MiniStack the routes that AWS would have imported.

SAM hands all routes to API Gateway as one OpenAPI document, the `Body` of the API. MiniStack makes the API and ignores that
document, so every route would be 404. What is done here goes through API Gateway's own calls, and only for MiniStack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from local.resources import Client

ALIAS_IN_URI: Final = re.compile(r"/functions/\$\{(\w+)\}/invocations")
DEFAULT_ROUTE: Final = "$default"
ANY_METHOD: Final = "x-amazon-apigateway-any-method"


def import_routes(
    client: Client, *, api_id: str, body: Mapping[str, Any], arns: Mapping[str, str], issuer: str, audience: str
) -> int:
    """Make every route of `body` in the API `api_id`, replacing what is there, and answer how many there are.

    `arns` holds the ARN of each function's alias by the alias's logical id; `issuer` and `audience` are what the authorizer
    demands of a token, which the document states only by reference.
    """
    _remove_all(client, api_id)
    authorizers = {
        name: client.create_authorizer(
            ApiId=api_id,
            Name=name,
            AuthorizerType="JWT",
            IdentitySource=[scheme["x-amazon-apigateway-authorizer"]["identitySource"]],
            JwtConfiguration={"Issuer": issuer, "Audience": [audience]},
        )["AuthorizerId"]
        for name, scheme in body["components"]["securitySchemes"].items()
    }
    integrations: dict[str, str] = {}
    routes = [(path, method, operation) for path, methods in body["paths"].items() for method, operation in methods.items()]
    for path, method, operation in routes:
        declared = operation["x-amazon-apigateway-integration"]
        alias = _alias_of(declared)
        if alias not in integrations:
            integrations[alias] = client.create_integration(
                ApiId=api_id,
                IntegrationType="AWS_PROXY",
                IntegrationMethod="POST",
                IntegrationUri=arns[alias],
                PayloadFormatVersion=declared["payloadFormatVersion"],
            )["IntegrationId"]
        client.create_route(
            ApiId=api_id,
            RouteKey=_route_key(path, method),
            Target=f"integrations/{integrations[alias]}",
            **_authorization(operation, authorizers),
        )
    return len(routes)


def allow_origins(client: Client, *, api_id: str, body: Mapping[str, Any], origins: list[str]) -> None:
    """Let browsers at `origins` call the API with the methods and headers that `body` names."""
    declared = body["x-amazon-apigateway-cors"]
    client.update_api(
        ApiId=api_id,
        CorsConfiguration={
            "AllowOrigins": origins,
            "AllowMethods": declared["allowMethods"],
            "AllowHeaders": declared["allowHeaders"],
            "ExposeHeaders": declared["exposeHeaders"],
            "MaxAge": declared["maxAge"],
        },
    )


def _remove_all(client: Client, api_id: str) -> None:
    for route in client.get_routes(ApiId=api_id)["Items"]:
        client.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    for integration in client.get_integrations(ApiId=api_id)["Items"]:
        client.delete_integration(ApiId=api_id, IntegrationId=integration["IntegrationId"])
    for authorizer in client.get_authorizers(ApiId=api_id)["Items"]:
        client.delete_authorizer(ApiId=api_id, AuthorizerId=authorizer["AuthorizerId"])


def _alias_of(integration: Mapping[str, Any]) -> str:
    """The logical id of the function's alias in an integration's address."""
    uri = integration["uri"]["Fn::Sub"]
    found = ALIAS_IN_URI.search(uri)
    if found is None:
        raise ValueError(f"the integration {uri} names no function of this template")
    return found.group(1)


def _route_key(path: str, method: str) -> str:
    if path == DEFAULT_ROUTE:
        return DEFAULT_ROUTE
    return f"{'ANY' if method == ANY_METHOD else method.upper()} {path}"


def _authorization(operation: Mapping[str, Any], authorizers: Mapping[str, str]) -> dict[str, str]:
    """Which authorizer stands before a route: that of its first security requirement, or none for `NONE`."""
    [name] = operation["security"][0]
    if name == "NONE":
        return {"AuthorizationType": "NONE"}
    return {"AuthorizationType": "JWT", "AuthorizerId": authorizers[name]}
