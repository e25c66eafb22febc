"""The rules in force, and what they say about a request; what a rule can say stands in `rules`."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from local.simulators.ledger import Ledger
from local.simulators.rules import Answer, Call, Ending, GatewayWord, Rule

_DECIDED_CALLS: Final = frozenset({"push", "pay", "refund", "reversal"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule can see of a request; `amount` is minor units, and nothing is known is `None` or empty."""

    gateway: GatewayWord
    call: Call
    ref: str = ""
    phone: str = ""
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """How a request is to be answered instead of truly."""

    answer: Answer | None
    done: bool
    delay_s: float
    result_code: str | None

    def told_truly(self) -> Fault:
        """The same delay before an answer that the route makes itself."""
        return Fault(None, done=True, delay_s=self.delay_s, result_code=self.result_code)


def _matches(rule: Rule, facts: Facts) -> bool:
    return (
        rule.gateway in (None, facts.gateway)
        and rule.call in (None, facts.call)
        and rule.phone in (None, facts.phone)
        and rule.ref in (None, facts.ref)
        and (rule.amount is None or (facts.amount is not None and rule.amount * 100 == facts.amount))
    )


class ScriptBook:
    """The rules in force, newest last; they survive a restart, their counts as well."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        stored = ledger.knob("rules")
        self._entries: list[_Entry] = [] if stored is None else _Entries.model_validate_json(stored).entries

    def add(self, rule: Rule) -> None:
        """Put a rule in force before all others."""
        with self._lock:
            self._entries.append(_Entry(rule=rule))
            self._store()

    def clear(self) -> None:
        """Forget every rule."""
        with self._lock:
            self._entries.clear()
            self._store()

    def listed(self) -> list[dict[str, object]]:
        """The rules with the number of requests that each has matched."""
        with self._lock:
            return [
                {"rule": e.rule.model_dump(mode="json", exclude_defaults=True), "matched": e.matched, "used": e.used}
                for e in self._entries
            ]

    def take(self, facts: Facts) -> tuple[Fault | None, Ending | None]:
        """What the rules say about one request, which uses each of them once."""
        fault: Fault | None = None
        ending: Ending | None = None
        touched = False
        with self._lock:
            for entry in reversed(self._entries):
                rule = entry.rule
                gives_answer = fault is None and (rule.answer is not None or rule.answer_delay_s > 0)
                gives_ending = ending is None and rule.outcome is not None and facts.call in _DECIDED_CALLS
                if not (gives_answer or gives_ending) or not _matches(rule, facts):
                    continue
                if rule.times is not None and entry.used >= rule.times:
                    continue
                touched = True
                entry.matched += 1
                if entry.matched % rule.every:
                    continue
                entry.used += 1
                if gives_answer:
                    done = rule.done if rule.done is not None else rule.answer is Answer.LOST
                    fault = Fault(rule.answer, done, rule.answer_delay_s, rule.result_code)
                if gives_ending:
                    ending = rule.ending()
            if touched:
                self._store()
        return fault, ending

    def _store(self) -> None:
        self._ledger.set_knob("rules", _Entries(entries=self._entries).model_dump_json())


class _Entry(BaseModel):
    rule: Rule
    matched: int = 0
    used: int = 0


class _Entries(BaseModel):
    entries: list[_Entry]
