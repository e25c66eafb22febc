"""What `make run` says once the stack runs, and what to type then."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from local.container import variables_for
from local.credentials import write_for_owner
from local.examples import example, verified_by
from local.sam import as_typed
from local.stack import LocalStack

VARIABLES: Final = "sam.json"
"""What `sam local invoke` gives to the functions that it runs."""
USER_ID: Final = 1
EMAIL: Final = "user@example.com"


def _addresses(stack: LocalStack) -> dict[str, str]:
    return {"M-Pesa": stack.environment["MPESA_BASE_URL"], "PhonePe": stack.environment["PHONEPE_BASE_URL"]}


def _where_to_pay(stack: LocalStack) -> str:
    simulated = _addresses(stack)["M-Pesa"].startswith(stack.simulator_url)
    return f"at {stack.simulator_url}" if simulated else "on that phone"


def _gateways(stack: LocalStack) -> str:
    """Who collects: the simulators, where the payer's buttons are, or a gateway of its own outside of this machine."""
    simulated = [name for name, url in _addresses(stack).items() if url.startswith(stack.simulator_url)]
    outside = {name: url for name, url in _addresses(stack).items() if name not in simulated}
    lines = [f"  {name:<15} {url}  is outside of this machine" for name, url in outside.items()]
    if simulated:
        lines.insert(
            0, f"  Phones, banks   {stack.simulator_url}  answers the prompts of the simulated {' and '.join(simulated)}"
        )
    return "\n".join(lines)


def for_containers(environment: Mapping[str, str], home: Path) -> str:
    """Write what `sam local` gives to functions into `home`; what to type then."""
    write_for_owner(home / VARIABLES, variables_for({**environment, **verified_by(example("create_session"))}))
    shown = home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home
    build, invoke = as_typed("CreateSessionFunction", "events/create_session.json", str(shown / VARIABLES))
    return f"Every event of `events/` has its function; in another terminal, for instance:\n\n{build}\n{invoke}\n"


def welcome(stack: LocalStack, token: str, given: argparse.Namespace, seconds: float) -> str:
    """Where everything is, and how to buy something; `token` is the customer's, `seconds` is how long the start took."""
    api, authorization = stack.base_url, '-H "Authorization: Bearer $TOKEN"'
    item = json.dumps({"listing_id": 123, "quantity": 2})
    delivery = json.dumps(
        {
            "delivery_details": {
                "full_name": "John Doe",
                "phone_number": "0712345678",
                "county_id": 1,
                "subcounty_id": 5,
                "detailed_address": "123 Main Street",
            }
        }
    )
    lifetime = stack.environment["SESSION_TTL_SECONDS"]
    return f"""
PayFirst is ready after {seconds:.1f} s.

  Shop            {api}  pick whom to be when it asks; {api}/desk is for the shop's own people
  API             {api}  (documentation: {api}/docs)
{_gateways(stack)}
  Mail            {stack.simulator_url}/mail  every e-mail that was sent, to customers and to the owner
  Embedded AWS    {stack.endpoint}
  State and logs  {given.home}

The sweeps run every {given.schedule_seconds:g} s here, every minute in AWS. A session lives for {lifetime} s;
`SESSION_TTL_SECONDS=20 make run` lets an unpaid one expire soon.

You are customer {USER_ID}, {EMAIL}, for an hour with this token:

export TOKEN={token}

Tomatoes into the cart, a payment session, a prompt on the phone (SESSION_ID is in the second answer):

curl -s {api}/api/carts/add_item/ {authorization} -d '{item}'
curl -s {api}/api/payments/sessions/ {authorization} -d '{delivery}'
curl -s -X POST {api}/api/payments/sessions/SESSION_ID/initiate_payment/ {authorization}

Then pay {_where_to_pay(stack)} and watch here. Ctrl-C stops everything.
"""
