"""The stack as SAM deploys it: routes, authorizer, rights, layer, queue and schedules of `template.yaml`, unmodified.

Each function may do here what its role in the template allows and nothing else.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
import requests

from local.deployed import STACK, DeployedStack
from local.embedded_aws import AwsEndpoint
from ops.token import mint
from payfirst.api.routes import ROUTES, Route
from tests.conftest import PooledStack
from tests.contract.walk import Customer, a_session, pay_mpesa, pay_phonepe, wait_until

SCHEDULE_DEADLINE_S: Final = 120
LAYER_BUDGET_BYTES: Final = 31 * 2**19
PUJA_CART: Final = {
    "service_type": "PUJA",
    "puja_service": 1,
    "package_id": 2,
    "selected_date": "2025-07-30",
    "selected_time": "10:00 AM",
}


@pytest.fixture(scope="module")
def layer(deployed: PooledStack) -> Path:
    """What the deployed layer holds: the folder that Lambda shows as /opt/python."""
    return deployed.built / "CommonLayer" / "python"


@pytest.fixture(scope="module")
def aws(deployed: PooledStack) -> AwsEndpoint:
    return AwsEndpoint(int(deployed.endpoint.rsplit(":", 1)[1]))


@pytest.fixture
def customer(deployed: PooledStack) -> Customer:
    """Somebody who has signed up in the deployed user pool, with a token that it signed."""
    return Customer(deployed.base_url, mint(deployed.environment, 1, f"{uuid4()}@shop.example"))


def call(stack: DeployedStack, route: Route, end: str, token: str | None = None) -> requests.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    path = route.path.replace("{", "").replace("}", "")
    return requests.request(route.method, f"{stack.base_url}{path}{end}", headers=headers, timeout=60)


def test_the_deployed_api_has_every_route_and_two_for_the_rest(deployed: PooledStack, aws: AwsEndpoint) -> None:
    assert deployed.deployment is not None
    api = deployed.deployment.outputs["ApiId"]
    resources = aws.client("apigateway").get_resources(restApiId=api, limit=500)["items"]
    made = {f"{method} {one['path']}" for one in resources for method in one.get("resourceMethods", {})}
    assert made == {f"{method} {route.path}" for route in ROUTES for method in route.methods} | {
        "ANY /",
        "ANY /{proxy+}",
        "ANY /api/operators/{proxy+}",
        "OPTIONS /api/operators/{proxy+}",
    }


@pytest.mark.parametrize("end", ["", "/"], ids=["without slash", "with slash"])
def test_a_path_or_a_method_that_no_route_has_is_answered_in_its_familys_shape(deployed: PooledStack, end: str) -> None:
    unknown = requests.get(f"{deployed.base_url}/api/cart/nothing{end}", timeout=60)
    assert (unknown.status_code, unknown.json()["error_code"]) == (404, "ROUTE_NOT_FOUND")
    other = requests.put(f"{deployed.base_url}/api/orders{end}", timeout=60)
    assert (other.status_code, other.headers["Allow"]) == (405, "GET, HEAD")


def test_a_page_of_the_shop_may_ask_and_read_and_no_other(deployed: PooledStack) -> None:
    where = f"{deployed.base_url}/api/payments/sessions/"
    asks = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    allowed = requests.options(where, headers=asks, timeout=60)
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (204, "https://shop.example")
    refused = requests.options(where, headers={**asks, "Origin": "https://evil.example"}, timeout=60)
    assert refused.status_code == 405
    assert "Access-Control-Allow-Origin" not in refused.headers
    signed_out = requests.get(where, headers={"Origin": "https://shop.example"}, timeout=60)
    assert (signed_out.status_code, signed_out.headers["Access-Control-Allow-Origin"]) == (401, "https://shop.example")


def test_the_layer_keeps_its_budget(layer: Path) -> None:
    size = sum(path.stat().st_size for path in layer.rglob("*") if path.is_file())
    assert size < LAYER_BUDGET_BYTES, f"{size / 2**20:.1f} MiB"


def test_the_layer_holds_compiled_packages_and_our_sources_with_their_compiled_form(layer: Path) -> None:
    ours = set((layer / "payfirst").rglob("*.py"))
    assert set(layer.rglob("*.py")) == ours
    compiled = {path.parent.parent / f"{path.name.split('.')[0]}.py" for path in (layer / "payfirst").rglob("*.pyc")}
    assert compiled == ours
    assert {path.read_bytes()[:4] for path in layer.rglob("*.pyc")} == {MAGIC_NUMBER}  # of the Python that runs it here


def test_the_layer_holds_what_a_traced_stack_needs(layer: Path) -> None:
    program = "from payfirst.tracing import recorder; print(recorder().in_subsegment('table'))"
    variables = {"PYTHONPATH": str(layer), "LAMBDA_TASK_ROOT": "/var/task"}
    done = subprocess.run([sys.executable, "-S", "-c", program], env=variables, capture_output=True, text=True, check=False)
    assert "SubsegmentContextManager" in done.stdout, done.stderr


@pytest.mark.parametrize("end", ["", "/"], ids=["without slash", "with slash"])
def test_no_function_runs_for_a_call_without_a_token(deployed: PooledStack, end: str) -> None:
    for route in ROUTES:
        if not route.public:
            answer = call(deployed, route, end)
            assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHORIZED"), route.operation


def test_no_function_runs_for_a_token_that_was_changed(deployed: PooledStack, customer: Customer) -> None:
    header, claims, signature = str(customer.token).split(".")
    middle = len(claims) // 2
    changed = claims[:middle] + ("A" if claims[middle] != "A" else "B") + claims[middle + 1 :]
    [route] = [route for route in ROUTES if route.operation == "list_sessions"]
    answer = call(deployed, route, "/", ".".join((header, changed, signature)))
    assert answer.status_code == 401


def test_every_function_behind_the_api_starts_with_its_layer_and_rights(deployed: PooledStack, customer: Customer) -> None:
    for route in ROUTES:
        if route.method == "GET":
            answer = call(deployed, route, "", customer.token)
            assert answer.status_code < 500, f"{route.operation}: {answer.status_code} {answer.text}"


def test_an_order_is_paid_by_mpesa_once_with_the_rights_of_the_template(deployed: PooledStack, customer: Customer) -> None:
    session = a_session(customer)["session_id"]
    started = customer.post(f"/api/payments/sessions/{session}/initiate_payment")
    pay_mpesa(deployed, started["checkout_request_id"])
    status = wait_until(
        lambda: customer.get(f"/api/payments/sessions/{session}/status"),
        lambda answer: answer["session_status"] == "order_created",
    )
    orders = customer.get("/api/orders")
    assert [order["order_id"] for order in orders["results"]] == [status["order"]["order_id"]]


def test_an_operator_of_the_user_pool_moves_an_order_with_the_rights_of_the_template(
    deployed: PooledStack, customer: Customer
) -> None:
    path = f"/api/payments/sessions/{a_session(customer)['session_id']}"
    pay_mpesa(deployed, customer.post(f"{path}/initiate_payment")["checkout_request_id"])
    code = wait_until(lambda: customer.get(f"{path}/status"), lambda answer: answer["order"])["order"]["order_number"]
    token = mint(deployed.environment, 7, f"{uuid4()}@shop.example", groups=["operators"])
    operator, move = Customer(deployed.base_url, token), f"/api/operators/orders/{code}/move"

    assert customer.send("POST", move, {"status": "packed"}).status_code == 404
    key = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        answer = operator.send("POST", move, {"status": "packed"}, headers=key)
        assert (answer.status_code, answer.json()["order_status"]) == (200, "packed")
    assert operator.get("/api/operators/stuck")["next"] is None


def test_a_booking_is_paid_by_phonepe_once_with_the_rights_of_the_template(deployed: PooledStack, customer: Customer) -> None:
    cart = customer.post("/api/cart/carts", PUJA_CART)
    payment = customer.post("/api/payments/process-cart", {"cart_id": cart["id"], "method": "PHONEPE"})
    pay_phonepe(deployed, payment["merchant_transaction_id"])
    checked = wait_until(
        lambda: customer.get(f"/api/payments/{payment['payment_id']}/check-booking"),
        lambda answer: answer["booking_created"],
    )
    bookings = customer.get("/api/booking/bookings")
    assert [booking["book_id"] for booking in bookings["results"]] == [checked["booking"]["book_id"]]


def payfirst(aws: AwsEndpoint, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the command line answers somebody whose AWS account is the embedded one."""
    command = [str(Path(sys.executable).parent / "payfirst"), *arguments]
    return subprocess.run(
        command, env={**os.environ, **aws.environment()}, capture_output=True, text=True, timeout=60, check=False
    )


def test_an_operator_sees_and_settles_payments_of_a_deployed_stack_by_its_name(
    deployed: PooledStack, aws: AwsEndpoint, customer: Customer
) -> None:
    session = a_session(customer)["session_id"]
    assert "pending" in payfirst(aws, "show", session, "--stack-name", STACK).stdout
    started = customer.post(f"/api/payments/sessions/{session}/initiate_payment")
    pay_mpesa(deployed, started["checkout_request_id"])
    settled = payfirst(aws, "tick", "reconcile", "--stack-name", STACK)
    assert settled.returncode == 0, settled.stderr
    wait_until(
        lambda: customer.get(f"/api/payments/sessions/{session}/status"),
        lambda answer: answer["session_status"] == "order_created",
    )
    assert "order_created" in payfirst(aws, "show", session, "--stack-name", STACK).stdout


def test_a_token_is_made_for_a_new_customer_of_a_deployed_stack_and_for_nobody_else(
    deployed: PooledStack, aws: AwsEndpoint
) -> None:
    words = ("token", "--stack-name", STACK, "--user-id", "7", "--email", f"{uuid4()}@shop.example")
    made = payfirst(aws, *words)
    assert made.returncode == 0, made.stderr
    assert Customer(deployed.base_url, made.stdout.strip()).get("/api/orders")["results"] == []
    again = payfirst(aws, *words)
    assert (again.returncode, again.stdout) == (1, "")
    assert "has signed up already" in again.stderr


def test_a_stack_that_is_not_there_is_named_in_one_sentence(deployed: PooledStack, aws: AwsEndpoint) -> None:  # noqa: ARG001
    answer = payfirst(aws, "stuck", "--stack-name", "no-such-shop")
    assert answer.returncode == 1
    assert "no-such-shop" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_same_request_with_an_idempotency_key_makes_one_session(customer: Customer) -> None:
    customer.add_tomatoes()
    body = json.loads((Path(__file__).parents[2] / "events" / "create_session.json").read_text(encoding="utf-8"))["body"]
    key = {"Idempotency-Key": uuid4().hex}
    first, second = (
        customer.send("POST", "/api/payments/sessions", json.loads(body), headers=key).json()["session_id"] for _ in range(2)
    )
    assert first == second


def test_a_role_cannot_do_what_the_template_does_not_allow_it(aws: AwsEndpoint) -> None:
    refused = "read is fine, but not to write: AccessDeniedException"
    assert try_to_write_with_the_role_of("ReadPaymentsFunction", aws) == refused
    assert try_to_write_with_the_role_of("CreateSessionFunction", aws) == "read and written"


PROBE = """
import os, boto3
def handler(event, context):
    table, client = os.environ["TABLE_NAME"], boto3.client("dynamodb")
    key = {"pk": {"S": "PROBE"}, "sk": {"S": "PROBE"}}
    client.get_item(TableName=table, Key=key)
    try:
        client.put_item(TableName=table, Item=key)
    except client.exceptions.ClientError as error:
        return "read is fine, but not to write: " + error.response["Error"]["Code"]
    return "read and written"
"""


def try_to_write_with_the_role_of(logical_id: str, aws: AwsEndpoint) -> str:
    """What comes of a function with that function's role, layer and environment which reads and then writes an item."""
    functions = aws.client("lambda")
    physical = aws.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
    worn = functions.get_function_configuration(FunctionName=physical["StackResourceDetail"]["PhysicalResourceId"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", PROBE)
    name = f"probe-{uuid4().hex}"
    functions.create_function(
        FunctionName=name,
        Role=worn["Role"],
        Runtime=worn["Runtime"],
        Handler="app.handler",
        Timeout=30,
        Layers=[layer["Arn"] for layer in worn["Layers"]],
        Environment={"Variables": worn["Environment"]["Variables"]},
        Code={"ZipFile": packed.getvalue()},
    )
    answer = functions.invoke(FunctionName=name)["Payload"].read()
    functions.delete_function(FunctionName=name)
    return str(json.loads(answer))


def test_the_tables_stream_really_calls(deployed: PooledStack, aws: AwsEndpoint, customer: Customer) -> None:
    assert deployed.deployment is not None
    a_session(customer)
    logs, group = aws.client("logs"), deployed.deployment.outputs["FunctionLogsName"]

    def ran() -> bool:
        told = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
        return any('"event":"stream.ran","delivered":1' in message for message in told)

    wait_until(ran, bool, seconds=SCHEDULE_DEADLINE_S)


def test_the_schedules_really_fire(deployed: PooledStack, aws: AwsEndpoint) -> None:
    assert deployed.deployment is not None
    logs, group = aws.client("logs"), deployed.deployment.outputs["FunctionLogsName"]
    missing = {"expiry.ran", "reconcile.ran", "delivery.ran"}
    deadline = time.monotonic() + SCHEDULE_DEADLINE_S
    while missing:
        assert time.monotonic() < deadline, f"{missing} did not come within {SCHEDULE_DEADLINE_S} s"
        time.sleep(1)
        messages = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
        missing = {word for word in missing if not any(f'"event":"{word}"' in message for message in messages)}
