"""Who belongs to the shop's own people: what the authorizer verified says so, and no header can add to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from payfirst.api.request import Request
from payfirst.domain.clock import Deadline

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def groups(verified: str | None, listed: Sequence[str] | str | None) -> frozenset[str]:
    """What a function sees behind an authorizer that says `verified`, with a token in the header that lists `listed`."""
    payload = base64.urlsafe_b64encode(json.dumps({"cognito:groups": listed}).encode()).decode().rstrip("=")
    claims = {"sub": "jane"} | ({} if verified is None else {"cognito:groups": verified})
    event = {
        "requestContext": {"authorizer": {"jwt": {"claims": claims}}},
        "headers": {"Authorization": f"Bearer x.{payload}.x"},
    }
    return Request(event, NOW, Deadline(lambda: 10.0)).groups


@pytest.mark.parametrize("verified", ["operators,packers", "[operators packers]", "operators, packers", "[operators,packers]"])
def test_groups_are_those_of_the_token_however_the_authorizer_writes_them(verified: str) -> None:
    assert groups(verified, ["operators", "packers"]) == {"operators", "packers"}


@pytest.mark.parametrize("verified", [None, "", "packers", "operators2", "operators,packers", "[operators packers]"])
def test_a_second_header_adds_no_group_to_what_was_verified(verified: str | None) -> None:
    assert groups(verified, ["operators"]) == frozenset()


def test_one_group_whose_name_holds_a_comma_is_one_group() -> None:
    assert groups("customers,operators", ["customers,operators"]) == {"customers,operators"}


@pytest.mark.parametrize("listed", [None, "operators", [["operators"]], [1], {"operators": 1}])
def test_a_list_that_is_none_names_no_group(listed: Sequence[str] | str | None) -> None:
    assert groups("operators", listed) == frozenset()
