"""Completes a REST API that MiniStack has imported: it passes over ANY methods and gateway responses in an OpenAPI document.

What is done here goes through API Gateway's own calls, and only for MiniStack. AWS imports both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.host.application import ANY_METHOD, read_responses
from local.resources import Client


def complete(client: Client, *, api_id: str, stage: str, template: Mapping[str, Any], shop_origin: str) -> None:
    """Give the API the ANY methods of `template` and what it says by itself, and deploy that to `stage`."""
    resources = {one["path"]: one["id"] for one in client.get_resources(restApiId=api_id, limit=500)["items"]}

    def method(event: Mapping[str, Any]) -> dict[str, str]:
        return {"restApiId": api_id, "resourceId": resources[event["Path"]], "httpMethod": event["Method"]}

    for function in template["Resources"].values():
        events = [
            one["Properties"] for one in function.get("Properties", {}).get("Events", {}).values() if one["Type"] == "Api"
        ]
        for event in (one for one in events if one["Method"] == ANY_METHOD):
            like = next(one for one in events if one["Method"] != ANY_METHOD and one.get("Auth") == event.get("Auth"))
            known = client.get_method(**method(like))
            rights = {name: known[name] for name in ("authorizationType", "authorizerId") if name in known}
            client.put_method(**method(event), **rights)
            uri = known["methodIntegration"]["uri"]
            client.put_integration(**method(event), type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    for kind, declared in read_responses(template, shop_origin).items():
        client.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            **({"statusCode": str(declared.status)} if declared.status else {}),
            responseParameters={f"gatewayresponse.header.{name}": f"'{value}'" for name, value in declared.headers.items()},
            responseTemplates={"application/json": declared.template},
        )
    client.create_deployment(restApiId=api_id, stageName=stage)
