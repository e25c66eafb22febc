"""What becomes of calls whose function misbehaves."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.integration.host.conftest import SampleHost, eventually, tells_of


def test_a_function_that_raises_is_an_internal_error_and_its_worker_stays(lone_host: SampleHost) -> None:
    pid = lone_host.get("/hostile/well").text
    answer = lone_host.get("/hostile/raise")

    assert (answer.status_code, answer.json()) == (502, {"message": "Internal server error"})
    assert lone_host.get("/hostile/well").text == pid
    assert tells_of(lone_host, "ValueError: this function always raises here")


def test_a_worker_that_dies_is_an_internal_error_and_a_new_one_takes_its_place(lone_host: SampleHost) -> None:
    pid = lone_host.get("/hostile/well").text
    answer = lone_host.get("/hostile/exit")

    assert (answer.status_code, answer.json()) == (502, {"message": "Internal server error"})
    assert lone_host.get("/hostile/well").text != pid


def test_a_function_that_takes_too_long_is_unavailable_and_its_worker_is_replaced(lone_host: SampleHost) -> None:
    pid = lone_host.get("/hostile/well").text
    started = time.monotonic()
    answer = lone_host.get("/hostile/sleep")

    assert (answer.status_code, answer.json()) == (502, {"message": "Internal server error"})
    assert 0.9 < time.monotonic() - started < 5
    assert "Task timed out after 1.00 seconds" in (lone_host.logs / "hostile.log").read_text()
    assert lone_host.get("/hostile/well").text != pid


def test_a_function_that_cannot_be_loaded_is_an_internal_error_each_time(host: SampleHost) -> None:
    for _ in range(2):
        answer = host.get("/broken")
        assert (answer.status_code, answer.json()) == (502, {"message": "Internal server error"})
    assert tells_of(host, "this module cannot be imported")


def test_calls_at_the_same_time_get_workers_of_their_own_up_to_the_limit(host: SampleHost) -> None:
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: host.get("/hostile/slow"), range(12)))

    assert {answer.status_code for answer in answers} == {200}
    assert 2 <= len({answer.text for answer in answers}) <= 4


def test_a_log_line_with_an_event_is_told_and_every_line_is_kept(host: SampleHost) -> None:
    host.get("/hostile/telling")

    def told() -> list[Any]:
        records = [one["record"] for one in host.told if one["kind"] == "log"]
        return [record for record in records if record.get("how") == "telling"]

    assert eventually(told)[0]["event"] == "hostile.answered"
    assert '"how": "telling"' in (host.logs / "hostile.log").read_text()


def test_what_looks_like_a_token_is_not_told(host: SampleHost) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    host.get(f"/cb/stk/A1{secret}")

    def told() -> list[str]:
        paths = [one["path"] for one in host.told if one["kind"] == "request"]
        return [path for path in paths if path.startswith("/cb/stk/")]

    assert eventually(told) == ["/cb/stk/A1012345…"]
