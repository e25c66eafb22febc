"""Simulators, a merchant and its inbox for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.simulators.settings import Settings

from .merchant import WEBHOOK_PASSWORD, WEBHOOK_USERNAME, Inbox, Merchant, open_inbox, running


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with open_inbox() as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path, inbox: Inbox) -> Settings:
    return Settings(
        state=tmp_path / "state" / "ledger.sqlite",
        phonepe_webhook_url=f"{inbox.url}/webhook/phonepe/",
        phonepe_webhook_username=WEBHOOK_USERNAME,
        phonepe_webhook_password=WEBHOOK_PASSWORD,
        refund_after_s=0.05,
        notice_timeout_s=5.0,
        webhook_retry_s=(0.05, 0.1, 0.15),
    )


@pytest.fixture
def merchant_of(settings: Settings, inbox: Inbox) -> Iterator[Callable[..., Merchant]]:
    """Starts simulators with changed settings; all are stopped after the test."""
    with ExitStack() as stack:

        def start(**changes: Any) -> Merchant:
            merchant = Merchant(stack.enter_context(running(replace(settings, **changes))), inbox)
            stack.callback(merchant.close)
            return merchant

        yield start


@pytest.fixture
def merchant(merchant_of: Callable[..., Merchant]) -> Merchant:
    return merchant_of()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Merchant]:
    """One process for tests of requests that are refused and leave nothing behind; its PhonePe tells nobody."""
    state = tmp_path_factory.mktemp("simulators") / "ledger.sqlite"
    with running(Settings(state=state)) as address, closing(Merchant(address, Inbox("http://127.0.0.1:9"))) as merchant:
        yield merchant
