"""Pages that need nobody signed in: on a telephone and on a laptop, in the light and in the dark."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visitors
from tests.browser.visit import NARROW, WIDE
from tests.conftest import RunningStack

PAGES = ("/docs", "/paid")
WIDTHS = (NARROW, WIDE)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_shuts_nobody_out(visitors: Visitors, stack: RunningStack, path: str, width: int) -> None:
    visitor = visitors(stack.base_url, width=width)
    visitor.page.goto(path.lstrip("/"))
    visitor.picture(f"page{path.replace('/', '-')}")
    assert visitor.serious_findings() == []
    assert visitor.too_wide() == ""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_read_in_the_dark(visitors: Visitors, stack: RunningStack, path: str) -> None:
    visitor = visitors(stack.base_url, color_scheme="dark")
    visitor.page.goto(path.lstrip("/"))
    visitor.picture(f"dark{path.replace('/', '-')}")
    assert visitor.serious_findings() == []


@pytest.mark.parametrize("path", ["/", "/mail"])
def test_the_simulated_phone_shuts_nobody_out(visitors: Visitors, stack: RunningStack, path: str) -> None:
    visitor = visitors(stack.simulator_url)
    visitor.page.goto(path.lstrip("/"))
    visitor.picture(f"phone{path.replace('/', '-')}")
    assert visitor.serious_findings() == []
    assert visitor.too_wide() == ""
