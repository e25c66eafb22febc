"""The shells of the pages, and what they load: public, the same bytes for everyone in one language, and without data.

A page's own script fetches what it shows from the API, with the token of whoever has signed in. Scripts and styles are
addressed by what is in them, so that browsers keep them for good.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from payfirst.api.words import read_words

if TYPE_CHECKING:
    from payfirst.gateways.declaration import CheckoutScript

LANGUAGES: Final = {"en": "English", "sw": "Kiswahili", "hi": "हिन्दी"}
"""What pages are written in, each by its own name; the first where nobody asks for another."""

EVERY_PAGE: Final = (
    "templates/shell.html",
    *(f"assets/{name}.js" for name in ("api", "errors", "place", "signin", "ui", "words")),
)
"""Where what every page says stands."""

SAME_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {"js": "text/javascript", "css": "text/css", "json": "application/json"}
_IMPORT: Final = re.compile(r'(?<=")\./([\w-]+\.js)(?=";)')
_REMARK: Final = re.compile(r"^ *(?://.*|/\*\*(?:(?!\*/)[^`])*\*/)\n", re.MULTILINE)
"""Lines of a script that are for who reads its source; no browser has to load them."""

_SAID: Final = re.compile(r"""\b(?:t|sentence)\(\s*(?:"([^"]*)"|'([^']*)')""")
"""A sentence in a script or a template."""

_ADDRESS: Final = re.compile(r"(?P<stem>[\w-]+(\.[a-z]{2})?)\.(?P<hash>[0-9a-f]{12})\.(?P<kind>js|css|json)")
_PREFERENCE: Final = re.compile(r"([a-z]{2,3})(?:-[\w-]+)?(?:\s*;\s*q=([01](?:\.\d{0,3})?))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asset:
    """What a shell loads: `name` is its address below `/assets/`, `loads` are the names of the modules that it imports, all of
    them."""

    name: str
    text: str
    type: str
    loads: tuple[str, ...] = ()


def chosen_language(asked: str | None, accepted: str | None) -> str:
    """The language that the address asks for, else the best of `Accept-Language` that there is."""
    if asked in LANGUAGES:
        return asked
    found = [match for part in (accepted or "").split(",") if (match := _PREFERENCE.fullmatch(part.strip()))]
    wanted = (match for match in found if (match[2] or "1").strip("0."))  # q=0 means never
    liked = sorted(wanted, key=lambda match: match[2] or "1", reverse=True)
    return next((match[1].lower() for match in liked if match[1].lower() in LANGUAGES), next(iter(LANGUAGES)))


def headers(sign_in: str, gateways: Sequence[CheckoutScript] = ()) -> dict[str, str]:
    """What every shell says to the browser: nothing runs or is loaded but our own, pictures and the `sign_in` page apart.

    Where payments begin, the scripts of `gateways` and the pages that they show may too. Those scripts change when their
    owners change them, so that no hash can be asked of them.

    The origin, and no path, is told to where a link leads: PhonePe looks at the domain that a payer comes from.
    """
    scripts = "".join(f" {script.origin}" for script in gateways)
    pages = "".join(f" {script.pages}" for script in gateways)
    elsewhere = f" {sign_in}{pages}" if sign_in.startswith("https://") else pages
    frames = f" frame-src{pages};" if pages else ""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'self'{scripts}; style-src 'self'; img-src 'self' https: data:;{frames} "
            f"connect-src 'self'{elsewhere}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin",
        "Cache-Control": "no-cache",
        "Vary": "Accept-Language",
    }


class Pages:
    """The pages of one folder: `templates`, `assets` and `words`, read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = Environment(
            loader=FileSystemLoader(folder / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def shell(self, name: str, language: str, *, base: str = "", doors: bool = False) -> str:
        """The page `name` in one of LANGUAGES; `base` is the path of the shop's address, and stands before each of its own.

        `doors` shows the ways to the other parts of a shop that runs on one machine.
        """
        catalogue = f"{'desk-words' if name.startswith('desk') else 'words'}.{language}.json"
        words = self._spoken.get(catalogue, {})

        return self._environment.get_template(f"{name}.html").render(
            self.addresses(base),
            t=lambda sentence: words.get(sentence, sentence),
            doors=doors,
            language=language,
            languages=LANGUAGES,
            words=f"{base}/assets/{self.assets[catalogue].name}" if words else None,
        )

    def addresses(self, base: str) -> dict[str, Any]:
        """What a template asks for addresses: `base`, `asset(name)`, and `modules(script)`, all that the script imports."""
        return {
            "base": base,
            "asset": lambda name: f"{base}/assets/{self.assets[name].name}",
            "modules": lambda script: [f"{base}/assets/{one}" for one in self.assets[script].loads],
        }

    def asset(self, address: str) -> tuple[Asset, str] | None:
        """What is at `address`, and how long a browser may keep it; None for what there is not.

        While a release takes over, a shell of one version may ask the other for its assets: it gets what there is, to use once.
        """
        found = _ADDRESS.fullmatch(address)
        kept = self.assets.get(f"{found['stem']}.{found['kind']}") if found else None
        if kept is None:
            return None
        return kept, SAME_FOR_GOOD if kept.name == address else "no-store"

    @cached_property
    def _spoken(self) -> dict[str, dict[str, str]]:
        """What each English sentence is, by the asset that says it; the desk's own catalogue has what no other page says."""
        everybodys, desks = self._catalogues("words"), self._catalogues("words/desk")
        files = [self._folder / name for name in EVERY_PAGE] if desks else []
        files += [*self._folder.glob("assets/desk*.js"), *self._folder.glob("templates/desk*.html")]
        at_desk = {"".join(found) for file in files for found in _SAID.findall(file.read_text(encoding="utf-8"))}
        for tongue, words in desks.items():
            shared = {each: said for each, said in everybodys.get(tongue, {}).items() if each in at_desk}
            desks[tongue] = {**shared, **words}
        by_name = {"words": everybodys, "desk-words": desks}
        return {f"{name}.{tongue}.json": words for name, said in by_name.items() for tongue, words in said.items()}

    def _catalogues(self, folder: str) -> dict[str, dict[str, str]]:
        return {file.stem: read_words(file.read_text(encoding="utf-8")) for file in (self._folder / folder).glob("*.po")}

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """All of them by their file's name, and the words of each language as `words.LANGUAGE.json` and `desk-words.…`."""
        made: dict[str, Asset] = {}
        files = {file.name: file.read_text(encoding="utf-8") for file in (self._folder / "assets").iterdir()}
        spoken = {name: json.dumps(words, ensure_ascii=False, separators=(",", ":")) for name, words in self._spoken.items()}
        for name in sorted({**files, **spoken}):
            self._make(name, {**files, **spoken}, made)
        return made

    def _make(self, name: str, texts: Mapping[str, str], made: dict[str, Asset]) -> Asset:
        """The asset, after all that it imports: its own address changes with theirs."""
        if name in made:
            return made[name]
        loads: dict[str, None] = {}

        def hashed(found: re.Match[str]) -> str:
            one = self._make(found[1], texts, made)
            loads.update(dict.fromkeys([*one.loads, one.name]))
            return f"./{one.name}"

        text = _IMPORT.sub(hashed, _REMARK.sub("", texts[name])) if name.endswith(".js") else texts[name]
        stem, _, kind = name.rpartition(".")
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        made[name] = Asset(f"{stem}.{digest}.{kind}", text, f"{_TYPES[kind]}; charset=utf-8", tuple(loads))
        return made[name]
