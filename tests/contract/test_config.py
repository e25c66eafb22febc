"""What pages read of the shop before anybody has signed in: enough to begin with, and nothing that is secret."""

from __future__ import annotations

import requests

from payfirst.gateways.registry import names
from tests.conftest import RunningStack


def test_anybody_reads_what_the_shop_is_called_who_collects_and_where_to_sign_in(stack: RunningStack) -> None:
    for path in ("/api/config", "/api/config/"):
        answer = requests.get(f"{stack.base_url}{path}", timeout=20)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["currencies"] == ["INR", "KES"]
        assert [each["name"] for each in told["gateways"]] == names()
        assert {each["label"]: each["currencies"] for each in told["gateways"]} == {"M-Pesa": ["KES"], "PhonePe": ["INR"]}
        assert told["sign_in"]["issuer"].startswith("http")
        assert told["sign_in"].keys() == {"issuer", "client_id", "page"}
        assert told.keys() == {"shop", "currencies", "gateways", "sign_in", "languages"}
        assert "@" not in answer.text, "names, and no address of anybody"
