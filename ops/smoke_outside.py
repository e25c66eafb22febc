"""What `make smoke` says of what no template can fill: secrets, the catalogue, and whether e-mails and messages may leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import requests

from ops.credential_check import form_of
from ops.credential_target import Account, Target
from ops.smoke_shop import Line, Shop, bad, if_there, judged, ok, unknown
from payfirst.domain.mailbox import name_and_address
from payfirst.gateways.account import CredentialError
from payfirst.gateways.registry import GATEWAYS

CATALOGUE_LINE: Final = "something to sell"
SECRET_LINES: Final = {each.terms.name.lower(): f"{each.terms.label}'s credentials" for each in GATEWAYS}
CURSOR_LINE: Final = "the key of cursors"
SENDER_LINES: Final = {"BookingsMailSender": "e-mails about bookings", "OrdersMailSender": "e-mails about orders"}
SES_LINE: Final = "SES's sandbox"
SMS_LINE: Final = "text messages (SNS's sandbox)"
COUNTRIES_LINE: Final = "where text messages may go"
BEFORE_SMS: Final = "docs/deploying.md lists what to do before SignInCodes is sms."
MOST_COUNTRIES: Final = 5
"""A shop delivers to one or two; a list of more is one that nobody has cut."""
SELLS: Final = {"listings": ("mpesa", "OrdersMailSender"), "services": ("phonepe", "BookingsMailSender")}
"""Which account and which sender each half of the catalogue needs."""


def check_outside(shop: Shop) -> Iterator[Line]:
    """The lines about what the shop's own people and AWS have to give."""
    sold = on_sale(shop)
    yield _catalogue(sold)
    idle = {word for half, needed in SELLS.items() if any(sold.values()) and not sold[half] for word in needed}
    for account in SECRET_LINES:
        missing = missing_credentials(shop, account)
        yield _secret(shop, account, missing, idle=account in idle)
    yield _cursor_key(shop)
    for parameter in SENDER_LINES:
        yield _sender(shop, parameter, idle=parameter in idle)
    yield _ses(shop)
    yield from _sms(shop)


def on_sale(shop: Shop) -> dict[str, list[dict[str, Any]]]:
    """What is sold now of the first page of `listings` and of `services`; empty where none answers."""
    found: dict[str, list[dict[str, Any]]] = {}
    for half in SELLS:
        try:
            answer = shop.send("GET", f"/api/{half}")
            found[half] = [one for one in answer.json()["results"] if one["active"]] if answer.ok else []
        except (requests.RequestException, ValueError, KeyError):
            found[half] = []  # the line about public paths says so
    return found


def missing_credentials(shop: Shop, account: Account) -> list[str]:
    """The variables of those credentials that are not stored, or not as they must be; never a value."""
    try:
        kept = Target(account, shop.client("secretsmanager"), shop.output("GatewaysSecretId")).read() or {}
    except CredentialError as error:
        return [str(error)]
    fields = form_of(account, kept).fields
    return [one.variable for one in fields if not one.holds(kept.get(one.name, "")) and (one.required or one.name in kept)]


def _catalogue(sold: dict[str, list[dict[str, Any]]]) -> Line:
    empty = [] if any(sold.values()) else ["the catalogue is empty"]
    found = " and ".join(f"{len(items)} {half}" for half, items in sold.items())
    return judged(CATALOGUE_LINE, empty, found, "Fill it: docs/catalogue/README.md.")


def _secret(shop: Shop, account: Account, missing: list[str], *, idle: bool) -> Line:
    what, do = SECRET_LINES[account], f"`payfirst credentials set {account} {shop.options}`; the same with `check` tries them."
    if missing and idle:
        return ok(what, f"not stored, and nothing is sold that needs them ({', '.join(missing)})", do)
    return judged(what, [f"missing: {', '.join(missing)}"] if missing else [], "complete; not tried at the gateway", do)


def _cursor_key(shop: Shop) -> Line:
    do = "Put a random `key` into the secret that the output CursorSecretId names."
    secret = if_there(shop.client("secretsmanager").get_secret_value, SecretId=shop.output("CursorSecretId"))
    try:
        there = bool(json.loads(secret.get("SecretString", "{}")).get("key"))
    except ValueError:
        there = False
    return judged(CURSOR_LINE, [] if there else ["lists have no second page: the secret has no `key`"], "is there", do)


def _sender(shop: Shop, parameter: str, *, idle: bool) -> Line:
    what, given = SENDER_LINES[parameter], shop.parameters.get(parameter, "")
    address = name_and_address(given)[1]
    if not address:
        found = f"{parameter} is empty: no e-mail leaves"
        do = f"Verify an address in SES and give it as {parameter}."
        return ok(what, found, do) if idle or not shop.takes_real_money else bad(what, found, do)
    ask = shop.client("sesv2").get_email_identity
    known = [one for name in (address, address.partition("@")[2]) if (one := if_there(ask, EmailIdentity=name))]
    if not any(one["VerifiedForSendingStatus"] for one in known):
        why = "is not verified in SES" if known else "is unknown to SES in this region"
        return bad(what, f"{address} {why}", "Verify the address or its domain in SES.")
    if shop.emulated:
        return unknown(what, f"{address} is known; an emulator verifies whatever it is given", "Look on an AWS account.")
    return ok(what, f"leave from {address}, which is verified")


def _ses(shop: Shop) -> Line:
    if not any(shop.parameters.get(parameter) for parameter in SENDER_LINES):
        return ok(SES_LINE, "no e-mail leaves")
    if shop.emulated:
        return unknown(SES_LINE, "an emulator has no sandbox", "Look on an AWS account.")
    account = shop.client("sesv2").get_account()
    if not account.get("SendingEnabled"):
        return bad(SES_LINE, "SES has stopped sending for this account", "Look at SES's console: it says why.")
    if account.get("ProductionAccessEnabled"):
        return ok(SES_LINE, "left: e-mails reach everybody")
    found, do = "e-mails reach verified addresses only", "Ask SES for production access, in this region."
    return bad(SES_LINE, found, do) if shop.takes_real_money else ok(SES_LINE, found, do)


def _sms(shop: Shop) -> Iterator[Line]:
    pool = shop.client("cognito-idp").describe_user_pool(UserPoolId=shop.output("UserPoolId"))["UserPool"]
    if not pool.get("SmsConfiguration"):
        yield ok(SMS_LINE, "the user pool sends none")
        return
    if shop.emulated:
        yield unknown(SMS_LINE, "an emulator has no sandbox", "Look on an AWS account.")
        return
    if not shop.client("sns").get_sms_sandbox_account_status()["IsInSandbox"]:
        yield ok(SMS_LINE, "left: messages reach every number")
    else:
        found, do = "messages reach verified numbers only", "Ask SNS to leave its SMS sandbox, in this region."
        yield bad(SMS_LINE, found, do) if shop.takes_real_money else ok(SMS_LINE, found, do)
    yield _countries(shop)


def _countries(shop: Shop) -> Line:
    """Where texts may go: Cognito's obey the account's default and nothing else."""
    texts = shop.client("pinpoint-sms-voice-v2")
    known = {one["Name"]: one["Value"] for one in texts.describe_account_attributes()["AccountAttributes"]}
    default = known.get("DEFAULT_PROTECT_CONFIGURATION_ID")
    if not default:
        return bad(COUNTRIES_LINE, "every country: the account has no protect configuration as its default", BEFORE_SMS)
    rules = texts.get_protect_configuration_country_rule_set(ProtectConfigurationId=default, NumberCapability="SMS")
    allowed = sorted(name for name, rule in rules["CountryRuleSet"].items() if rule["ProtectStatus"] != "BLOCK")
    if len(allowed) > MOST_COUNTRIES:
        return bad(COUNTRIES_LINE, f"{len(allowed)} countries", BEFORE_SMS)
    return ok(COUNTRIES_LINE, ", ".join(allowed) or "none: no code arrives anywhere")
