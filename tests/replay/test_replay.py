"""MiniStack and moto agree on every write that the suites make; where not, `differences.json` says why, and who is right."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
import pytest

from local.embedded_aws import REGION, TEMPLATE, EmbeddedAws
from local.resources import create_table
from tests.replay import shapes
from tests.replay.engines import Answer, Engine, by_key, of_ministack
from tests.replay.outcomes import Case, outcomes
from tests.replay.provoked import PROVOKED
from tests.replay.recording import Recording

LISTED: Final[Mapping[str, Mapping[str, str]]] = json.loads(
    Path(__file__).with_name("differences.json").read_text(encoding="utf-8")
)
"""By the name of a case: in what the engines differ, who is right, and the page of DynamoDB's documentation that says so."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was recorded, and what both engines answered to each case."""

    recording: Recording
    answers: tuple[tuple[Case, Answer, Answer], ...]

    def differences(self) -> dict[str, tuple[Answer, Answer]]:
        return {case.name: (ministack, moto) for case, ministack, moto in self.answers if ministack != moto}


@pytest.fixture(scope="module")
def replayed(embedded_aws: EmbeddedAws) -> Replayed:
    from moto import mock_aws  # noqa: PLC0415 - it is heavy, and no other run of tests pays for it

    kept = shapes.made()
    with mock_aws(), ProcessPoolExecutor(1, get_context("spawn")) as beside:
        client = boto3.session.Session().client("dynamodb", region_name=REGION)
        moto = Engine(client)
        cases = [*_cases(kept, _answered_once(client)), *PROVOKED]
        ministack = beside.submit(of_ministack, embedded_aws.port, cases)
        of_moto = [moto.answer(case) for case in cases]
        answers = tuple(zip(cases, ministack.result(), of_moto, strict=True))
    return Replayed(kept, answers)


def _cases(kept: Recording, as_made: Iterable[Case]) -> Iterator[Case]:
    known: set[tuple[str, str]] = set()
    for shape, written in sorted(kept.writes().items()):
        if shape in kept.applied:
            yield from outcomes(written, known)
        else:
            yield Case("refused", written, written.before)
    yield from as_made


def _answered_once(client: Any) -> list[Case]:
    """The writes that keep answers to repeated requests: each as it was made, for their grammar is not ours."""
    name = f"answers-{uuid4().hex}"
    create_table(client, TEMPLATE, name)
    return [Case(f"as made, {n}", written, written.before) for n, written in enumerate(shapes.kept_answers(client, name))]


def test_both_engines_answer_alike_to_every_write_that_the_suites_make(
    replayed: Replayed, capsys: pytest.CaptureFixture[str]
) -> None:
    found = replayed.differences()
    made = {case.written.shape for case, _, _ in replayed.answers}
    with capsys.disabled():
        print(f"\nreplay: {len(made)} shapes of write, {len(replayed.answers)} outcomes, {len(found)} differences")  # noqa: T201
        for name in sorted(found):
            print(f"  {name}: {LISTED.get(name, {}).get('reason', 'NOT LISTED')}")  # noqa: T201
    assert {name: found[name] for name in found.keys() - LISTED.keys()} == {}
    assert LISTED.keys() - found.keys() == set(), "listed, and the engines agree now: take it out"


def test_what_is_false_is_what_fails_and_stays_as_it_was(replayed: Replayed) -> None:
    wrong = []
    for case, ministack, _ in replayed.answers:
        if case.fails is not None and ministack.failed != case.fails:
            wrong.append(f"{case.name}: {ministack.code} at {sorted(ministack.failed)}")
        before = sorted((item for item in case.before if item is not None), key=by_key)
        if ministack.code and case.times == 1 and before != list(ministack.items):
            wrong.append(f"{case.name}: refused, and the items have changed")
    assert wrong == []


def test_every_function_that_makes_a_write_is_replayed(replayed: Replayed) -> None:
    assert shapes.makers() - replayed.recording.makers == set()


def test_every_listed_difference_says_who_is_right_and_by_which_page() -> None:
    for name, listed in LISTED.items():
        assert listed.keys() == {"reason", "right", "page"}, name
        assert listed["right"] in ("ministack", "moto", "neither"), name
