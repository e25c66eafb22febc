"""Settings are typed, all required, and in production only the gateways' own hosts are believed."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from ops.template import load_template
from payfirst.gateways.registry import GATEWAYS, check_settings, setting_names
from payfirst.settings import Bounds, ConfirmWithQuery, LatePayment, SettingError, Settings, Stage, read, read_settings

ROOT = Path(__file__).resolve().parents[2]

LOCAL = {
    "STAGE": "local",
    "WATCHING": "small",
    "TABLE_NAME": "payfirst",
    "GATEWAY_TOKENS_TABLE_NAME": "payfirst-gateway-tokens",
    "SETTLE_QUEUE_URL": "http://127.0.0.1:4566/000000000000/payfirst-settle",
    "EVENT_BUS_NAME": "payfirst",
    "TOKEN_ISSUER": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc",
    "TOKEN_AUDIENCE": "client",
    "SIGN_IN_PAGE": "https://shop.auth.ap-south-1.amazoncognito.com",
    "PUBLIC_ORIGIN": "http://127.0.0.1:8000",
    "CALLBACK_ORIGIN": "http://127.0.0.1:8000",
    "RETURN_URL": "",
    "SHOP_ORIGIN": "http://localhost:3000",
    "ALLOW_PAST_DATES": "true",
    "CUSTOMERS_CANCEL_ORDERS": "true",
    "HORIZON_DAYS": "400",
    "SESSION_TTL_SECONDS": "900",
    "EXPIRY_GRACE_SECONDS": "0",
    "LATE_PAYMENT": "honour",
    "PHONE_PACE_SECONDS": "0",
    "OPEN_SESSIONS_PER_USER": "0",
    "SESSIONS_PER_USER_HOUR": "0",
    "PROMPTS_PER_USER_HOUR": "0",
    "PROMPTS_PER_PHONE_HOUR": "0",
    "CURSOR_SECRET_ID": "payfirst/cursor",
    "GATEWAYS_SECRET_ID": "payfirst/gateways",
    "MPESA_BASE_URL": "http://127.0.0.1:8001/mpesa",
    "MPESA_NO_ANSWER_SECONDS": "180",
    "MPESA_CONFIRM_WITH_QUERY": "advisory",
    "MPESA_NOTICE_SOURCES": "",
    "PHONEPE_BASE_URL": "http://127.0.0.1:8001/phonepe",
    "PHONEPE_TOKEN_URL": "http://127.0.0.1:8001/phonepe/v1/oauth/token",
    "PHONEPE_NOTICE_SOURCES": "",
    "PHONEPE_SCRIPT": "",
    "DELIVERY_FEES": "*=50.00",
    "BOOKINGS_MAIL_SENDER": "Puja Bookings <bookings@shop.example>",
    "ORDERS_MAIL_SENDER": "Green Valley Produce <orders@shop.example>",
    "SHOP_MAIL": "owner@shop.example",
}
PRODUCTION = LOCAL | {
    "STAGE": "production",
    "SHOP_ORIGIN": "https://shop.example,https://www.shop.example",
    "PUBLIC_ORIGIN": "https://api.shop.example",
    "CALLBACK_ORIGIN": "https://abc123.lambda-url.ap-south-1.on.aws",
    "RETURN_URL": "https://shop.example/orders/paid?from=phonepe",
    "MPESA_BASE_URL": "https://api.safaricom.co.ke",
    "PHONEPE_BASE_URL": "https://api.phonepe.com/apis/pg",
    "PHONEPE_TOKEN_URL": "https://api.phonepe.com/apis/identity-manager/v1/oauth/token",
}
ADDRESSES = {"MPESA_BASE_URL": "safaricom.co.ke", "PHONEPE_BASE_URL": "phonepe.com", "PHONEPE_TOKEN_URL": "phonepe.com"}


KINDS: list[type[Any]] = [Settings, *(gateway.settings for gateway in GATEWAYS)]


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(SettingError) as raised:
        check_settings(environment)
    return str(raised.value)


def value(name: str, environment: dict[str, str]) -> object:
    """What is read for the setting `name`, whoever reads it."""
    for kind in KINDS:
        if name in {field.name for field in fields(kind)}:
            return getattr(read(kind, environment), name)
    raise LookupError(name)


def test_every_setting_becomes_the_field_of_its_name() -> None:
    found = read_settings(LOCAL)
    assert sorted(LOCAL) == sorted(setting_names())
    assert (found.stage, found.late_payment, value("mpesa_confirm_with_query", LOCAL)) == (
        Stage.LOCAL,
        LatePayment.HONOUR,
        ConfirmWithQuery.ADVISORY,
    )
    assert (found.session_ttl_seconds, found.allow_past_dates, found.table_name) == (900, True, "payfirst")
    assert (value("mpesa_notice_sources", LOCAL), value("phonepe_notice_sources", LOCAL)) == ((), ())


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
        ("HORIZON_DAYS", "0"),
        ("HORIZON_DAYS", "3651"),
        ("HORIZON_DAYS", "a year"),
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
        ("SHOP_ORIGIN", "*"),
        ("SHOP_ORIGIN", "https://shop.example/"),
        ("SHOP_ORIGIN", "https://*.shop.example"),
        ("SHOP_ORIGIN", "null"),
        ("DELIVERY_FEES", ""),
        ("DELIVERY_FEES", "Mombasa=50"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(name: str, value: str) -> None:
    assert refusal(LOCAL | {name: value}).startswith(f"the setting {name} cannot be read as ")


def test_what_cannot_be_read_is_not_repeated() -> None:
    assert "hunter2" not in refusal(LOCAL | {"SESSION_TTL_SECONDS": "hunter2"})


def test_notice_sources_are_addresses_and_networks_with_commas_between_them() -> None:
    listed = {"PHONEPE_NOTICE_SOURCES": "103.116.33.8/30, 103.243.35.242,2001:db8::/32"}
    assert value("phonepe_notice_sources", LOCAL | listed) == (
        ip_network("103.116.33.8/30"),
        ip_network("103.243.35.242/32"),
        ip_network("2001:db8::/32"),
    )


def test_pages_of_several_origins_may_call_and_an_empty_setting_lets_none() -> None:
    found = read_settings(LOCAL | {"SHOP_ORIGIN": "https://shop.example, https://www.shop.example:8443"})
    assert found.shop_origin == {"https://shop.example", "https://www.shop.example:8443"}
    assert read_settings(LOCAL | {"SHOP_ORIGIN": ""}).shop_origin == frozenset()


@pytest.mark.parametrize("origin", ["http://shop.example", "https://localhost:3000", "https://shop.example,http://localhost"])
def test_production_lets_no_page_in_that_is_not_of_https_or_of_this_machine(origin: str) -> None:
    assert refusal(PRODUCTION | {"SHOP_ORIGIN": origin}).startswith("the setting SHOP_ORIGIN must name https origins")


def test_production_takes_the_gateways_own_addresses() -> None:
    check_settings(PRODUCTION)


@pytest.mark.parametrize("stage", ["local", "sandbox"])
def test_other_stages_take_simulators_and_plain_http(stage: str) -> None:
    check_settings(LOCAL | {"STAGE": stage})


@pytest.mark.parametrize("name", ADDRESSES)
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
    given = address.format(domain=ADDRESSES[name])
    assert f"the setting {name} must be an https address on a host of {ADDRESSES[name]}" in refusal(PRODUCTION | {name: given})


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


@pytest.mark.parametrize(
    "given", ["http://shop.example/paid", "shop.example", "https://u@shop.example", "https://shop.example/#x"]
)
def test_production_sends_no_browser_back_to_what_is_no_https_address(given: str) -> None:
    assert refusal(PRODUCTION | {"RETURN_URL": given}) == "the setting RETURN_URL must be an https address in production"


@pytest.mark.parametrize("given", ["", "https://shop.example", "https://shop.example/", "https://shop.example/a/b?c=d&e=%20"])
def test_production_sends_the_browser_back_to_a_page_of_the_shops_own(given: str) -> None:
    assert value("return_url", PRODUCTION | {"RETURN_URL": given}) == given


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
        " ",
    ],
)
def test_production_refuses_an_origin_of_ours_that_is_not_https(name: str, origin: str) -> None:
    assert refusal(PRODUCTION | {name: origin}).startswith(f"the setting {name} must be an https origin")


BOUNDED: dict[str, Bounds] = {
    field.name: field.metadata["bounds"] for kind in KINDS for field in fields(kind) if field.type == "int"
}


def test_numbers_are_bounded_as_the_template_bounds_them() -> None:
    parameters = load_template(ROOT / "template.yaml")["Parameters"]
    for name, bounds in BOUNDED.items():
        parameter = parameters["".join(word.capitalize() for word in name.split("_"))]
        assert (bounds.least, bounds.most) == (parameter["MinValue"], parameter["MaxValue"]), name
        assert bounds.least <= parameter["Default"] <= bounds.most, name


def test_only_what_ends_before_ones_eyes_may_be_shorter_on_this_machine() -> None:
    for name, bounds in BOUNDED.items():
        if name in ("session_ttl_seconds", "mpesa_no_answer_seconds"):
            assert value(name, LOCAL | {name.upper(): "1"}) == 1
            assert f"from 1 to {bounds.most}" in refusal(LOCAL | {name.upper(): "0"})
            assert f"from {bounds.least} to {bounds.most}" in refusal(PRODUCTION | {name.upper(): str(bounds.least - 1)})
        else:
            assert f"from {bounds.least} to " in refusal(LOCAL | {name.upper(): str(bounds.least - 1)})


@pytest.mark.parametrize("name", sorted(BOUNDED))
def test_a_number_is_taken_up_to_its_bound_and_in_one_form(name: str) -> None:
    most = BOUNDED[name].most
    assert value(name, LOCAL | {name.upper(): str(most)}) == most
    for wrong in (str(most + 1), "9999999999999", "9" * 5000, "-1", "1_0", "1e2", "+60", "\u0666\u0660", " 60"):
        assert refusal(LOCAL | {name.upper(): wrong}).startswith(
            f"the setting {name.upper()} cannot be read as a whole number from "
        )


def test_phonepe_s_script_may_be_left_out_and_is_phonepe_s_own_and_not_its_sandbox_s_in_production() -> None:
    given = {"PHONEPE_SCRIPT": "https://mercury.phonepe.com/web/bundle/checkout.js"}
    assert value("phonepe_script", PRODUCTION) == ""
    assert value("phonepe_script", PRODUCTION | given) == given["PHONEPE_SCRIPT"]
    for address in ("https://mercury-stg.phonepe.com/web/bundle/checkout.js", "https://evil.example/checkout.js", "http://x"):
        assert "PHONEPE_SCRIPT" in refusal(PRODUCTION | {"PHONEPE_SCRIPT": address})
