"""The Chromium that looks at the pages, driven by Playwright, which lives in an environment of its own.

What npm brought runs on x86-64 Linux; elsewhere the machine's own Chrome or Chromium is taken.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests import tools

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BROUGHT: Final = tools.CHROMIUM.parent
ON_A_MAC: Final = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""As root in a container there is no sandbox, and nothing may be asked of any other machine."""


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A headless Chromium, which is gone afterwards; the test is skipped where there is none.

    While it runs this thread has a running event loop, so no other code may call `asyncio.run` here.
    """
    tools.need("browser")
    for packages in (tools.TOOLS / "playwright" / "lib").glob("python3.*/site-packages"):
        if str(packages) not in sys.path:
            sys.path.append(str(packages))
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - is on the path only now

    executable, environment = program()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET, env=environment)
        try:
            yield browser
        finally:
            browser.close()


def program() -> tuple[str, dict[str, str | float | bool]]:
    """What is started, and its environment: with the libraries and the fonts that were brought with it."""
    environment: dict[str, str | float | bool] = {**os.environ}
    if platform.system() == "Linux" and platform.machine() == "x86_64":
        environment |= {"LD_LIBRARY_PATH": str(BROUGHT / "lib"), "FONTCONFIG_FILE": str(BROUGHT / "fonts.conf")}
        return str(tools.CHROMIUM), environment
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", str(ON_A_MAC)))), None)
    if found is None:
        pytest.skip("needs a Chromium or Chrome on the path: the one that npm brings is for x86-64 Linux")
    return found, environment
