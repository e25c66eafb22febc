"""How many status requests and whole bookings a second a running `make run` answers, asked by 1 to 32 customers at once.

    make run                              # in one terminal
    python -m benchmarks.throughput       # in another: a table in Markdown

Customers, service, embedded AWS and simulated gateways share one machine, so that this says where the whole of it bends, and
not what AWS would carry. A booking is a cart, its payment, the bank's yes, and questions until the booking is there.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any, Final

import requests

from ops.running import HOME, SIMULATORS, running_stack
from ops.token import mint

THREADS: Final = (1, 2, 4, 8, 16, 32)
USER_IDS: Final = 800_000_000
ASK_EVERY_S: Final = 0.05
LONGEST_S: Final = 60.0
WANTED: Final = {
    "service_type": "PUJA",
    "puja_service": 1,
    "package_id": 2,
    "selected_date": "2027-07-20",
    "selected_time": "10:30",
}


class Customer:
    """Somebody with a token and a connection of their own."""

    def __init__(self, base_url: str, simulators: str, token: str) -> None:
        self._base_url, self._simulators = base_url, simulators
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {token}"
        self.payment = ""

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._http.request(method, self._base_url + path, json=body, timeout=LONGEST_S)
        answer.raise_for_status()
        return answer.json()

    def book(self) -> None:
        """From the cart to the booking; TimeoutError if it is not there within a minute."""
        cart = self._ask("POST", "/api/cart/carts/", WANTED)
        begun = self._ask("POST", "/api/payments/process-cart/", {"cart_id": cart["id"], "method": "PHONEPE"})
        decided = f"{self._simulators}/control/phonepe/{begun['merchant_transaction_id']}"
        self._http.post(decided, json={"outcome": "pay"}, timeout=LONGEST_S).raise_for_status()
        self.payment = str(begun["payment_id"])
        ends = time.monotonic() + LONGEST_S
        while not self._ask("GET", f"/api/payments/{self.payment}/check-booking/")["booking_created"]:
            if time.monotonic() > ends:
                raise TimeoutError(f"no booking for the payment {self.payment}")
            time.sleep(ASK_EVERY_S)

    def status(self) -> None:
        """How the newest payment stands."""
        self._ask("GET", f"/api/payments/{self.payment}/")


def rate(works: Sequence[Callable[[], None]], seconds: float) -> tuple[float, float]:
    """How often a second these were done, each over and over at the same time, and the median of the seconds that one took."""
    ends = time.monotonic() + seconds

    def repeat(work: Callable[[], None]) -> list[float]:
        took: list[float] = []
        while (begun := time.monotonic()) < ends:
            work()
            took.append(time.monotonic() - begun)
        return took

    begun = time.monotonic()
    with ThreadPoolExecutor(len(works)) as pool:
        took = [each for done in pool.map(repeat, works) for each in done]
    return len(took) / (time.monotonic() - begun), median(took)


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask the stack that runs, and print the table."""
    parser = argparse.ArgumentParser(description="Status requests and bookings a second at the running `make run`.")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each number of customers asks (10)")
    parser.add_argument("--home", type=Path, default=HOME, help="where the running stack keeps its state (.local)")
    given = parser.parse_args(arguments)
    stack = running_stack(given.home)
    customers = [
        Customer(
            stack.base_url, stack.environment[SIMULATORS], mint(stack.environment, USER_IDS + each, f"rate{each}@example.com")
        )
        for each in range(max(THREADS))
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Customer.book, customers))  # everything is warm then, and each has a payment
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {given.seconds:g} s each.\n")
    print("| customers at once | status a second | median, ms | bookings a second | median, ms |\n|---|---|---|---|---|")
    for count in THREADS:
        asking, busy = [one.status for one in customers[:count]], [one.book for one in customers[:count]]
        (statuses, status_s), (bookings, booking_s) = rate(asking, given.seconds), rate(busy, given.seconds)
        print(f"| {count} | {statuses:.0f} | {status_s * 1000:.0f} | {bookings:.1f} | {booking_s * 1000:.0f} |", flush=True)


if __name__ == "__main__":
    main()
