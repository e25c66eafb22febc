"""Settings are typed, all required, and in production only the gateways' own hosts are believed."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import ip_network

import pytest

from payfirst.settings import ConfirmWithQuery, LatePayment, SettingError, Settings, Stage, read_settings

LOCAL = {
    "STAGE": "local",
    "TABLE_NAME": "payfirst",
    "SETTLE_QUEUE_URL": "http://127.0.0.1:4566/000000000000/payfirst-settle",
    "EVENT_BUS_NAME": "payfirst",
    "TOKEN_ISSUER": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc",
    "TOKEN_AUDIENCE": "client",
    "PUBLIC_ORIGIN": "http://127.0.0.1:8000",
    "CALLBACK_ORIGIN": "http://127.0.0.1:8000",
    "ALLOW_PAST_DATES": "true",
    "SESSION_TTL_SECONDS": "900",
    "EXPIRY_GRACE_SECONDS": "0",
    "LATE_PAYMENT": "honour",
    "PHONE_PACE_SECONDS": "0",
    "OPEN_SESSIONS_PER_USER": "0",
    "SESSIONS_PER_USER_HOUR": "0",
    "PROMPTS_PER_USER_HOUR": "0",
    "PROMPTS_PER_PHONE_HOUR": "0",
    "CURSOR_SECRET_ID": "payfirst/cursor",
    "MPESA_SECRET_ID": "payfirst/mpesa",
    "MPESA_BASE_URL": "http://127.0.0.1:8001/mpesa",
    "MPESA_NO_ANSWER_SECONDS": "180",
    "MPESA_CONFIRM_WITH_QUERY": "advisory",
    "MPESA_NOTICE_SOURCES": "",
    "PHONEPE_SECRET_ID": "payfirst/phonepe",
    "PHONEPE_BASE_URL": "http://127.0.0.1:8001/phonepe",
    "PHONEPE_TOKEN_URL": "http://127.0.0.1:8001/phonepe/v1/oauth/token",
    "PHONEPE_NOTICE_SOURCES": "",
    "DELIVERY_FEES": "*=50.00",
    "BOOKINGS_MAIL_SENDER": "Puja Bookings <bookings@shop.example>",
    "ORDERS_MAIL_SENDER": "Green Valley Produce <orders@shop.example>",
}
PRODUCTION = LOCAL | {
    "STAGE": "production",
    "PUBLIC_ORIGIN": "https://api.shop.example",
    "CALLBACK_ORIGIN": "https://abc123.lambda-url.ap-south-1.on.aws",
    "MPESA_BASE_URL": "https://api.safaricom.co.ke",
    "PHONEPE_BASE_URL": "https://api.phonepe.com/apis/pg",
    "PHONEPE_TOKEN_URL": "https://api.phonepe.com/apis/identity-manager/v1/oauth/token",
}
GATEWAYS = {"MPESA_BASE_URL": "safaricom.co.ke", "PHONEPE_BASE_URL": "phonepe.com", "PHONEPE_TOKEN_URL": "phonepe.com"}


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(SettingError) as raised:
        read_settings(environment)
    return str(raised.value)


def test_every_setting_becomes_the_field_of_its_name() -> None:
    found = read_settings(LOCAL)
    assert set(LOCAL) == {field.name.upper() for field in fields(Settings)}
    assert (found.stage, found.late_payment, found.mpesa_confirm_with_query) == (
        Stage.LOCAL,
        LatePayment.HONOUR,
        ConfirmWithQuery.ADVISORY,
    )
    assert (found.session_ttl_seconds, found.allow_past_dates, found.table_name) == (900, True, "payfirst")
    assert (found.mpesa_notice_sources, found.phonepe_notice_sources) == ((), ())


def test_other_variables_are_passed_over() -> None:
    assert read_settings(LOCAL | {"HOME": "/", "AWS_REGION": "us-east-1"}) == read_settings(LOCAL)


@pytest.mark.parametrize("name", sorted(LOCAL))
def test_a_missing_setting_is_named(name: str) -> None:
    assert refusal({other: value for other, value in LOCAL.items() if other != name}) == f"the setting {name} is missing"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STAGE", "prod"),
        ("STAGE", ""),
        ("STAGE", "Production"),
        ("ALLOW_PAST_DATES", "yes"),
        ("ALLOW_PAST_DATES", ""),
        ("SESSION_TTL_SECONDS", "15m"),
        ("SESSION_TTL_SECONDS", ""),
        ("EXPIRY_GRACE_SECONDS", "0.5"),
        ("PHONE_PACE_SECONDS", "none"),
        ("MPESA_NO_ANSWER_SECONDS", "0x10"),
        ("LATE_PAYMENT", "keep"),
        ("MPESA_CONFIRM_WITH_QUERY", "maybe"),
        ("MPESA_NOTICE_SOURCES", "safaricom.co.ke"),
        ("MPESA_NOTICE_SOURCES", "196.201.212.69 196.201.212.74"),
        ("MPESA_NOTICE_SOURCES", "196.201.212.69,"),
        ("PHONEPE_NOTICE_SOURCES", "103.116.33.9/30"),
        ("PHONEPE_NOTICE_SOURCES", "103.116.33.8/33"),
        ("PROMPTS_PER_PHONE_HOUR", "ten"),
        ("OPEN_SESSIONS_PER_USER", "many"),
        ("DELIVERY_FEES", ""),
        ("DELIVERY_FEES", "Mombasa=50"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(name: str, value: str) -> None:
    assert refusal(LOCAL | {name: value}).startswith(f"the setting {name} cannot be read as ")


def test_what_cannot_be_read_is_not_repeated() -> None:
    assert "hunter2" not in refusal(LOCAL | {"SESSION_TTL_SECONDS": "hunter2"})


def test_notice_sources_are_addresses_and_networks_with_commas_between_them() -> None:
    found = read_settings(LOCAL | {"PHONEPE_NOTICE_SOURCES": "103.116.33.8/30, 103.243.35.242,2001:db8::/32"})
    assert found.phonepe_notice_sources == (
        ip_network("103.116.33.8/30"),
        ip_network("103.243.35.242/32"),
        ip_network("2001:db8::/32"),
    )


def test_production_takes_the_gateways_own_addresses() -> None:
    assert read_settings(PRODUCTION).stage is Stage.PRODUCTION


@pytest.mark.parametrize("stage", ["local", "sandbox"])
def test_other_stages_take_simulators_and_plain_http(stage: str) -> None:
    assert read_settings(LOCAL | {"STAGE": stage}).stage.value == stage


@pytest.mark.parametrize("name", GATEWAYS)
@pytest.mark.parametrize(
    "address",
    [
        "http://api.{domain}",
        "https://{domain}",
        "https://evil{domain}",
        "https://api.evil{domain}/apis",
        "https://api.{domain}.evil.example",
        "https://evil.example/api.{domain}",
        "https://evil.example?.{domain}",
        "https://evil.example#.{domain}",
        "https://evil.example\\.{domain}",
        "https://evil.example%2F.{domain}",
        "https://api.{domain}@evil.example",
        "https://evil.example@api.{domain}",
        "https://user:word@api.{domain}/apis",
        "https://api.{domain}:8443",
        "https://api.{domain}.",
        "https://api.{domain}/apis/",
        "https://api.{domain}/apis\n",
        " https://api.{domain}",
        "https://api.{domain}/../x?y=1",
        "https:/api.{domain}",
        "//api.{domain}",
        "ftp://api.{domain}",
        "http://127.0.0.1:8001",
        "",
    ],
)
def test_production_refuses_any_other_address_for_a_gateway(name: str, address: str) -> None:
    given = address.format(domain=GATEWAYS[name])
    assert f"the setting {name} must be an https address on a host of {GATEWAYS[name]}" in refusal(PRODUCTION | {name: given})


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("MPESA_BASE_URL", "https://sandbox.safaricom.co.ke"),
        ("MPESA_BASE_URL", "https://SANDBOX.safaricom.co.ke"),
        ("PHONEPE_BASE_URL", "https://api-preprod.phonepe.com/apis/pg-sandbox"),
        ("PHONEPE_TOKEN_URL", "https://api-preprod.phonepe.com/apis/pg-sandbox/v1/oauth/token"),
    ],
)
def test_production_refuses_the_sandboxes_in_which_nobody_pays(name: str, address: str) -> None:
    assert refusal(PRODUCTION | {name: address}).startswith(f"the setting {name} is the gateway's sandbox")


@pytest.mark.parametrize("name", ["PUBLIC_ORIGIN", "CALLBACK_ORIGIN"])
@pytest.mark.parametrize(
    "origin",
    [
        "http://api.shop.example",
        "https://",
        "https://api.shop.example/",
        "https://user@api.shop.example",
        "https://api.shop.example?x=1",
        "https://api.shop.example#x",
        "https://api.shop .example",
        "https://api.shop.example\n",
        "api.shop.example",
        "",
    ],
)
def test_production_refuses_an_origin_of_ours_that_is_not_https(name: str, origin: str) -> None:
    assert refusal(PRODUCTION | {name: origin}).startswith(f"the setting {name} must be an https origin")
