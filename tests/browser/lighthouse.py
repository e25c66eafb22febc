"""What Lighthouse says of the shop, a checkout, the desk and the reference, in docs/pages.md: `make lighthouse`.

It starts a stack of its own and looks as its telephone does: a slow network and a slow processor, both reckoned. Below LEAST in
access or good practice it fails, and names what costs points.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any, Final

from tests import tools
from tests.browser.chromium import QUIET, program
from tests.browser.pictures import PAGE, a_day_of_business
from tests.conftest import RunningStack
from tests.contract.walk import a_session, new_customer
from tests.issuer import running_issuer

SCRIPT: Final = Path(__file__).with_suffix(".mjs")
HOME: Final = tools.TOOLS / "lighthouse"
MARKS: Final = ("<!-- written by make lighthouse: begin -->", "<!-- written by make lighthouse: end -->")
LEAST: Final = 95


def asked(stack: RunningStack) -> dict[str, Any]:
    """The pages to look at, each with the tokens of somebody who has something to see there."""
    customer = new_customer(stack)
    session = a_session(customer)["session_id"]
    operator: dict[str, Any] = {"cognito:groups": ["operators"]}
    shops = stack.token(**operator)
    who = {"/shop": customer.token, f"/checkout/{session}": customer.token, "/desk": shops, "/docs": customer.token}
    pages = [
        {
            "path": "/checkout/…" if path.startswith("/checkout") else path,
            "url": stack.base_url + path,
            "tokens": json.dumps({"id": token, "refresh": None, "since": 0}),
        }
        for path, token in who.items()
    ]
    chromium, environment = program()
    return {"chromium": chromium, "args": QUIET, "env": environment, "pages": pages}


def table(found: list[dict[str, Any]]) -> str:
    """The scores as a table of Markdown."""
    rows = [
        f"| `{each['path']}` | {each['accessibility']} | {each['practices']} | {each['performance']} "
        f"| {each['bytes'] / 1000:.0f} | {each['painted'] / 1000:.1f} |"
        for each in found
    ]
    head = ["| page | accessibility | best practices | performance | KB sent | first paint, s |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *rows, "", f"Measured on {date.today():%Y-%m-%d}."])  # noqa: DTZ011 - the day of who measured


def main() -> int:
    """Ask, write the table, and say what is below LEAST."""
    with running_issuer() as issuer, RunningStack(issuer) as stack:
        stack.wait_until_warm()
        a_day_of_business(stack)
        command = [tools.node(), str(SCRIPT), str(HOME)]
        done = subprocess.run(command, input=json.dumps(asked(stack)), stdout=subprocess.PIPE, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    scores = table(found)
    print(scores)
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(MARKS[0])[0], text.split(MARKS[1])[1]
    PAGE.write_text(f"{before}{MARKS[0]}\n\n{scores}\n\n{MARKS[1]}{after}", encoding="utf-8")
    low = [each for each in found if min(each["accessibility"], each["practices"]) < LEAST]
    for each in low:
        print(f"{each['path']} is below {LEAST}: {', '.join(each['wrong'])}", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
