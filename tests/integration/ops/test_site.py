"""`make site` makes a site of which every link leads somewhere, and which asks no other host for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from urllib.parse import unquote

import pytest

from ops.running import ROOT

SITE = ROOT / ".local" / "site"


@pytest.mark.needs("site")
def test_the_site_of_the_documentation_is_whole_and_asks_no_other_host() -> None:
    made = subprocess.run([sys.executable, "-m", "checks.site"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    pages = [page for page in SITE.rglob("*.html") if page.name != "404.html"]  # which is served below any path
    assert len(pages) > 35
    ids = {page: set(re.findall(r'\sid="?([^"\s>]+)', page.read_text(encoding="utf-8"))) for page in pages}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|iframe|source)\b[^>]*\ssrc="?([^"\s>]+)|<link\b[^>]*\shref="?([^"\s>]+)', text)
        assert [address for pair in loaded for address in pair if address.startswith(("http", "//"))] == [], page
        for address in re.findall(r'\s(?:href|src)="?([^"\s>]+)', text):
            if address.startswith(("http", "mailto:", "data:", "javascript:")):
                continue
            path, _, anchor = unquote(address).partition("#")
            target = (page.parent / path).resolve() if path else page
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{page.relative_to(SITE)}: {address}"
            assert not anchor or target not in ids or anchor in ids[target], f"{page.relative_to(SITE)}: {address}"
