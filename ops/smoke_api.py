"""What `make smoke` says of the API as it is set up: its routes, who may call them, and the settings of what answers them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.smoke_shop import ALIAS, Line, Shop, bad, if_there, is_missing, judged, logical_id, shown
from payfirst.api.routes import ROUTES

ROUTES_LINE: Final = "the API's routes"
SLASHES_LINE: Final = "routes with a slash at their end"
RIGHTS_LINE: Final = "who may call each route"
POOL_LINE: Final = "whose tokens are taken"
OWN_ADDRESS_LINE: Final = "the API's own address at AWS"
SETTINGS_LINE: Final = "the functions' settings"
DEPLOY: Final = "Deploy again: `make deploy` puts back what was changed by hand."
CATCH_ALL: Final = frozenset({"ANY /", "ANY /{proxy+}", "ANY /api/operators/{proxy+}", "OPTIONS /api/operators/{proxy+}"})
"""What answers where no route does: 404, 405 and what browsers ask before they send."""
FORBIDDEN: Final = 403
PUBLIC_REST: Final = CATCH_ALL - {"ANY /api/operators/{proxy+}"}

Methods = dict[str, Mapping[str, Any]]
"""Each method of the API as `GET /health`."""


def check_api(shop: Shop) -> Iterator[Line]:
    """The lines about routes, rights, user pool and settings."""
    gateway, api = shop.client("apigateway"), shop.output("ApiId")
    try:
        resources = _pages(gateway, "get_resources", api, embed=["methods"])
        authorizers = _pages(gateway, "get_authorizers", api)
    except ClientError as error:
        if not is_missing(error):
            raise
        why = f"there is no REST API {api!r}: an HTTP API has no route that ends in a slash"
        yield bad(ROUTES_LINE, why, "Deploy the release that you check with; `ApiId` in the stack's outputs names the API.")
        return
    methods = {f"{name} {one['path']}": method for one in resources for name, method in one.get("resourceMethods", {}).items()}
    yield _routes(shop, methods)
    slashed = sorted(one["path"] for one in resources if one["path"] != "/" and one["path"].endswith("/"))
    other = [f"{', '.join(slashed)}: the path without it is another"] if slashed else []
    yield judged(SLASHES_LINE, other, "none: API Gateway takes both forms to the same route", DEPLOY)
    yield _own_address(shop, gateway, api)
    yield _rights(methods, {one["id"] for one in authorizers})
    yield _pool(shop, authorizers)
    yield _settings(shop)


def _pages(gateway: Any, ask: str, api: str, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    found: list[dict[str, Any]] = []
    place: dict[str, Any] = {}
    while True:
        answer = getattr(gateway, ask)(restApiId=api, limit=500, **more, **place)
        found += answer["items"]
        if "position" not in answer:
            return found
        place = {"position": answer["position"]}


def _routes(shop: Shop, methods: Methods) -> Line:
    ours = {f"{method} {route.path}": route for route in ROUTES for method in route.methods}
    problems = [f"missing: {', '.join(missing)}"] if (missing := sorted({*ours, *CATCH_ALL} - methods.keys())) else []
    if surplus := sorted(methods.keys() - ours.keys() - CATCH_ALL):
        problems.append(f"not ours: {', '.join(surplus)}")
    for name, route in ours.items():
        whom = methods.get(name, {}).get("methodIntegration", {}).get("uri", "")
        if whom and f"function:{shop.function(route.function)}:{ALIAS}/" not in whom:
            problems.append(f"{name} does not lead to {logical_id(route.function)}'s version {ALIAS}")
    return judged(ROUTES_LINE, problems, f"all {len(ours)} of this release, and {len(CATCH_ALL)} for the rest", DEPLOY)


def _own_address(shop: Shop, gateway: Any, api: str) -> Line:  # noqa: ANN401 - a boto3 client
    """With a domain it has to be off: it would be a way past the domain and what stands before it."""
    domain, own = shop.parameters.get("DomainName"), shop.output("ApiUrl")
    is_off = gateway.get_rest_api(restApiId=api).get("disableExecuteApiEndpoint", False)
    if not domain:
        problems = ["is off, and no domain leads to the API"] if is_off else []
        return judged(OWN_ADDRESS_LINE, problems, "is open, since no domain leads to the API", DEPLOY)
    problems = [] if is_off else [f"is open: a way past {domain}"]
    if is_off and not shop.emulated:  # a stage that was not deployed since goes on answering
        answer = shop.send("GET", f"{own}/health")
        problems = [] if answer.status_code == FORBIDDEN else [f"{own}/health is answered {shown(answer)}: a way past {domain}"]
    return judged(OWN_ADDRESS_LINE, problems, f"is off: requests come by {domain}", DEPLOY)


def _rights(methods: Methods, authorizers: set[str]) -> Line:
    public = PUBLIC_REST | {f"{method} {route.path}" for route in ROUTES if route.public for method in route.methods}
    problems = []
    for name, method in sorted(methods.items()):
        kind = method.get("authorizationType", "NONE")
        if name in public:
            problems += [f"{name} is public and demands {kind}"] if kind != "NONE" else []
        elif kind != "COGNITO_USER_POOLS" or method.get("authorizerId") not in authorizers:
            problems.append(f"{name} takes calls without a token of the user pool")
        elif method.get("authorizationScopes"):
            problems.append(f"{name} demands scopes: access tokens instead of ID tokens")
    return judged(RIGHTS_LINE, problems, f"{len(methods) - len(public)} with a token, {len(public)} without", DEPLOY)


def _pool(shop: Shop, authorizers: list[dict[str, Any]]) -> Line:
    pool, client = shop.output("UserPoolId"), shop.output("UserPoolClientId")
    problems = []
    for one in authorizers:
        pools = [arn.rsplit("/", 1)[-1] for arn in one.get("providerARNs", ())]
        if pools != [pool]:
            problems.append(f"the authorizer {one['name']} takes tokens of {', '.join(pools) or 'no pool'}, not of {pool}")
        if one.get("identityValidationExpression") not in (client, *(("", None) if shop.emulated else ())):
            problems.append(f"the authorizer {one['name']} takes another client's tokens than {client}'s")
    if not authorizers:
        problems.append("the API has no authorizer")
    if not if_there(shop.client("cognito-idp").describe_user_pool_client, UserPoolId=pool, ClientId=client):
        problems.append(f"the pool {pool} has no client {client}")
    for folder, variables in _variables(shop):
        if not variables.get("TOKEN_ISSUER", "").endswith(f"/{pool}"):
            problems.append(f"{logical_id(folder)} believes another pool (TOKEN_ISSUER)")
        if variables.get("TOKEN_AUDIENCE") != client:
            problems.append(f"{logical_id(folder)} believes another client (TOKEN_AUDIENCE)")
    return judged(POOL_LINE, problems, f"those of {pool}, for the client {client}", DEPLOY)


def _settings(shop: Shop) -> Line:
    given = shop.parameters
    domain = f"https://{given['DomainName']}" if given.get("DomainName") else ""
    expected = {
        "STAGE": given.get("Stage", ""),
        "SHOP_ORIGIN": given.get("ShopOrigin", ""),
        "PUBLIC_ORIGIN": given.get("PublicOrigin") or domain,
        "TABLE_NAME": shop.output("TableName"),
    }
    found = dict(_variables(shop))
    problems = [
        f"{logical_id(folder)} has {name}={variables.get(name, '')!r}, not {value!r}"
        for folder, variables in found.items()
        for name, value in expected.items()
        if variables.get(name, "") != value
    ]
    return judged(SETTINGS_LINE, problems, f"{len(found)} functions have the stack's own, in their version {ALIAS}", DEPLOY)


def _variables(shop: Shop) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The environment of the live version of each function behind the API, by its folder."""
    functions = shop.client("lambda")
    for folder in sorted({route.function for route in ROUTES}):
        found = functions.get_function_configuration(FunctionName=shop.function(folder), Qualifier=ALIAS)
        yield folder, found.get("Environment", {}).get("Variables", {})
