"""A shop in miniature: the embedded table and queue, the simulated gateways, and customers who buy."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.embedded_aws import EmbeddedAws
from local.ports import free_port
from local.resources import verify_senders
from local.simulator_process import SimulatorProcess
from payfirst.domain.session import Customer, Kind
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.queue import Queue
from tests.integration.payments.postman import BOOKINGS, ORDERS, Postman
from tests.integration.payments.shop import WEBHOOK_PASSWORD, WEBHOOK_USERNAME, Shop


@pytest.fixture(scope="session")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Both gateways, in a process of their own; nothing listens where PhonePe's notices go, and no refund ends by itself."""
    folder: Path = tmp_path_factory.mktemp("simulators")
    port = free_port()
    process = SimulatorProcess(
        port=port,
        state=folder / "ledger.sqlite",
        log=folder / "simulators.log",
        webhook_url="http://127.0.0.1:9/",
        refund_after_s=3600,
        phonepe={"webhook_username": WEBHOOK_USERNAME, "webhook_password": WEBHOOK_PASSWORD},
    )
    process.launch()
    try:
        process.wait_until_ready()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stop()


@pytest.fixture(scope="session")
def queue(embedded_aws: EmbeddedAws) -> Queue:
    """A settle queue that nobody reads: tests look at due attempts themselves."""
    sqs = embedded_aws.client("sqs")
    return Queue(lambda: sqs, sqs.create_queue(QueueName="settle-tests")["QueueUrl"])


@pytest.fixture
def shop(table: Table, queue: Queue, simulators: str) -> Shop:
    """A shop with tomatoes and a puja, at a clock that stands still until it is moved."""
    opened = Shop(table=table, queue=queue, simulators=simulators)
    opened.stock(listing=123, price=15000, available="10000")
    return opened


@pytest.fixture
def postman(embedded_aws: EmbeddedAws, shop: Shop) -> Postman:
    """Whoever delivers this shop's events and e-mails."""
    verify_senders(embedded_aws.client("sesv2"), (BOOKINGS, ORDERS))
    return Postman(embedded_aws, shop, {Kind.BOOKING: BOOKINGS, Kind.ORDER: ORDERS})


@pytest.fixture
def customer() -> Customer:
    """Somebody with an address of their own, and markup in their name."""
    sub = secrets.token_hex(8)
    return Customer(sub=sub, user_id=7, email=f"{sub}@example.com", name="Wanjiru <b>Otieno</b>")
