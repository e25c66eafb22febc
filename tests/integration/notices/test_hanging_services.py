"""A service of AWS that takes every connection and never answers costs no more time than whoever asks it has."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from local.embedded_aws import TEMPLATE
from ops.template import load_template
from payfirst.api import resources
from payfirst.api.resources import ANSWER_NOTICES_IN_S
from payfirst.domain.errors import MisconfiguredError
from payfirst.mail.post import sesv2
from payfirst.storage.dynamodb.table import dynamodb
from payfirst.storage.queue import Queue, send, sqs
from payfirst.usecases.settlement import check_status
from payfirst.usecases.sweeps import complete_bookings, deliver_events, expire_sessions, send_mail
from payfirst.usecases.sweeps.deliver_events import eventbridge
from tests.faults.front import AnsweredError
from tests.faults.model_table import ModelTable
from tests.faults.world import World, at_work
from tests.fresh import forget

MARGIN_S = 1.5
"""What a busy machine may add; a client without timeouts of its own waits for a minute."""

SERVICES = ("SECRETS_MANAGER", "SQS", "DYNAMODB", "EVENTBRIDGE", "SESV2")


@pytest.fixture(autouse=True)
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every service of AWS is at an address that takes connections and never answers."""
    taken: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def take() -> None:
        with suppress(OSError):  # the test is over
            while True:
                taken.append(listener.accept()[0])

    threading.Thread(target=take, daemon=True).start()
    for name, value in {"DEFAULT_REGION": "us-east-1", "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    for service in SERVICES:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", f"http://127.0.0.1:{listener.getsockname()[1]}")
    forget()  # its clients would be another endpoint's
    yield
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for each in taken:
        each.close()
    forget()


def seconds(act: Callable[[], Any], error: type[BaseException]) -> float:
    began = time.monotonic()
    with pytest.raises(error):
        act()
    return time.monotonic() - began


def test_a_secret_that_nobody_hands_out_is_missing_while_a_gateway_still_waits() -> None:
    assert seconds(lambda: resources.secret("shop/mpesa"), MisconfiguredError) < ANSWER_NOTICES_IN_S + MARGIN_S


def test_a_queue_that_never_answers_costs_less_than_a_gateway_waits() -> None:
    queue = Queue(sqs.__wrapped__, "http://127.0.0.1/queue")
    assert seconds(lambda: send(queue, "MT0", delay_s=0), BotoCoreError) < ANSWER_NOTICES_IN_S + MARGIN_S


@pytest.mark.parametrize(("hasty", "limit"), [(True, 3.0), (False, 5.0)])
def test_a_table_that_never_answers_is_given_up(hasty: bool, limit: float) -> None:  # noqa: FBT001 - a case
    client = dynamodb.__wrapped__(hasty=hasty)
    took = seconds(lambda: client.get_item(TableName="t", Key={"pk": {"S": "a"}, "sk": {"S": "b"}}), BotoCoreError)
    assert took < limit + MARGIN_S


def test_a_bus_and_a_post_office_that_never_answer_cost_less_than_a_run_keeps_back() -> None:
    bus, post = eventbridge.__wrapped__(), sesv2.__wrapped__()
    entry: Any = {"Source": "s", "DetailType": "d", "Detail": "{}"}
    letter: Any = {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}}
    took = seconds(lambda: bus.put_events(Entries=[entry]), BotoCoreError)
    assert took < deliver_events.SPARE_S
    took = seconds(lambda: post.send_email(Destination={"ToAddresses": ["a@example.com"]}, Content=letter), BotoCoreError)
    assert took < send_mail.SPARE_S


def test_phonepes_notice_is_answered_in_time_while_no_secret_can_be_read() -> None:
    world, real = World(ModelTable(), seed=9), resources.secret
    with at_work(world), pytest.MonkeyPatch.context() as patch:
        patch.setattr(resources, "secret", real)
        began = time.monotonic()
        with pytest.raises(AnsweredError) as refused:
            world.http("POST", "/api/payments/webhook/phonepe/", body=b"{}", headers={"authorization": "x"})
        took = time.monotonic() - began
    assert refused.value.status == HTTPStatus.SERVICE_UNAVAILABLE, "PhonePe sends it again"
    assert took < ANSWER_NOTICES_IN_S + MARGIN_S


def longest_s(client: Any) -> float:
    """What one request can take: every try waits for its connection or its answer, and a second try pauses up to a second."""
    config = client.meta.config
    tries = config.retries["total_max_attempts"]
    return float(tries * max(config.connect_timeout, config.read_timeout) + (tries - 1))


def test_what_sweeps_keep_back_outlasts_every_request_that_they_begin() -> None:
    table = longest_s(dynamodb.__wrapped__())
    assert 2 * table <= expire_sessions.SPARE_S
    assert 2 * table <= complete_bookings.SPARE_S
    assert longest_s(eventbridge.__wrapped__()) + table <= deliver_events.SPARE_S
    assert longest_s(sesv2.__wrapped__()) + 2 * table <= send_mail.SPARE_S
    assert table <= check_status.WRITES_S


def test_no_function_is_stopped_while_it_waits_for_one_request() -> None:
    functions = [
        each["Properties"] for each in load_template(TEMPLATE)["Resources"].values() if each["Type"].endswith("::Function")
    ]
    shortest = min(float(each["Timeout"]) for each in functions if "Timeout" in each)
    clients = (dynamodb.__wrapped__(), sqs.__wrapped__(), eventbridge.__wrapped__(), sesv2.__wrapped__())
    assert max(map(longest_s, clients)) < shortest
