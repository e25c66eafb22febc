"""Money on its way back: how it ends and who is told. Like payments it ends once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from local.simulators.courier import Courier
from local.simulators.ids import amount_text, mpesa_receipt
from local.simulators.ledger import AlreadyDecidedError, Ledger
from local.simulators.log import say
from local.simulators.mpesa_bodies import reversal_result
from local.simulators.outcomes import Outcome, State
from local.simulators.phonepe_bodies import refund_webhook
from local.simulators.phonepe_v1_bodies import refund_notice
from local.simulators.records import MPESA, PHONEPE, Notice, Refund
from local.simulators.rules import Ending
from local.simulators.settings import Settings
from local.simulators.timers import Timers

_FAILED_RESULT: Final = "2001"


def refund_plan(ending: Ending | None, usual_pause_s: float) -> str | None:
    """How a refund will end, as the ledger stores it: well and soon unless a rule says otherwise; `None` leaves it open."""
    if ending is None:
        return Ending(outcome=Outcome.PAY, after_s=usual_pause_s).model_dump_json()
    return None if ending.outcome is Outcome.PENDING else ending.model_dump_json()


class Refunds:
    """Ends refunds and reversals in the ledger and hands their notices to the courier."""

    def __init__(self, settings: Settings, ledger: Ledger, timers: Timers, courier: Courier, draw: random.Random) -> None:
        self._settings = settings
        self._ledger = ledger
        self._timers = timers
        self._courier = courier
        self._draw = draw

    def end(self, refund: Refund, ending: Ending) -> Refund:
        """End it now, in success for the outcome `pay`; AlreadyDecidedError when it has ended before."""
        now = self._timers.now()
        succeeded = ending.outcome is Outcome.PAY
        code = None
        if refund.gateway == MPESA:
            code = refund.result_code or ("0" if succeeded else ending.result_code or _FAILED_RESULT)
            succeeded = code == "0"
        receipt = refund.conversation_id if refund.gateway == PHONEPE else mpesa_receipt(self._draw, now)
        ended = replace(
            refund,
            state=State.COMPLETED if succeeded else State.FAILED,
            result_code=code,
            receipt=receipt if succeeded else None,
            decided_at=now,
        )
        self._courier.schedule(self._ledger.move_refund(ended, self._notices(ended, ending)))
        say(ended.gateway, f"{ended.kind} {ended.ref} of {amount_text(ended.amount)}: {ended.state.value}")
        return ended

    def _notices(self, refund: Refund, ending: Ending) -> list[Notice]:
        if not refund.result_url:
            return []
        merchant, body = self._merchant_and_body(refund)
        now = self._timers.now()
        return [
            Notice(
                gateway=refund.gateway,
                ref=refund.ref,
                kind=refund.kind,
                merchant=merchant,
                url=refund.result_url,
                forged_header=False,
                body=body,
                due_at=now + wanted.after_s,
            )
            for wanted in ending.notice_list()
        ]

    def _merchant_and_body(self, refund: Refund) -> tuple[str, bytes]:
        original = self._ledger.attempt(refund.gateway, refund.original_ref)
        if refund.gateway == PHONEPE:
            merchant = self._settings.phonepe_merchant_id
            by_first_api = original is not None and original.by_first_api
            return merchant, (refund_notice if by_first_api else refund_webhook)(refund, merchant)
        merchant = original.merchant if original is not None else ""
        return merchant, reversal_result(refund, merchant, original.phone if original is not None else "")

    def follow(self, refund: Refund) -> None:
        """Set the timers of an open refund; one without a plan has none."""
        if refund.plan is None:
            return
        ending = Ending.model_validate_json(refund.plan)
        if refund.gateway == PHONEPE:
            self._timers.at(refund.created_at + ending.after_s / 2, self._if_open(refund, self._confirm))
        self._timers.at(
            refund.created_at + ending.after_s,
            self._if_open(refund, lambda current: self.end(current, ending)),
        )

    def resume(self) -> None:
        """Take up the open refunds that an earlier process left."""
        for refund in self._ledger.all_refunds():
            if refund.state in {State.PENDING, State.CONFIRMED}:
                self.follow(refund)

    def _confirm(self, refund: Refund) -> None:
        self._ledger.move_refund(replace(refund, state=State.CONFIRMED), [])

    def _if_open(self, refund: Refund, act: Callable[[Refund], object]) -> Callable[[], None]:
        def job() -> None:
            current = self._ledger.refund(refund.gateway, refund.ref)
            if current is None or current.seq != refund.seq:
                return
            try:
                act(current)
            except AlreadyDecidedError:
                # It was ended by hand before its time.
                return

        return job
