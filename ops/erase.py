"""`payfirst erase`: takes a customer out of the table and out of the user pool, on their request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import boto3
import typer

from ops import words
from ops.deployed import CONFIG, Home, StackName, enter_stack
from ops.operate import By, who
from ops.printing import say
from ops.running import HOME, table_of
from ops.sentences import fail, in_one_sentence
from payfirst.domain.clock import utc_now
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.storage import erasing
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.operators import erase
from payfirst.usecases.operators.erase import Found, UnderWay, Why

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_COGNITO: Final = "cognito-idp."
_KEPT: Final = """\
Kept for the books: {books}; with their amounts, receipts, ids, dates, county, and what was bought.
Copies that end by themselves: recovery points of the table after 35 days, logs after the stack's LogRetentionDays (they
hold ids, no names). Not ours to erase: what PhonePe, Safaricom, the customer's mailbox and your event bus's listeners
have received."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The user pool that customers sign in with, where this stack has one of Cognito's."""

    client: CognitoIdentityProviderClient
    pool: str

    def names(self, attribute: str, value: str) -> dict[str, str]:
        """The users whose `attribute` is `value`: their names by their `sub`."""
        users = self.client.list_users(UserPoolId=self.pool, Filter=f'{attribute} = "{value}"')["Users"]
        found = {}
        for user in users:
            subs = [each.get("Value", "") for each in user["Attributes"] if each["Name"] == "sub"]
            found[subs[0] if subs else user["Username"]] = user["Username"]
        return found

    def delete(self, name: str) -> None:
        """Delete the user of that name."""
        self.client.admin_delete_user(UserPoolId=self.pool, Username=name)


def accounts_of(environment: Mapping[str, str]) -> Accounts | None:
    """The accounts of the stack that this process has entered; None where somebody else signs its customers in."""
    issuer = urlsplit(environment["TOKEN_ISSUER"])
    if not (issuer.hostname or "").startswith(_COGNITO):
        return None
    region = (issuer.hostname or "").split(".")[1]
    client = boto3.session.Session().client("cognito-idp", region_name=region, config=CONFIG)
    return Accounts(client, issuer.path.strip("/"))


def erase_command(
    customer: Annotated[str, typer.Argument(help="Whom: the `sub` of their tokens, their mail address, or +254712345678.")],
    why: Annotated[str, words.option(help="The reason, kept with the record; no names.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be erased and kept; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    by: By = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Erase a customer's name, addresses and phone numbers.

    Amounts, receipts and ids stay for the books. Refused while a payment, a refund, an order or a booking of theirs is under
    way. Safe to repeat: do so after an hour, when the last token that they held has ended. It reads the whole table.
    """
    with in_one_sentence():
        acting, said = who(by, stack_name), words.reason(why) if why else ""
        stack = enter_stack(stack_name, home)
        table, accounts = table_of(stack), accounts_of(stack.environment)
        if customer.startswith("+"):
            customer = words.phone(customer)
        names = _names(accounts, customer)
        subs = sorted(names.keys() | _owners(table, customer))
        if len(subs) > 1:
            fail(f"{len(subs)} customers have this name; erase each by its sub: {', '.join(subs)}.")
        if not subs:
            say("Nothing is kept about this customer.")
            return
        [sub] = subs
        found = erase.preview(table, sub)
        _show(found, account=sub in names)
        if dry_run or not (found.steps or sub in names):
            return
        if found.open:
            fail(f"Not yet: {'; '.join(map(blocking, found.open))}.")
        if not said:
            fail("Say --why; it is kept with the record.")
        if not yes:
            typer.confirm("Erase this for good?", abort=True)
        erase.erase(table, sub, utc_now(), by=acting, why=said)
        if accounts is not None and sub in names:
            accounts.delete(names[sub])
    say("Erased.")


def _names(accounts: Accounts | None, customer: str) -> dict[str, str]:
    if not customer.strip() or any(letter in customer for letter in '"\\'):
        raise InvalidInputError(FieldProblem("customer", "This is neither a sub, nor a mail address, nor a phone number."))
    return accounts.names(_attribute(customer), customer) if accounts else {}


def _owners(table: Table, customer: str) -> set[str]:
    """Whom the table itself knows by that name; it keeps no phone number that anybody signs in with."""
    match _attribute(customer):
        case "email":
            return erasing.owners_of(table, customer)
        case "phone_number":
            return set()
        case _:
            return {customer}


def _attribute(customer: str) -> str:
    return "email" if "@" in customer else "phone_number" if customer.startswith("+") else "sub"


def _show(found: Found, *, account: bool) -> None:
    erased = [f"{count} {kind}" for kind, count in sorted(found.by_kind.items())] + ["the account"] * account
    say(f"Customer {found.sub}: {', '.join(erased) if erased else 'nothing to erase'}.")
    books = ", ".join(f"{count} {kind}" for kind, count in found.kept.items())
    say(*_KEPT.format(books=books).splitlines())
    for thing in found.open:
        say(f"In the way: {blocking(thing)}.")


def blocking(thing: UnderWay) -> str:
    """What is under way, and what the operator can do about it."""
    return _BLOCKING[thing.why].format(name=thing.name, state=thing.state)


_BLOCKING: Final = {
    Why.BOOKING: "{name} is {state}: complete or cancel it first",
    Why.E_MAIL: "an e-mail has not left yet; try again in a minute",
    Why.EVENT: "an event has not left yet; try again in a minute",
    Why.ORDER: "{name} is {state}: deliver or cancel it first",
    Why.PAYMENT: "the payment {name} is open until its gateway has answered; try again then",
    Why.REFUND: "the refund of {name} is under way: wait until its gateway has sent it",
    Why.REVIEW: "{name} waits for a person: decide it first, payfirst stuck lists it",
    Why.SESSION: "a session can still be paid, until {state}",
}
