"""The API reference as one HTML page: nothing is loaded from elsewhere, and nothing in it runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

Json = Mapping[str, Any]

_METHODS: Final = ("get", "post", "delete")
_CODE: Final = re.compile(r"`([^`]+)`")

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#dde3ea;--back:#fff;--box:#f5f7fa;--get:#0b6bcb;
--post:#13794b;--delete:#b3261e;--mark:#eef4ff}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b5;--line:#2f3946;--back:#12171e;--box:#1a212b;
--get:#6cb2ff;--post:#5fd39b;--delete:#ff8a80;--mark:#1b2940}}
*{box-sizing:border-box}
body{margin:0;font:15px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--back)}
a{color:inherit}
main{max-width:980px;margin:0 auto;padding:32px 20px 96px}
h1{font-size:28px;margin:0 0 8px}h2{font-size:20px;margin:44px 0 10px;padding-top:8px;border-top:1px solid var(--line)}
h3{font-size:13px;margin:18px 0 6px;color:var(--soft);text-transform:uppercase;letter-spacing:.04em}
nav{display:flex;flex-wrap:wrap;gap:6px 16px;margin:18px 0}
code,pre{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace}
code{background:var(--box);padding:1px 5px;border-radius:4px}
pre{background:var(--box);border:1px solid var(--line);border-radius:8px;padding:12px;margin:6px 0;overflow:auto;
max-height:440px}
pre code{background:none;padding:0}
details.operation{border:1px solid var(--line);border-radius:10px;margin:8px 0;scroll-margin-top:12px}
details.operation[open]{background:linear-gradient(var(--mark),transparent 60px)}
summary{cursor:pointer;padding:10px 14px;display:flex;gap:12px;align-items:baseline;flex-wrap:wrap}
summary:focus-visible,a:focus-visible{outline:2px solid var(--get);outline-offset:2px}
details.answer>summary{padding:6px 0}
.body{padding:0 16px 16px}
.method{font:700 12px/1 ui-monospace,monospace;min-width:56px}
.get{color:var(--get)}.post{color:var(--post)}.delete{color:var(--delete)}
.path{font:13px ui-monospace,monospace;overflow-wrap:anywhere}
.said{color:var(--soft);margin-left:auto}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:5px 10px 5px 0;
border-bottom:1px solid var(--line);font-size:14px}th{color:var(--soft);font-weight:600}
.wide{overflow-x:auto}
.status{font:700 13px ui-monospace,monospace}
"""


def render(document: Json) -> str:
    """The page of an OpenAPI document."""
    info = document["info"]
    tags = [tag["name"] for tag in document["tags"]]
    links = "".join(f'<a href="#{_anchor(tag)}">{escape(tag)}</a>' for tag in tags)
    sections = "".join(_section(document, tag) for tag in tags)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(info['title'])} API</h1>{_prose(info['description'])}"
        '<p>The same as a machine reads it: <a href="/openapi.json">openapi.json</a>.</p>'
        f'<nav aria-label="Sections">{links}</nav>{sections}</main></body></html>\n'
    )


def _section(document: Json, tag: str) -> str:
    found = "".join(_operation(document, path, method, words) for path, method, words in _operations(document, tag))
    return f'<section id="{_anchor(tag)}"><h2>{escape(tag)}</h2>{found}</section>'


def _operations(document: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods and tag in methods[method]["tags"]:
                yield path, method, methods[method]


def _operation(document: Json, path: str, method: str, words: Json) -> str:
    parts = [
        f"<p>{_inline(words['description'])}</p>" if "description" in words else "",
        "<p>Public: no token is needed.</p>" if words.get("security") == [] else "",
        _parameters(words.get("parameters", [])),
        _request(document, words.get("requestBody")),
        "<h3>Answers</h3>",
        *(_answer(status, _resolved(document, answer)) for status, answer in words["responses"].items()),
    ]
    return (
        f'<details class="operation" id="{escape(words["operationId"])}"><summary>'
        f'<span class="method {method}">{method.upper()}</span><span class="path">{escape(path)}</span>'
        f'<span class="said">{escape(words["summary"])}</span></summary><div class="body">{"".join(parts)}</div></details>'
    )


def _parameters(parameters: list[Json]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}</td>"
        f"<td>{_type(each['schema'])}</td><td>{_inline(each.get('description', ''))}</td></tr>"
        for each in parameters
    )
    return f"<h3>Parameters</h3>{_table(('Name', 'In', 'Type', ''), rows)}" if rows else ""


def _request(document: Json, body: Json | None) -> str:
    if body is None:
        return ""
    content = body["content"]["application/json"]
    rows = "".join(_fields(document, content["schema"]))
    return f"<h3>Body</h3>{_table(('Field', 'Type', '', ''), rows) if rows else ''}{_code(content['example'])}"


def _fields(document: Json, schema: Json, inside: str = "") -> Iterator[str]:
    """A row for each field, those of inner objects behind the object's own."""
    whole = _resolved(document, schema)
    for name, form in whole.get("properties", {}).items():
        described = _resolved(document, form)
        inner = "$ref" in form and described.get("type") == "object"
        needed = "required" if name in whole.get("required", ()) else ""
        said = _inline(form.get("description", ""))
        kind = "object" if inner else _type(form)
        yield f"<tr><td><code>{escape(inside + name)}</code></td><td>{kind}</td><td>{needed}</td><td>{said}</td></tr>"
        if inner:
            yield from _fields(document, form, f"{inside}{name}.")


def _answer(status: str, answer: Json) -> str:
    examples = [
        (name, example["value"])
        for content in answer.get("content", {}).values()
        for name, example in content["examples"].items()
    ]
    shown = "".join(f"{_caption(name)}{_code(value)}" for name, value in examples)
    opened = " open" if status.startswith("2") else ""
    label = f'<span class="status">{escape(status)}</span> {escape(answer["description"])}'
    codes = "".join(f" <code>{escape(name)}</code>" for name, _ in examples) if not opened else ""
    return f'<details class="answer"{opened}><summary>{label}{codes}</summary>{shown}</details>'


def _caption(name: str) -> str:
    return "" if name == "example" else f"<p>{escape(name)}</p>"


def _resolved(document: Json, schema: Json) -> Json:
    """What `$ref` stands for, where there is one."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    resolved: Json = found
    return resolved


def _type(schema: Json) -> str:
    if "$ref" in schema:
        return escape(schema["$ref"].rsplit("/", 1)[-1])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"] if option.get("type") != "null")
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    return escape(str(schema.get("format", schema["type"])))


def _table(heads: tuple[str, ...], rows: str) -> str:
    head = "".join(f"<th>{escape(word)}</th>" for word in heads)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _code(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return f"<pre><code>{escape(text)}</code></pre>"


def _prose(text: str) -> str:
    """Paragraphs and one kind of list, as the document's description has them."""
    shown = []
    for block in text.strip().split("\n\n"):
        if block.startswith("* "):
            entries = block.removeprefix("* ").split("\n* ")
            shown.append("<ul>" + "".join(f"<li>{_inline(entry)}</li>" for entry in entries) + "</ul>")
        else:
            shown.append(f"<p>{_inline(block)}</p>")
    return "".join(shown)


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _anchor(tag: str) -> str:
    return escape(tag.lower().replace(" ", "-"))
