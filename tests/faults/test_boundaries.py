"""Every call of every use case meets every fault, and each payment still has one outcome."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest

from tests.faults import matrix
from tests.faults.flows import FLOWS, Flow
from tests.faults.invariants import BrokenError


def test_every_public_use_case_is_in_the_matrix() -> None:
    assert matrix.outside() == set()
    assert set(matrix.public_use_cases()) >= matrix.CALLS_NOTHING | matrix.FROM_A_TERMINAL


@pytest.mark.short_form
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_payment_has_one_outcome_whatever_befalls_a_call(flow: Flow) -> None:
    broken = []
    for case, world, act in matrix.cases(flow):
        try:
            matrix.run(case, world, act)
        except BrokenError as error:
            broken.append(str(error))
    assert broken == []


@pytest.mark.short_form
def test_both_real_clients_in_turn_meet_a_sample_of_the_same_faults(table_clients: list[Any], table_name: str) -> None:
    broken = []
    for client, (case, world, act) in zip(cycle(table_clients), matrix.sampled(every=matrix.SHORT), strict=False):
        try:
            matrix.run_wired(case, world, act, client, table_name)
        except BrokenError as error:
            broken.append(str(error))
    assert broken == []
