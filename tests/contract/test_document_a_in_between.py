"""The answer that the Booking Flow prints for a payment that has succeeded while its booking is still to be made.

That state lasts for one write, too short to be met over HTTP: the session of a finished booking is put back into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import boto3

from local.embedded_aws import KEY, REGION
from payfirst.storage.dynamodb import keys
from tests.conftest import RunningStack
from tests.contract.exchanges import document
from tests.contract.walk import Customer, Walk, pay_phonepe, wait_until

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


def test_a_payment_whose_booking_is_still_to_be_made_answers_as_printed(stack: RunningStack) -> None:
    sub = str(uuid4())
    walk = Walk("bookings", Customer(stack.base_url, stack.token(sub=sub)))
    walk.take("create_cart")
    walk.take("process_payment")
    pay_phonepe(stack, walk.known["merchant_transaction_id"])
    check = document("bookings")["check_booking"].path_with(walk.known)
    wait_until(lambda: walk.customer.get(check), lambda answer: answer["booking_created"])
    _take_back_to_paid(stack, sub, walk.known["payment_id"])
    walk.take("check_booking_not_yet_made")


def _take_back_to_paid(stack: RunningStack, sub: str, number: int) -> None:
    table: DynamoDBClient = boto3.client(
        "dynamodb", endpoint_url=stack.endpoint, region_name=REGION, aws_access_key_id=KEY, aws_secret_access_key=KEY
    )
    table.update_item(
        TableName=stack.environment["TABLE_NAME"],
        Key={name: {"S": value} for name, value in keys.owned(sub, keys.SESSION, number).items()},
        UpdateExpression="SET #status = :paid REMOVE outcome",
        ConditionExpression="#status = :done AND attribute_exists(outcome)",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":paid": {"S": "paid"}, ":done": {"S": "order_created"}},
    )
