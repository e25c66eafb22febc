"""What a person takes up again of the outbox is due as what is left of it: an event that has left is owed its letter only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from local.embedded_aws import EmbeddedAws
from local.resources import verify_senders
from payfirst.domain.errors import NotFoundError
from payfirst.domain.session import Kind
from payfirst.storage.dynamodb import due_index
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.operators.waiting import replay, stuck
from tests.integration.payments.postman import ORDERS, Postman
from tests.integration.payments.shop import Shop, new_customer

NO_ANSWER = timedelta(minutes=3)


@pytest.fixture
def postman(embedded_aws: EmbeddedAws, shop: Shop) -> Postman:
    verify_senders(embedded_aws.client("sesv2"), (ORDERS,))
    return Postman(embedded_aws, shop, {Kind.BOOKING: "", Kind.ORDER: ORDERS})


@contextmanager
def refusing(postman: Postman) -> Iterator[None]:
    """SES takes no letter."""

    def refuse(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        http_response.status_code = 400
        parsed.clear()
        parsed |= {"Error": {"Code": "MessageRejected", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}

    postman.client.meta.events.register("after-call.sesv2.SendEmail", refuse)
    yield
    postman.client.meta.events.unregister("after-call.sesv2.SendEmail", refuse)


def ordered(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    shop.decide(started)
    shop.tell(started)


def test_a_parked_letter_that_is_taken_up_again_leaves_once_and_its_event_not_a_second_time(
    shop: Shop, postman: Postman
) -> None:
    ordered(shop)
    postman.events()
    with refusing(postman):
        for _ in range(6):
            postman.letters()
            shop.now += timedelta(hours=2)
    [parked] = [entry.key for entry in stuck(shop.table, shop.now) if "E#" in entry.key]

    assert replay(shop.notice_context(), parked, no_answer_after=NO_ANSWER) == "due for the next sweep"
    assert postman.events().delivered == 0
    assert postman.letters().sent == 1
    still = [entry.what for entry in stuck(shop.table, shop.now)]
    assert still == ["overdue: settle"], "no sweep has asked yet about the success that a notice told"
    with pytest.raises(NotFoundError, match="needs no work"):
        replay(shop.notice_context(), parked, no_answer_after=NO_ANSWER)


def test_an_event_that_is_parked_before_it_left_is_taken_up_again_as_an_event(shop: Shop, postman: Postman) -> None:
    ordered(shop)
    event = next(item for item in shop.items() if item.get("event") == "order.created")
    write(
        shop.table,
        Update("event", {"pk": event["pk"], "sk": event["sk"]}, set=due_index.due(due_index.REVIEW, event, shop.now)),
    )
    postman.both()

    replay(shop.notice_context(), f"{event['pk']} {event['sk']}", no_answer_after=NO_ANSWER)
    assert postman.events().delivered == 1
    assert postman.letters().sent == 1
