"""Sessions, attempts and what belongs to them, as items and back."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from payfirst.domain.attempt import Attempt
from payfirst.domain.calendar import Slot
from payfirst.domain.clock import instant, read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import AttemptStatus, RefundStatus, SessionStatus
from payfirst.domain.paid_back import NOTHING, PaidBack
from payfirst.domain.refund import WHY_MONEY_GOES_BACK
from payfirst.domain.session import (
    AttemptCodes,
    CartGuard,
    Customer,
    Failure,
    Kind,
    Outcome,
    RefundShown,
    Session,
)
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.snapshots import snapshot_from_map, snapshot_to_map, stated


def failure_to_map(failure: Failure) -> dict[str, Any]:
    """A failure as the map that an item holds."""
    return {"code": failure.code, "message": failure.message, "retryable": failure.retryable}


def _failure(item: Item) -> Failure | None:
    raw = item.get("failure")
    return Failure(raw["code"], raw["message"], raw["retryable"]) if raw else None


def refund_to_map(refund: RefundShown) -> dict[str, Any]:
    """A refund, as a session shows it, as the map that its item holds."""
    by_hand = {"by_hand": True} if refund.by_hand else {}
    total = {"total": refund.total.minor} if refund.total else {}
    return {"amount": refund.amount.minor, "status": refund.status, "reason": refund.reason, **by_hand, **total}


def _refund(item: Item, currency: Currency) -> RefundShown | None:
    raw = item.get("refund")
    if raw is None:
        return None
    total = Money(int(raw["total"]), currency) if "total" in raw else None
    return RefundShown(Money(int(raw["amount"]), currency), raw["status"], raw["reason"], raw.get("by_hand", False), total)


def paid_back_to_map(back: PaidBack) -> dict[str, Any]:
    """What went back of a session's payment as the map that its item holds."""
    return {"returned": back.returned, "owed": back.owed}


def _paid_back(item: Item) -> PaidBack:
    """Of an item that an earlier release wrote, its latest refund tells, unless that was of another payment."""
    raw, refund = item.get("paid_back"), item.get("refund")
    if raw:
        return PaidBack(int(raw["returned"]), int(raw["owed"]))
    if refund is None or refund["reason"] in WHY_MONEY_GOES_BACK:
        return NOTHING
    amount = int(refund["amount"])
    return PaidBack(returned=amount) if refund["status"] == RefundStatus.REFUNDED else PaidBack(owed=amount)


def codes_to_map(codes: AttemptCodes) -> dict[str, Any]:
    """The names of a session's latest attempt as the map that its item holds."""
    return {"ref": codes.ref, "transaction": codes.transaction, "number": codes.number, "gateway": codes.gateway}


def session_to_item(session: Session) -> Item:
    """A new session as its item; it is due to expire while it is pending."""
    customer = session.customer
    return {
        **keys.owned(customer.sub, keys.SESSION, session.number),
        **stated({"user_id": customer.user_id, "email": customer.email, "customer_name": customer.name}),
        **stated({"live_attempt": session.live_attempt}),
        **({"latest": codes_to_map(session.latest)} if session.latest else {}),
        "uuid": session.uuid,
        "kind": session.kind.value,
        "status": session.status.value,
        "amount": session.amount.minor,
        "currency": session.amount.currency.value,
        "snapshot": snapshot_to_map(session.snapshot),
        "guard": {"key": session.guard.key, "version": session.guard.version},
        "created_at": instant(session.created_at),
        "expires_at": instant(session.expires_at),
        "sequence": session.sequence,
        "extensions": session.extensions,
        "attempts": session.attempts,
    }


def session_from_item(item: Item) -> Session:
    """The session of an item."""
    currency = Currency(item["currency"])
    latest, outcome = item.get("latest"), item.get("outcome")
    user_id = item.get("user_id")
    return Session(
        customer=Customer(
            sub=keys.owner_of(item),
            user_id=None if user_id is None else int(user_id),
            email=item.get("email"),
            name=item.get("customer_name"),
        ),
        number=keys.number_of(item),
        uuid=item["uuid"],
        kind=Kind(item["kind"]),
        status=SessionStatus(item["status"]),
        amount=Money(int(item["amount"]), currency),
        snapshot=snapshot_from_map(Kind(item["kind"]), item["snapshot"], currency),
        guard=CartGuard(item["guard"]["key"], item["guard"]["version"]),
        created_at=read_instant(item["created_at"]),
        expires_at=read_instant(item["expires_at"]),
        sequence=int(item["sequence"]),
        extensions=int(item["extensions"]),
        attempts=int(item["attempts"]),
        latest=AttemptCodes(latest["ref"], latest["transaction"], int(latest["number"]), latest["gateway"]) if latest else None,
        live_attempt=item.get("live_attempt"),
        captured=item.get("captured"),
        outcome=Outcome(int(outcome["number"]), outcome["code"], outcome.get("status")) if outcome else None,
        failure=_failure(item),
        refund=_refund(item, currency),
        paid_back=_paid_back(item),
        writer=item.get("writer", ""),
    )


def slot_to_map(slot: Slot) -> dict[str, Any]:
    """A slot as the map that an attempt holds."""
    return {
        "service_type": slot.service_type,
        "service_id": slot.service_id,
        "day": slot.day.isoformat(),
        "at": slot.at.isoformat(),
    }


def _slot(raw: Item | None) -> Slot | None:
    if raw is None:
        return None
    return Slot(raw["service_type"], int(raw["service_id"]), date.fromisoformat(raw["day"]), time.fromisoformat(raw["at"]))


def attempt_to_item(attempt: Attempt) -> Item:
    """A new attempt as its item, with the keys of its first check if it has one."""
    key = keys.attempt(attempt.ref)
    return {
        **key,
        **(due_index.due(due_index.SETTLE, key, attempt.next_check_at) if attempt.next_check_at else {}),
        **stated({"phone": attempt.phone, "phone_lock": attempt.phone_lock, "token_hash": attempt.token_hash}),
        **stated({"held_promo": attempt.held_promo}),
        **({"held_stock": {str(number): quantity for number, quantity in attempt.held_stock}} if attempt.held_stock else {}),
        **({"held_slot": slot_to_map(attempt.held_slot)} if attempt.held_slot else {}),
        **stated({"next_check_at": _instant(attempt.next_check_at)}),
        "number": attempt.number,
        "transaction": attempt.transaction,
        "owner": attempt.owner,
        "kind": attempt.kind.value,
        "session_number": attempt.session_number,
        "guard": {"key": attempt.guard.key, "version": attempt.guard.version},
        "gateway": attempt.gateway,
        "amount": attempt.amount.minor,
        "currency": attempt.amount.currency.value,
        "status": attempt.status.value,
        "created_at": instant(attempt.created_at),
        "check": attempt.check,
    }


def _instant(moment: datetime | None) -> str | None:
    return instant(moment) if moment else None


def attempt_from_item(item: Item) -> Attempt:
    """The attempt of an item."""
    currency = Currency(item["currency"])
    captured, came, due, confirm = (item.get(name) for name in ("captured", "captured_at", "next_check_at", "confirm_at"))
    return Attempt(
        ref=keys.ref_of(item),
        number=int(item["number"]),
        transaction=item["transaction"],
        owner=item["owner"],
        session_number=int(item["session_number"]),
        kind=Kind(item["kind"]),
        guard=CartGuard(item["guard"]["key"], item["guard"]["version"]),
        gateway=item["gateway"],
        amount=Money(int(item["amount"]), currency),
        status=AttemptStatus(item["status"]),
        created_at=read_instant(item["created_at"]),
        check=int(item["check"]),
        next_check_at=read_instant(due) if due else None,
        confirm_at=read_instant(confirm) if confirm else None,
        phone=item.get("phone"),
        phone_lock=item.get("phone_lock"),
        token_hash=item.get("token_hash"),
        held_promo=item.get("held_promo"),
        held_stock=tuple((int(number), Decimal(quantity)) for number, quantity in item.get("held_stock", {}).items()),
        held_slot=_slot(item.get("held_slot")),
        gateway_id=item.get("gateway_id"),
        merchant_request_id=item.get("merchant_request_id"),
        payment_url=item.get("payment_url"),
        captured=Money(int(captured), currency) if captured is not None else None,
        captured_at=read_instant(came) if came else None,
        receipt=item.get("receipt"),
        failure=_failure(item),
        review=item.get("review"),
        is_dead_letter=due_index.is_due_as(item, due_index.REVIEW) and item["status"] != AttemptStatus.NEEDS_REVIEW,
        writer=item.get("writer", ""),
    )
