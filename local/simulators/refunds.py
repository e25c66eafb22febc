"""Money on its way back, and payouts: how they end and who is told. Like payments they end once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from local.simulators.courier import Courier
from local.simulators.ids import amount_text, masked_ref, mpesa_receipt
from local.simulators.ledger import AlreadyDecidedError, Ledger
from local.simulators.log import say
from local.simulators.mpesa_bodies import payout_result, reversal_result
from local.simulators.outcomes import Outcome, State
from local.simulators.phonepe_bodies import refund_webhook
from local.simulators.records import MPESA, PHONEPE, Notice, Refund
from local.simulators.settings import Settings
from local.simulators.timers import Timers

_FAILED_RESULT = "2001"


class Refunds:
    """Ends refunds, reversals and payouts in the ledger and hands their notices to the courier."""

    def __init__(self, settings: Settings, ledger: Ledger, timers: Timers, courier: Courier, draw: random.Random) -> None:
        self._settings = settings
        self._ledger = ledger
        self._timers = timers
        self._courier = courier
        self._draw = draw

    def end(self, refund: Refund, outcome: Outcome) -> Refund:
        """End it now; AlreadyDecidedError when it has ended before."""
        now = self._timers.now()
        succeeded = outcome is Outcome.PAY
        code = None
        if refund.gateway == MPESA:
            code = refund.result_code or ("0" if succeeded else _FAILED_RESULT)
            succeeded = code == "0"
        receipt = refund.conversation_id if refund.gateway == PHONEPE else mpesa_receipt(self._draw, now)
        ended = replace(
            refund,
            state=State.COMPLETED if succeeded else State.FAILED,
            result_code=code,
            receipt=receipt if succeeded else None,
            decided_at=now,
        )
        self._courier.schedule(self._ledger.move_refund(ended, self._notices(ended)))
        money = f"{amount_text(ended.amount)}"
        say(ended.gateway, f"{ended.kind} {masked_ref(ended.ref)} of {money}: {ended.state.value}")
        return ended

    def _notices(self, refund: Refund) -> list[Notice]:
        merchant, body = self._merchant_and_body(refund)
        if not refund.result_url:
            return []
        return [
            Notice(
                seq=0,
                gateway=refund.gateway,
                ref=refund.ref,
                kind=refund.kind,
                merchant=merchant,
                url=refund.result_url,
                forged_header=False,
                body=body,
                due_at=self._timers.now(),
            )
        ]

    def _merchant_and_body(self, refund: Refund) -> tuple[str, bytes]:
        if refund.gateway == PHONEPE:
            merchant = self._settings.phonepe_merchant_id
            return merchant, refund_webhook(refund, merchant)
        if refund.kind == "payout":
            return "", payout_result(refund)
        original = self._ledger.attempt(MPESA, refund.original_ref)
        merchant = original.merchant if original is not None else ""
        return merchant, reversal_result(refund, merchant, original.phone if original is not None else "")

    def follow(self, refund: Refund) -> None:
        """Set the timers of an open refund; one that is scripted to stay open has none."""
        if refund.ends_as is None:
            return
        outcome = Outcome(refund.ends_as)
        half_way = refund.created_at + self._settings.refund_after_s / 2
        if refund.gateway == PHONEPE:
            self._timers.at(half_way, self._if_open(refund, self._confirm))
        self._timers.at(
            refund.created_at + self._settings.refund_after_s,
            self._if_open(refund, lambda current: self.end(current, outcome)),
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
