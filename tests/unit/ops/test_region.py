"""`--region` is taken beside `--stack-name` and before the command, and never from a command that has one of its own."""

from __future__ import annotations

import pytest

from ops.sentences import region_first


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("token --stack-name shop --region af-south-1 --user-id 1", "--region af-south-1 token --stack-name shop --user-id 1"),
        ("stuck --region=af-south-1 --stack-name=shop", "--region=af-south-1 stuck --stack-name=shop"),
        ("--region af-south-1 stuck --stack-name shop", "--region af-south-1 stuck --stack-name shop"),
        ("stuck --stack-name shop --region", "--region stuck --stack-name shop"),
        ("stuck --stack-name shop", "stuck --stack-name shop"),
        ("cost --region af-south-1", "cost --region af-south-1"),
    ],
)
def test_the_region_stands_before_the_command(typed: str, read: str) -> None:
    assert region_first(typed.split()) == read.split()
