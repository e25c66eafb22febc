"""What opening each page costs its shop: calls of functions, requests to the table, and the time both take: `make page-costs`.

The requests are those that a meter between the functions and the embedded AWS counts, exactly. The time is what the browser
waits for the page and the API's answers, one after the other, with warm functions on the machine that measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.loopback import serving
from benchmarks.meter import Meter
from local.embedded_aws import AwsEndpoint
from tests.browser.chromium import running_browser
from tests.browser.desk import a_booking_of, keep_token
from tests.browser.pictures import TIMES, opened, pages_of, shown_path, write_between
from tests.conftest import RunningStack
from tests.contract.walk import a_session, new_customer, pay_mpesa, wait_until
from tests.issuer import TokenIssuer, running_issuer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Request

    from local.host.config import HostConfig
    from local.resources import SharedResources
    from local.stack import Ports

MARKS: Final = ("<!-- written by make page-costs: begin -->", "<!-- written by make page-costs: end -->")
NEVER: Final = 3600.0
"""Seconds between two sweeps: none shall run while a page is measured."""


class MeteredStack(RunningStack):
    """A stack whose functions reach the table past a meter; its sweeps do not run."""

    meter: Meter

    def __init__(self, issuer: TokenIssuer) -> None:
        super().__init__(issuer, schedule_seconds=NEVER)

    def _configure_host(self, ports: Ports, aws: AwsEndpoint, resources: SharedResources, state_dir: Path) -> HostConfig:
        self.meter = Meter(aws)
        port = self._running.enter_context(serving(self.meter.serve))
        return super()._configure_host(ports, AwsEndpoint(port), resources, state_dir)


@dataclass(slots=True)
class Cost:
    """Of one page that was opened by somebody who has been at the shop before."""

    path: str
    calls: int = 0
    operations: dict[str, int] = field(default_factory=dict)
    reads: float = 0
    milliseconds: float = 0


def cost(browser: Browser, stack: MeteredStack, path: str, token: str) -> Cost:
    """What opening `path` takes, the least of TIMES: what else the shop does meanwhile only adds."""
    counts, found = [], Cost(shown_path(path))
    for _ in range(TIMES):
        with stack.meter.counting() as counted:
            found.calls = len(_asked(browser, stack, path, token))
        counts.append(counted)
    least = min(counts, key=lambda each: each.operations.total())
    found.operations = {name: many for name, many in least.operations.items() if name.isalpha()}  # the table's alone
    found.reads = least.reads
    found.milliseconds = min(sum(_asked(browser, stack, path, token)) for _ in range(TIMES))
    return found


def _asked(browser: Browser, stack: MeteredStack, path: str, token: str) -> list[float]:
    """How many milliseconds each call of a function took: the page's own, and those of the API."""
    visiting = opened(browser, stack)
    keep_token(visiting, token)
    ended: list[Request] = []
    visiting.page.on("requestfinished", lambda each, kept=ended: kept.append(each))
    visiting.page.goto(path.lstrip("/"))
    visiting.page.wait_for_load_state("networkidle")
    visiting.page.context.close()
    calls = [each for each in ended if "/api/" in each.url or each.is_navigation_request()]
    return [each.timing["responseStart"] - each.timing["requestStart"] for each in calls]


def table(costs: list[Cost]) -> str:
    """The costs as a table of Markdown."""
    rows = [
        f"| `{each.path}` | {each.calls} | {sum(each.operations.values())} "
        f"| {', '.join(f'{many} {name}' for name, many in sorted(each.operations.items())) or 'none'} "
        f"| {each.reads:g} | {each.milliseconds:.0f} |"
        for each in costs
    ]
    titles = ("page", "calls of functions", "requests to the table", "which", "read units", "ms in functions")
    head = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    return "\n".join([*head, *rows, "", f"Measured on {date.today():%Y-%m-%d}."])  # noqa: DTZ011 - the day of who measured


def pages(stack: MeteredStack) -> list[tuple[str, str]]:
    """The pages, and the token of whoever opens each."""
    buyer = new_customer(stack)
    waiting = a_session(new_customer(stack))["session_id"]
    session = a_session(buyer)["session_id"]
    pay_mpesa(stack, buyer.post(f"/api/payments/sessions/{session}/initiate_payment")["checkout_request_id"])
    status = f"/api/payments/sessions/{session}/status"
    order = wait_until(lambda: buyer.get(status), lambda told: told["order"] is not None)["order"]["order_number"]
    guest, booking, _ = a_booking_of(stack)
    claims: dict[str, Any] = {"cognito:groups": ["operators"]}
    owner, bought, booked = stack.token(**claims), buyer.token or "", guest.token or ""
    return pages_of(waiting, order, booking, bought, booked, owner)


def main() -> None:
    """Measure, and write the table."""
    with running_browser() as browser, running_issuer() as issuer, MeteredStack(issuer) as stack:
        stack.wait_until_warm()
        costs = [cost(browser, stack, path, token) for path, token in pages(stack)]
    write_between(MARKS, table(costs))


if __name__ == "__main__":
    main()
