"""One visitor of the pages: a browser's context of its own, watched for whatever a page must not do."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests import tools

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

NARROW: Final = 360
WIDE: Final = 1280
HEIGHTS: Final = {NARROW: 740, WIDE: 800}
REFUSED: Final = re.compile(r"status of (4\d\d)")
"""How the browser itself notes an answer that the API means: 401, 409 …"""
SERIOUS: Final = ("serious", "critical")
PATIENCE: Final = 20_000
"""Milliseconds within which a page gets where a test waits for it, on a machine that does much else."""
STICKS_OUT: Final = """() => {
  const whole = document.documentElement;
  if (whole.scrollWidth <= whole.clientWidth) return "";
  const outside = (each) => each.getBoundingClientRect().right > whole.clientWidth + 1;
  const out = [...document.querySelectorAll("body *")].filter(outside);
  return `${whole.scrollWidth} px: ` + out.slice(0, 5).map((each) => each.outerHTML.slice(0, 120)).join(" | ");
}"""


@dataclass
class Visit:
    """A page, and what went wrong on it; `forgiven` are words of console messages that a test brings about itself.

    Of `secrets`, the visitor's tokens, no address may hold one.
    """

    page: Page
    pictures: Path | None
    wrong: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def picture(self, name: str) -> None:
        """Keep how the page looks now, where pictures are asked for."""
        if self.pictures is not None:
            width = self.page.viewport_size["width"] if self.page.viewport_size else 0
            self.page.screenshot(path=self.pictures / f"{name}-{width}.png", full_page=True)

    def serious_findings(self) -> list[str]:
        """What axe finds that shuts somebody out, with the elements concerned."""
        self.page.evaluate(tools.AXE.read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = self.page.evaluate("axe.run().then(result => result.violations)")
        return [
            f"{each['id']}: {each['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
            for each in found
            if each["impact"] in SERIOUS
            for node in each["nodes"]
        ]

    def too_wide(self) -> str:
        """What sticks out at the right, if the page can be scrolled that way."""
        found: str = self.page.evaluate(STICKS_OUT)
        return found

    def problems(self) -> list[str]:
        """What was noted and not forgiven."""
        return [each for each in self.wrong if not any(words in each for words in self.forgiven)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        refused = REFUSED.search(message.text)
        if refused and "/api/" in message.location.get("url", ""):
            return
        self.wrong.append(f"console: {message.text} ({json.dumps(message.location.get('url', ''))})")

    def _asked(self, request: Request) -> None:
        if any(secret in request.url for secret in self.secrets):
            self.wrong.append(f"a token stands in the address {request.url[:60]}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.wrong.append(f"{response.status} for {response.request.method} {response.url}")


def visit(
    browser: Browser, base_url: str, *, width: int, pictures: Path | None, **options: Any
) -> tuple[BrowserContext, Visit]:
    """A new visitor who knows nothing yet; `options` are those of Playwright's `new_context`.

    Paths without a slash in front are below `base_url`, which may have a path of its own, as a deployed stage has.
    """
    options.setdefault("locale", "en-KE")
    context = browser.new_context(
        base_url=base_url + "/", viewport={"width": width, "height": HEIGHTS[width]}, has_touch=width == NARROW, **options
    )
    context.set_default_timeout(PATIENCE)
    visiting = Visit(context.new_page(), pictures)
    watch(context, visiting)
    return context, visiting


def watch(context: BrowserContext, visiting: Visit) -> None:
    """Note errors, refusals by the policy of the page, and every address asked, of each page that is opened."""
    context.on("console", visiting._console)  # noqa: SLF001 - the two are one
    context.on("weberror", lambda error: visiting.wrong.append(f"script: {error.error}"))
    context.on("request", visiting._asked)  # noqa: SLF001
    context.on("response", visiting._answered)  # noqa: SLF001
