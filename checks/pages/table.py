"""What lies in the table: the keys from `keys.py` and `shop_keys.py`, the rest as the flows of the fault machine write it."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final
from unittest.mock import patch

from ops.seed import seed
from payfirst.storage.dynamodb import due_index, expressions, keys, shop_keys
from payfirst.storage.dynamodb import table as requests
from payfirst.storage.dynamodb.expressions import AnyOf, Check, Delete, Put, Update, Write
from tests.faults.flows import FLOWS
from tests.faults.matrix import perform, prepared
from tests.faults.model_table import ModelTable
from tests.faults.stored import READERS, kind_of
from tests.faults.world import World, at_work

STORAGE: Final = Path(keys.__file__).parents[1]
PLACE: Final = re.compile(r"\{([^}:]+)(?::[^}]+)?\}")


@dataclass(frozen=True, slots=True)
class Form:
    """One function of the keys: its name, its two parts with places for its arguments, and what it promises."""

    name: str
    pk: str
    sk: str
    what: str

    def matches(self, pk: str, sk: str) -> bool:
        return all(re.fullmatch(_pattern(form), value) for form, value in ((self.pk, pk), (self.sk, sk)))

    @property
    def literal(self) -> int:
        """How much of it is said: of several forms that match, the one that says most is meant."""
        return len(PLACE.sub("", self.pk + self.sk))


def _pattern(form: str) -> str:
    parts = re.split(r"(\{[^}]+\})", form)
    return "".join((r"\d+" if ":0" in part else ".+") if part.startswith("{") else re.escape(part) for part in parts)


FUNCTIONS: Final = {
    node.name: node
    for module in ("keys.py", "shop_keys.py")
    for node in ast.parse(Path(keys.__file__).with_name(module).read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef)
}


def _text(node: ast.expr, given: Mapping[str, str]) -> str:
    """The text that an expression of the keys makes, with `{name}` where an argument comes in."""
    match node:
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=values):
            return "".join(_text(value, given) for value in values)
        case ast.FormattedValue(value=value, format_spec=ast.JoinedStr() as form):
            return _text(value, given).replace("}", f":{_text(form, given)}}}")
        case ast.FormattedValue(value=value) | ast.Call(func=ast.Attribute(value=value), args=[]):
            return _text(value, given)
        case ast.Name(id=name):
            constant = getattr(keys, name, getattr(shop_keys, name, None))
            return str(constant) if isinstance(constant, str) else given.get(name, f"{{{name}}}")
        case ast.Call(func=ast.Name(id=name), args=arguments) if (function := FUNCTIONS.get(name)) and name != "hashed":
            texts = [_text(argument, given) for argument in arguments]
            names = [argument.arg for argument in function.args.args]
            return _text(_answer(function), dict(zip(names, texts, strict=True)))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            said = _text(argument, given)
            return said.replace("{", "{hash of ") if name == "hashed" else said
        case _:
            raise ValueError(f"a key of an unknown form: {ast.unparse(node)}")


def _answer(function: ast.FunctionDef) -> ast.expr:
    last = function.body[-1]
    if not isinstance(last, ast.Return) or last.value is None:
        raise ValueError(f"{function.name} does not end in an answer")
    return last.value


def forms() -> Iterator[Form]:
    """The keys of the table, in the order of their modules."""
    for name, function in FUNCTIONS.items():
        answer = _answer(function) if isinstance(function.body[-1], ast.Return) else None
        if isinstance(answer, ast.Dict):
            parts = {
                str(key.value): value
                for key, value in zip(answer.keys, answer.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            if "pk" in parts and not isinstance(parts["pk"], ast.Subscript):
                yield Form(
                    name, _text(parts["pk"], {}), _text(parts["sk"], {}), (ast.get_docstring(function) or "").split("\n")[0]
                )


@dataclass(slots=True)
class Seen:
    """What the flows do with the items of one kind."""

    form: Form
    key: str
    puts: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    conditions: set[str] = field(default_factory=set)
    due: set[str] = field(default_factory=set)


def _file(module: str) -> str:
    return module.removeprefix("payfirst.").replace(".", "/") + ".py"


def _module(frame: FrameType | None) -> str | None:
    """Who makes a write: the first module outside the room that knows DynamoDB; None for a test."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name != "dataclasses" and not name.startswith(("payfirst.storage.dynamodb", __name__)):
            return _file(name) if name.startswith("payfirst.") else None
        frame = frame.f_back
    return None


def _attributes(write: Write) -> Iterator[str]:
    for condition in write.when:
        for clause in condition.clauses if isinstance(condition, AnyOf) else (condition,):
            yield from clause.attributes


def _waits_for(write: Write) -> Iterator[str]:
    values = write.item if isinstance(write, Put) else write.set if isinstance(write, Update) else {}
    if values.get("due_pk"):
        yield due_index.waits_for(values).value


@contextmanager
def watching(seen: dict[str, Seen], known: Iterable[Form]) -> Iterator[None]:
    """Note every write that is made inside the block, by the kind of its item."""
    makers: dict[int, tuple[Write, str | None]] = {}
    render = expressions.render

    def rendering(write: Write, table_name: str, writer: str) -> tuple[str, dict[str, Any]]:
        maker = makers.get(id(write), (write, None))[1]
        key = write.item if isinstance(write, Put) else write.key
        if maker is not None:
            found = _seen(seen, known, str(key["pk"]), str(key["sk"]))
            found.conditions.update(_attributes(write))
            found.due.update(_waits_for(write))
            if not isinstance(write, Check):
                (found.puts if isinstance(write, Put) else found.changes).add(maker)
        return render(write, table_name, writer)

    def noting(kind: type[Any]) -> Any:
        make = kind.__init__

        def made(self: Any, *given: Any, **named: Any) -> None:
            make(self, *given, **named)
            makers[id(self)] = (self, _module(sys._getframe(1)))  # noqa: SLF001 - the only way to ask who makes it

        return patch.object(kind, "__init__", made)

    with ExitStack() as stack:
        stack.enter_context(patch.object(requests, "render", rendering))
        for kind in (Put, Update, Check, Delete):
            stack.enter_context(noting(kind))
        yield


def _shown(pk: str, sk: str, *, head: str = "") -> str:
    """Both parts of a key as a page has them; `head` is the word that stands for a customer's list, or before a guard."""
    said = re.sub(r"^\{what\}(?=#\{)", head, sk).replace("{sort_key}", f"{head}#{{version}}")
    return " / ".join(f"`{PLACE.sub(_named, part)}`" for part in (pk, said))


def _named(place: re.Match[str]) -> str:
    return f"{{{place[1]}}}"


def _seen(seen: dict[str, Seen], known: Iterable[Form], pk: str, sk: str) -> Seen:
    form = max((each for each in known if each.matches(pk, sk)), key=lambda each: each.literal)
    kind = kind_of(pk, sk)
    kind = form.name.replace("_", " ") if kind == sk.partition("#")[0].lower() else kind
    if kind not in seen:
        seen[kind] = Seen(form, _shown(form.pk, form.sk, head=sk.partition("#")[0]))
    return seen[kind]


def observed() -> dict[str, Seen]:
    """By kind of item: what the flows of the fault machine, and filling the catalogue, do with it."""
    seen: dict[str, Seen] = {}
    known = list(forms())
    with watching(seen, known):
        seed(World(ModelTable()).table)
        for flow in FLOWS:
            world, act = prepared(flow)
            with at_work(world):
                perform(world, act)
    for form in known:
        if form.name not in {each.form.name for each in seen.values()}:
            seen[form.name.replace("_", " ")] = Seen(form, _shown(form.pk, form.sk))
    return seen


def users(form: Form) -> set[str]:
    """The modules of storage that name a key: for what no flow writes."""
    named = re.compile(rf"keys\.{form.name}\(")
    return {f"storage/{file.name}" for file in STORAGE.glob("*.py") if named.search(file.read_text(encoding="utf-8"))}


def block() -> str:
    """One row for each kind of item, in the order of its key's function."""
    places = list(FUNCTIONS)
    seen = observed()
    shared = Counter(each.form.name for each in seen.values())
    rows = []
    for kind, each in sorted(seen.items(), key=lambda pair: (places.index(pair[1].form.name), pair[0])):
        made = each.puts or each.changes or users(each.form)
        shape = {_file(READERS[kind].__module__)} if kind in READERS else made
        what = f": {each.form.what}" if shared[each.form.name] == 1 else ""
        columns = (shape, made - shape, each.changes - made - shape, each.conditions, each.due)
        cells = [", ".join(f"`{name}`" for name in sorted(names)) for names in columns]
        rows.append(f"| **{kind}**{what} | {each.key} | {' | '.join(cells)} |")
    head = "| item | partition / sort key | its shape | also made by | also changed by | conditions on | due as |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])
