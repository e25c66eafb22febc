"""Puts the repository's pages together for a site, of which each links to its neighbours and to the code: `make site`.

Those of docs are its pages, those outside come into `project`, and each file that a page links to comes into `source`, as text.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = ROOT / ".local" / "site-source"
TOOLS: Final = ROOT / ".tools"
DRAWS: Final = TOOLS / "mermaid" / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"
LINK: Final = re.compile(r'(\]\(|src="|href=")(?!https?:|mailto:|#)([^)#"\s]+)')
OUTSIDE: Final = sorted([*ROOT.glob("*.md"), ROOT / "tests" / "proofs" / "README.md"])


def place(path: str) -> str:
    """Where the file or folder of the repository is on the site."""
    file = ROOT / path
    if file.is_dir():
        return place(f"{path}/README.md")
    if path.startswith("docs/") and file.suffix in (".md", ".webp"):
        return path.removeprefix("docs/")
    return f"project/{path}" if file in OUTSIDE else f"source/{path}.txt"


def relinked(text: str, page: str) -> tuple[str, set[str]]:
    """The page of the repository with its links as the site has them, and the files and folders that they lead to."""
    found: set[str] = set()

    def moved(link: re.Match[str]) -> str:
        path, sign, anchor = link.group(2).partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        found.add(target)
        return link.group(1) + posixpath.relpath(place(target), posixpath.dirname(place(page)) or ".") + sign + anchor

    return LINK.sub(moved, text), found


def listing(folder: Path) -> str:
    """A page for a folder that has none: its pages by their titles."""
    titles = {
        page.name: page.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ") for page in sorted(folder.glob("*.md"))
    }
    return "\n".join([f"# {folder.name.capitalize()}\n", *(f"- [{title}]({name})" for name, title in titles.items())])


def write(path: str, content: bytes | str) -> None:
    """Put it into its place of the site's source."""
    file = SOURCE / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def put_together() -> None:
    """Make the site's source anew."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    linked: set[str] = set()
    for file in [*sorted((ROOT / "docs").rglob("*.md")), *OUTSIDE]:
        page = str(file.relative_to(ROOT))
        text, found = relinked(file.read_text(encoding="utf-8"), page)
        write(place(page), text)
        linked |= found
    for path in sorted(linked):
        file = ROOT / path
        if file.is_dir() and not (file / "README.md").exists():
            write(place(path), listing(file))
        elif file.is_file() and file.suffix != ".md":
            write(place(path), file.read_bytes())
    write(DRAWS.name, DRAWS.read_bytes())


if __name__ == "__main__":
    put_together()
    subprocess.run([TOOLS / "site" / "bin" / "zensical", "build", "--clean", "--strict"], cwd=ROOT, check=True)
