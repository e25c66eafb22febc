"""Every call of every use case meets every fault, and each payment still has one outcome."""

from __future__ import annotations

from typing import Any

import pytest

from local.embedded_aws import EmbeddedAws
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
def test_boto3s_own_client_meets_a_sample_of_the_same_faults(embedded_aws: EmbeddedAws, table_name: str) -> None:
    client: Any = embedded_aws.client("dynamodb")
    broken = []
    for case, world, act in matrix.sampled(every=matrix.SHORT):
        try:
            matrix.run_wired(case, world, act, client, table_name)
        except BrokenError as error:
            broken.append(str(error))
    assert broken == []
