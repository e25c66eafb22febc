"""Decides payments, once each, and says who is to be told; everything that moves money goes through here."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from local.simulators.courier import Courier
from local.simulators.ids import amount_text, hexadecimal, masked_ref, mpesa_receipt, phonepe_id
from local.simulators.ledger import AlreadyDecidedError, DuplicateReceiptError, Ledger
from local.simulators.log import say
from local.simulators.mpesa_bodies import stk_callback
from local.simulators.outcomes import MPESA_CODES, Outcome, State
from local.simulators.phonepe_bodies import order_webhook
from local.simulators.phonepe_v1_bodies import transaction_notice
from local.simulators.records import MPESA, Attempt, Notice
from local.simulators.rules import Ending, Kind, NoticeIn
from local.simulators.timers import Timers

_RECEIPT_DRAWS: Final = 10


def _with_another_token(url: str, draw: random.Random) -> str:
    parts = urlsplit(url)
    stem, _, token = parts.path.rstrip("/").rpartition("/")
    return urlunsplit(parts._replace(path=f"{stem}/{hexadecimal(draw, len(token))}"))


def plan_text(ending: Ending, now: float) -> str:
    """A decision to come, as the ledger stores it."""
    return json.dumps({"at": now + ending.after_s, "ending": ending.model_dump(mode="json")})


class Cashier:
    """Ends payments in the ledger and hands their notices to the courier; safe to call from any thread."""

    def __init__(self, ledger: Ledger, timers: Timers, courier: Courier, draw: random.Random) -> None:
        self._ledger = ledger
        self._timers = timers
        self._courier = courier
        self._draw = draw

    def decide(self, attempt: Attempt, ending: Ending, *, send: bool = True) -> tuple[Attempt, list[Notice]]:
        """End an open payment now, or leave it open as being worked on for the outcome `pending`.

        Answers the payment as it is afterwards and its notices, which are sent at their times unless `send` is False.
        AlreadyDecidedError when it has ended before; then nothing is changed and nobody is told.
        """
        if ending.outcome is Outcome.PENDING:
            self._ledger.set_plan(attempt, working=True, plan=None)
            working = replace(attempt, working=True, plan=None)
            notices = self._ledger.add_notices(self.notices_for(working, ending.notice_list()))
        else:
            working, notices = self._close(attempt, ending)
        if send:
            self._courier.schedule(notices)
        amount = f"{amount_text(attempt.amount)} {attempt.currency}"
        receipt = f", receipt {working.receipt}" if working.receipt else ""
        say(attempt.gateway, f"{masked_ref(attempt.ref)} {amount}: {ending.outcome}{receipt}, notices {len(notices)}")
        return working, notices

    def _close(self, attempt: Attempt, ending: Ending) -> tuple[Attempt, list[Notice]]:
        now = self._timers.now()
        paid = ending.outcome is Outcome.PAY
        code = ending.result_code or MPESA_CODES[ending.outcome]
        for _ in range(_RECEIPT_DRAWS):
            closed = replace(
                attempt,
                state=State.COMPLETED if paid else State.FAILED,
                outcome=ending.outcome.value,
                result_code=code if attempt.gateway == MPESA else None,
                receipt=self._receipt(attempt.gateway, now) if paid else None,
                decided_at=now,
                working=False,
                plan=None,
            )
            try:
                notices = self._ledger.close_attempt(closed, self.notices_for(closed, ending.notice_list()))
            except DuplicateReceiptError:
                continue
            return closed, notices
        raise DuplicateReceiptError

    def _receipt(self, gateway: str, now: float) -> str:
        return mpesa_receipt(self._draw, now) if gateway == MPESA else phonepe_id("OM", self._draw, now)

    def notices_for(self, attempt: Attempt, wanted: Sequence[NoticeIn]) -> list[Notice]:
        """The messages about a payment; none when there is no address to send them to."""
        if not attempt.callback_url:
            return []
        now = self._timers.now()
        other = self._ledger.another_receipt(attempt) if any(n.kind is Kind.USED_RECEIPT for n in wanted) else None
        made = []
        for notice in wanted:
            url = attempt.callback_url
            if attempt.gateway == MPESA:
                body = stk_callback(attempt, notice.kind, notice.variant, draw=self._draw, other_receipt=other)
                url = _with_another_token(url, self._draw) if notice.kind is Kind.WRONG_TOKEN else url
            elif attempt.by_first_api:
                body = transaction_notice(attempt, notice.kind, draw=self._draw, other_receipt=other)
            else:
                body = order_webhook(attempt, notice.kind, draw=self._draw, other_receipt=other)
            made.append(
                Notice(
                    gateway=attempt.gateway,
                    ref=attempt.ref,
                    kind=notice.kind.value,
                    merchant=attempt.merchant,
                    url=url,
                    forged_header=notice.kind is Kind.WRONG_TOKEN,
                    body=body,
                    due_at=now + notice.after_s,
                )
            )
        return made

    def plan(self, attempt: Attempt, ending: Ending) -> None:
        """Decide an open payment `after_s` from now, instead of any earlier plan; the plan survives a restart."""
        planned = replace(attempt, plan=plan_text(ending, self._timers.now()))
        self._ledger.set_plan(planned, working=attempt.working, plan=planned.plan)
        self.follow(planned)

    def follow(self, attempt: Attempt) -> None:
        """Set the timers of an open payment: its plan, and the end that comes by itself."""
        if attempt.plan is not None:
            plan = json.loads(attempt.plan)
            self._at(plan["at"], attempt, Ending.model_validate(plan["ending"]), only_as_planned=True)
        if attempt.expires_at is not None:
            self._at(attempt.expires_at, attempt, Ending(outcome=Outcome.TIMEOUT), only_as_planned=False)

    def resume(self) -> None:
        """Take up the open payments that an earlier process left."""
        for attempt in self._ledger.attempts(state=State.PENDING):
            self.follow(attempt)

    def _at(self, instant: float, attempt: Attempt, ending: Ending, *, only_as_planned: bool) -> None:
        def end() -> None:
            current = self._ledger.attempt(attempt.gateway, attempt.ref)
            if current is None or current.seq != attempt.seq or current.state is not State.PENDING:
                return
            if only_as_planned and current.plan != attempt.plan:
                return
            try:
                self.decide(current, ending)
            except AlreadyDecidedError:
                # Somebody decided in this very moment: a timer never overrules.
                return

        self._timers.at(instant, end)
