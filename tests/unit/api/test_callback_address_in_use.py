"""A prompt is not sent while its result would go to an address that Safaricom refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from payfirst.api.resources import check_callbacks
from payfirst.domain.errors import MisconfiguredError
from tests.fresh import forget
from tests.unit.test_settings import PRODUCTION


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Settings and the check are made once for each process; here once for each test."""
    forget()
    yield
    forget()


def _set(monkeypatch: pytest.MonkeyPatch, **changed: str) -> None:
    for name, value in {**PRODUCTION, **changed}.items():
        monkeypatch.setenv(name, value)


def test_production_sends_no_prompt_with_a_forbidden_word_in_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, CALLBACK_ORIGIN="https://a1b2.execute-api.af-south-1.amazonaws.com")

    with pytest.raises(MisconfiguredError, match="callback address"):
        check_callbacks("MPESA")


def test_production_sends_prompts_with_a_right_address(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, CALLBACK_ORIGIN="https://pay.shop.co.ke")

    check_callbacks("MPESA")


def test_the_sandbox_is_only_warned(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    _set(monkeypatch, STAGE="sandbox", CALLBACK_ORIGIN="https://a1b2.execute-api.af-south-1.amazonaws.com")

    check_callbacks("MPESA")

    assert [record.message for record in caplog.records] == ["callback_address.doubtful"]
