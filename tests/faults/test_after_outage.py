"""Many payments that an outage left open: workers ask side by side, and what held for one after the other still holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from payfirst.domain.clock import instant
from payfirst.gateways.registry import terms_of
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import to_wire
from payfirst.storage.notices import digest
from payfirst.usecases.sweeps.reconcile import SPARE_S
from payfirst.usecases.sweeps.workers import FEW
from tests.faults.book import Book
from tests.faults.flows.sweeps import surplus, surplus_booking
from tests.faults.rest import settle_down
from tests.faults.seam import Killed, Seam
from tests.faults.told import MPESA, PHONEPE, stk_notice
from tests.proofs.after_outage import Shop, shop

WORKERS = 48


@contextmanager
def after_outage(orders: int, bookings: int = 0, workers: int = WORKERS, refunds: int = 1, **more: Any) -> Iterator[Shop]:
    """Such a shop, with refunds that are due through either gateway, made before time was slow."""
    with shop(orders, bookings, workers=workers, **more) as there:
        table, there.world.table = there.world.table, replace(there.world.table, client=cast("Any", there.world.client))
        seam, there.world.seam = there.world.seam, Seam()
        for _ in range(refunds):
            surplus(there.world)
            surplus_booking(there.world)
        there.world.now += timedelta(minutes=1)
        there.world.table, there.world.seam = table, seam
        yield there


def told(there: Shop, number: int, raw: bytes = b"{}", route: str = "stk") -> None:
    """A notice about the `number`th payment, stored and left; of one that says nothing its gateway has to be asked."""
    ref = f"MT{number:013x}"
    key = keys.notice(ref, digest(route, "", raw))
    item = {**key, **due_index.due(due_index.SETTLE, key, there.world.now), "ref": ref, "route": route, "raw": raw}
    there.world.client.load((key["pk"], key["sk"]), to_wire({**item, "received_at": instant(there.world.now)}))


def outcomes(there: Shop) -> int:
    """How many orders and bookings there are in the end, each of a payment of its own; BrokenError for any disorder."""
    there.world.table, there.world.seam = replace(there.world.table, client=cast("Any", there.world.client)), Seam()
    settle_down(there.world)
    return len(Book.of(there.world.items()).outcomes)


def test_workers_settle_in_one_run_what_one_alone_takes_many_for_and_each_payment_once() -> None:
    with after_outage(200, 100, workers=1) as there:
        alone = there.run()
    with after_outage(200, 100) as there:
        together = there.run()
        took = there.clock.now

        assert outcomes(there) == 300
    assert not alone.finished
    assert alone.settled["fulfilled"] < 150
    assert together.finished
    assert together.settled["fulfilled"] == 300
    assert took < 10, "seconds of the model"


def test_a_gateway_that_hangs_starves_neither_the_other_nor_its_refunds() -> None:
    with after_outage(300, 300) as there:
        there.gateways.silent = {MPESA: 0.0}
        report = there.run()

        assert report.settled["fulfilled"] == 300
        assert report.settled["refund_accepted"] == 1
        assert len(there.gateways.asked[MPESA]) <= 2, "it is silent after the second"
        assert max(there.gateways.asked[PHONEPE]) < 12, "none of them waited for it"
        assert there.gateways.sent[PHONEPE][0] < 1
        assert report.passed_over >= 298


def test_a_gateway_that_falls_silent_amid_its_answers_leaves_workers_to_the_other() -> None:
    with after_outage(600, 600) as there:
        there.gateways.silent = {MPESA: 4.0}
        report = there.run()

        assert len(there.gateways.asked[PHONEPE]) == 601
        assert report.passed_over > 100


def test_stored_notices_wait_for_a_gateway_that_hangs_where_its_checks_wait() -> None:
    with after_outage(200, 200) as there:
        for number in range(200):
            told(there, number)
        there.gateways.silent = {MPESA: 0.0}
        there.run()

        assert len(there.gateways.asked[MPESA]) <= 2, "it is silent after the second"
        assert len(there.gateways.asked[PHONEPE]) == 201
        assert max(there.gateways.asked[PHONEPE]) < 12, "none of them waited for it"


def test_stored_notices_ask_a_gateway_no_more_at_once_than_it_declares() -> None:
    with after_outage(0, 200, latency={PHONEPE: 2.0}) as there:
        for number in range(200):
            told(there, number, route="phonepe")
        there.run()

        assert there.gateways.at_once[PHONEPE] <= terms_of(PHONEPE).at_once


def test_a_stored_notice_that_needs_nobodys_word_is_settled_while_its_gateway_is_silent() -> None:
    with after_outage(50) as there:
        for number in range(50):
            told(there, number, stk_notice(there.world.ledger.payments[f"MT{number:013x}"]).raw)
        there.gateways.silent = {MPESA: 0.0}
        report = there.run()

        assert report.settled["fulfilled"] == 50
        assert len(there.gateways.asked[MPESA]) <= 2


def test_what_could_not_be_read_with_the_others_asks_a_gateway_that_hangs_little() -> None:
    with after_outage(100) as there:
        there.gateways.silent = {MPESA: 0.0}
        there.table.gone = {"batch_get_item"}
        there.run()

        assert len(there.gateways.asked[MPESA]) <= FEW + 1, "one more begins before the second has waited in vain"


def test_a_slow_gateway_still_sends_refunds_beside_its_checks() -> None:
    with after_outage(1000, latency={MPESA: 5.0}) as there:
        there.run()

        assert max(there.gateways.sent[MPESA]) < 15


def test_no_gateway_is_asked_more_at_once_or_faster_than_it_declares() -> None:
    with after_outage(400, 500, latency={MPESA: 0.05, PHONEPE: 2.0}) as there:
        there.run()

        assert there.gateways.at_once[PHONEPE] == terms_of(PHONEPE).at_once, "it is slow enough to be asked so often at once"
        assert there.gateways.at_once[MPESA] <= terms_of(MPESA).at_once
        asked = sorted(there.gateways.asked[MPESA])
        most = terms_of(MPESA).per_second
        assert all(later - first > 1 - 1e-6 for first, later in zip(asked, asked[most:], strict=False))
        assert len(asked) / (asked[-1] - asked[0]) > most / 2, "nor much slower"


def test_refunds_go_to_a_gateway_one_at_a_time_for_whose_answer_is_lost_is_for_a_person_to_look_up() -> None:
    with after_outage(200, refunds=5, latency={MPESA: 2.0}) as there:
        there.run()

        sent = there.gateways.sent[MPESA]
        assert len(sent) == 5
        assert all(later - sooner >= 2.0 for sooner, later in pairwise(sent))
        assert there.gateways.at_once[MPESA] > 5, "checks are asked beside them"


def test_an_entry_that_no_release_can_read_stops_no_other() -> None:
    with after_outage(150, 50) as there:
        for ref, broken in (
            (1, {"schema_v": {"N": "99"}}),
            (2, {"status": {"S": "nonsense"}}),
            (3, {"gateway": {"S": "GONE"}}),
        ):
            place = f"ATT#MT{ref:013x}", "ATT"
            there.world.client.items[place] |= broken
        report = there.run()

        assert report.finished
        assert report.settled["fulfilled"] == 197
        assert report.failed + report.passed_over == 3


@dataclass(slots=True)
class KeepingFailures:
    """A table that refuses each write which forgets that something has failed, as written wrongly."""

    inner: Any

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            if operation == "update_item" and "#tries" in request["UpdateExpression"]:
                raise ClientError({"Error": {"Code": "ValidationException", "Message": ""}}, "UpdateItem")
            return getattr(self.inner, operation)(**request)

        return call


def test_an_entry_whose_failures_cannot_be_forgotten_stops_no_other() -> None:
    with after_outage(60) as there:
        there.world.client.items["ATT#MT0000000000001", "ATT"] |= {"tries": {"N": "2"}}
        there.world.ledger.payments["MT0000000000001"].state = "open"
        there.table.inner = cast("Any", KeepingFailures(there.table.inner))
        report = there.run()

        assert report.finished
        assert (report.settled["fulfilled"], report.failed) == (59, 1)


def test_a_run_begins_nothing_that_its_time_does_not_suffice_for() -> None:
    with after_outage(1500, latency={MPESA: 4.0}) as there:
        report = there.run(30.0)
        begun = max(there.gateways.asked[MPESA])

        assert not report.finished
        assert begun <= 30.0 - SPARE_S + 0.6, "a check is taken before its question is asked"
        assert there.clock.now < 26


@pytest.mark.parametrize("at", [0.5, 1.5, 2.2])
def test_what_a_killed_run_leaves_the_next_ones_bring_to_its_end_once(at: float) -> None:
    with after_outage(200, 100) as there:
        there.gateways.ends = at
        with pytest.raises(Killed):
            there.run()
        there.gateways.ends = float("inf")

        assert outcomes(there) == 300


def test_a_table_that_is_away_ends_the_run_for_all_workers() -> None:
    with after_outage(500) as there:
        there.table.gone = {"get_item", "batch_get_item", "update_item", "transact_write_items"}
        report = there.run()

        assert not report.finished
        assert 3 <= report.failed <= WORKERS + 3
        assert there.gateways.asked == {}


def test_a_moment_without_the_table_that_many_workers_meet_at_once_ends_no_run() -> None:
    with after_outage(500) as there:
        there.table.drops, there.table.drops_from = 20, 3.0
        report = there.run()

        assert report.failed > 3
        assert report.finished
        assert report.settled["fulfilled"] == 500 - report.failed


@pytest.mark.parametrize("drops", [8, 16, 400])
def test_a_run_that_a_table_ends_ends_for_all_workers_though_some_are_still_answered(drops: int) -> None:
    with after_outage(500, latency={MPESA: 1.0}) as there:
        there.table.drops, there.table.drops_from = drops, 5.0
        report = there.run()

        assert report.failed >= 3
        assert report.finished == (report.examined >= 502), report
        if not report.finished:
            assert max(there.gateways.asked[MPESA]) < there.clock.now < 10, "nobody goes on alone"


def test_shards_take_turns_so_that_what_is_settled_at_once_seldom_meets_on_the_days_counters() -> None:
    with after_outage(400) as there:
        there.run()

        assert there.table.inner.met < 100


def test_kinds_of_sessions_take_turns_at_one_gateway() -> None:
    with after_outage(0, 400, latency={PHONEPE: 2.0}) as there:
        for number in range(300):
            there.world.client.items[f"ATT#MT{number:013x}", "ATT"] |= {"kind": {"S": "order"}}
        there.run(SPARE_S + 16)

        items = there.world.client.items
        taken = [number for number in range(400) if items[f"ATT#MT{number:013x}", "ATT"]["check"] != {"N": "0"}]
        of_bookings = sum(number >= 300 for number in taken)
        assert len(taken) > 80
        assert abs(of_bookings - len(taken) / 2) < 12
