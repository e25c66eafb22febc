"""Simulators, a merchant and its inbox for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
