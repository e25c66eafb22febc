"""Whether M-Pesa will deliver to an address."""

from __future__ import annotations

import pytest

from payfirst.gateways.mpesa.deliverable_address import Severity, callback_address_problem
from payfirst.settings import Stage


@pytest.mark.parametrize(
    "url",
    [
        "https://pay.shop.co.ke/cb/stk/0a1b2c3d4e5f",
        "https://abc123def.lambda-url.af-south-1.on.aws/cb/stk/0a1b",
        "https://shop.com:8443/cb",
        "https://webhook.shop.com/cb",
        "https://8.8.8.8/cb",
    ],
)
@pytest.mark.parametrize("stage", Stage)
def test_a_plain_https_address_is_right_everywhere(url: str, stage: Stage) -> None:
    assert callback_address_problem(url, stage) is None


@pytest.mark.parametrize(
    ("url", "word", "place"),
    [
        ("https://abc123.execute-api.af-south-1.amazonaws.com/cb/stk/x", "exec", "host"),
        ("https://mpesa.shop.co.ke/cb", "mpesa", "host"),
        ("https://pay.shop.co.ke/api/payments/transactions/mpesa_callback/", "mpesa", "path"),
        ("https://pay.shop.co.ke/M-Pesa/cb", "m-pesa", "path"),
        ("https://pay.shop.co.ke/M_PESA/cb", "mpesa", "path"),
        ("https://pay.shop.co.ke/m%2Dpesa/cb", "m-pesa", "path"),
        ("https://pay.shop.co.ke/%4Dpesa/cb", "mpesa", "path"),
        ("https://SAFARICOM.shop.co.ke/cb", "safaricom", "host"),
        ("https://pay.shop.co.ke/cb/run.exe", "exe", "path"),
        ("https://pay.shop.co.ke/cb/Execute", "exec", "path"),
        ("https://pay.shop.co.ke/cmd", "cmd", "path"),
        ("https://mysqlshop.co.ke/cb", "sql", "host"),
        ("https://pay.shop.co.ke/cb?kind=Query", "query", "query"),
        ("https://pay.shop.co.ke/cb#sql", "sql", "query"),
    ],
)
@pytest.mark.parametrize("stage", Stage)
def test_a_forbidden_word_is_named_with_its_place(url: str, word: str, place: str, stage: Stage) -> None:
    problem = callback_address_problem(url, stage)
    assert problem is not None
    assert (problem.word, problem.place) == (word, place)
    assert word in problem.message
    assert problem.severity is (Severity.ERROR if stage is Stage.PRODUCTION else Severity.WARNING)


@pytest.mark.parametrize(
    "url",
    [
        "http://pay.shop.co.ke/cb",
        "https://example.com/cb",
        "https://cb.example.org/",
        "https://mydomain.com/path",
        "https://yourdomain.com/api/",
        "https://localhost/cb",
        "https://127.0.0.1/cb",
        "https://10.0.0.7/cb",
        "https://[::1]/cb",
        "https://shop.test/cb",
        "https://shop/cb",
        "https://1a2b.ngrok.io/cb",
        "https://1a2b.ngrok-free.app/cb",
        "https://mockbin.org/bin/1",
        "https://requestbin.net/r/1",
        "https://webhook.site/1",
    ],
)
def test_a_place_that_m_pesa_cannot_or_will_not_call_is_an_error_in_production_only(url: str) -> None:
    in_production, in_sandbox = (callback_address_problem(url, s) for s in (Stage.PRODUCTION, Stage.SANDBOX))
    assert in_production is not None
    assert in_sandbox is not None
    assert (in_production.severity, in_sandbox.severity) == (Severity.ERROR, Severity.WARNING)
    assert callback_address_problem(url, Stage.LOCAL) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pay.shop.co.ke/cb",
        "ftp://shop.co.ke/",
        "https://",
        "https://[",
        "https://a b.co.ke/",
        "https://shop.co.ke/a b",
        "https://user:word@shop.co.ke/cb",
        "https://shop.co.ke/cb\n",
    ],
)
@pytest.mark.parametrize("stage", Stage)
def test_what_is_no_address_is_named_on_every_stage(url: str, stage: Stage) -> None:
    assert callback_address_problem(url, stage) is not None
