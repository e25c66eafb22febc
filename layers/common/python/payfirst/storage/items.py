"""Sessions, attempts and what belongs to them, as items and back."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from payfirst.domain.attempt import Attempt
from payfirst.domain.calendar import Slot
from payfirst.domain.clock import instant, read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.domain.session import (
    AttemptCodes,
    BookingSnapshot,
    CartGuard,
    Customer,
    Delivery,
    Failure,
    Kind,
    OrderLine,
    OrderSnapshot,
    Outcome,
    RefundShown,
    Session,
)
from payfirst.storage import keys
from payfirst.storage.expressions import Item


def _optional(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def failure_to_map(failure: Failure) -> dict[str, Any]:
    """A failure as the map that an item holds."""
    return {"code": failure.code, "message": failure.message, "retryable": failure.retryable}


def _failure(item: Item) -> Failure | None:
    raw = item.get("failure")
    return Failure(raw["code"], raw["message"], raw["retryable"]) if raw else None


def refund_to_map(refund: RefundShown) -> dict[str, Any]:
    """A refund, as a session shows it, as the map that its item holds."""
    return {"amount": refund.amount.minor, "status": refund.status, "reason": refund.reason}


def codes_to_map(codes: AttemptCodes) -> dict[str, Any]:
    """The names of a session's latest attempt as the map that its item holds."""
    return {"ref": codes.ref, "transaction": codes.transaction, "number": codes.number, "gateway": codes.gateway}


def session_to_item(session: Session) -> Item:
    """A new session as its item; it is due to expire while it is pending."""
    customer = session.customer
    return {
        **keys.owned(customer.sub, keys.SESSION, session.number),
        **_optional({"user_id": customer.user_id, "email": customer.email, "customer_name": customer.name}),
        **_optional({"live_attempt": session.live_attempt}),
        **({"latest": codes_to_map(session.latest)} if session.latest else {}),
        "uuid": session.uuid,
        "kind": session.kind.value,
        "status": session.status.value,
        "amount": session.amount.minor,
        "currency": session.amount.currency.value,
        "snapshot": _snapshot_to_map(session.snapshot),
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
    latest, outcome, refund = item.get("latest"), item.get("outcome"), item.get("refund")
    user_id = item.get("user_id")
    return Session(
        customer=Customer(
            sub=item["pk"].removeprefix("U#"),
            user_id=None if user_id is None else int(user_id),
            email=item.get("email"),
            name=item.get("customer_name"),
        ),
        number=int(item["sk"].split("#")[1]),
        uuid=item["uuid"],
        kind=Kind(item["kind"]),
        status=SessionStatus(item["status"]),
        amount=Money(int(item["amount"]), currency),
        snapshot=_snapshot(Kind(item["kind"]), item["snapshot"], currency),
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
        refund=RefundShown(Money(int(refund["amount"]), currency), refund["status"], refund["reason"]) if refund else None,
        writer=item.get("writer", ""),
    )


def _snapshot_to_map(snapshot: OrderSnapshot | BookingSnapshot) -> dict[str, Any]:
    return _order_to_map(snapshot) if isinstance(snapshot, OrderSnapshot) else booking_snapshot_to_map(snapshot)


def _snapshot(kind: Kind, raw: Item, currency: Currency) -> OrderSnapshot | BookingSnapshot:
    return _order(raw, currency) if kind is Kind.ORDER else booking_snapshot(raw, currency)


def line_to_map(line: OrderLine) -> dict[str, Any]:
    """An order line as the map that an item holds."""
    return {
        "cart_item_id": line.cart_item_id,
        "listing_id": line.listing_id,
        "product_name": line.product_name,
        "farm_name": line.farm_name,
        "unit": line.unit,
        "quantity": line.quantity,
        "price": line.price.minor,
        "subtotal": line.subtotal.minor,
        **({"hold": True} if line.hold else {}),
    }


def line_from_map(raw: Item, currency: Currency) -> OrderLine:
    """The order line of an item's map."""
    return OrderLine(
        cart_item_id=int(raw["cart_item_id"]),
        listing_id=int(raw["listing_id"]),
        product_name=raw["product_name"],
        farm_name=raw["farm_name"],
        unit=raw["unit"],
        quantity=Decimal(raw["quantity"]),
        price=Money(int(raw["price"]), currency),
        subtotal=Money(int(raw["subtotal"]), currency),
        hold=raw.get("hold", False),
    )


def delivery_to_map(delivery: Delivery) -> dict[str, Any]:
    """Where an order goes, as the map that a session or an order holds."""
    day = delivery.estimated_delivery_date
    return {
        "full_name": delivery.full_name,
        "phone_number": delivery.phone_number,
        "county_id": delivery.county_id,
        "subcounty_id": delivery.subcounty_id,
        "detailed_address": delivery.detailed_address,
        "special_instructions": delivery.special_instructions,
        "delivery_time_slot": delivery.delivery_time_slot,
        **_optional({"estimated_delivery_date": day.isoformat() if day else None}),
    }


def delivery_from_map(raw: Item) -> Delivery:
    """Where an order goes, of an item's map."""
    day = raw.get("estimated_delivery_date")
    return Delivery(
        full_name=raw["full_name"],
        phone_number=raw["phone_number"],
        county_id=int(raw["county_id"]),
        subcounty_id=int(raw["subcounty_id"]),
        detailed_address=raw["detailed_address"],
        special_instructions=raw["special_instructions"],
        delivery_time_slot=raw["delivery_time_slot"],
        estimated_delivery_date=date.fromisoformat(day) if day else None,
    )


def _order_to_map(snapshot: OrderSnapshot) -> dict[str, Any]:
    return {
        "lines": [line_to_map(line) for line in snapshot.lines],
        "delivery": delivery_to_map(snapshot.delivery),
        "items_total": snapshot.items_total.minor,
        "delivery_fee": snapshot.delivery_fee.minor,
        "rounding": snapshot.rounding.minor,
        "taken_at": instant(snapshot.taken_at),
    }


def _order(raw: Item, currency: Currency) -> OrderSnapshot:
    return OrderSnapshot(
        lines=tuple(line_from_map(line, currency) for line in raw["lines"]),
        delivery=delivery_from_map(raw["delivery"]),
        items_total=Money(int(raw["items_total"]), currency),
        delivery_fee=Money(int(raw["delivery_fee"]), currency),
        rounding=Money(int(raw["rounding"]), currency),
        taken_at=read_instant(raw["taken_at"]),
    )


def booking_snapshot_to_map(snapshot: BookingSnapshot) -> dict[str, Any]:
    """A booking's content as the map that a session, a cart or a booking holds."""
    return _optional(
        {
            "cart_id": snapshot.cart_id,
            "cart_uuid": snapshot.cart_uuid,
            "service_type": snapshot.service_type,
            "service_id": snapshot.service_id,
            "service_name": snapshot.service_name,
            "package_id": snapshot.package_id,
            "package_name": snapshot.package_name,
            "day": snapshot.day.isoformat(),
            "at": snapshot.at.isoformat(),
            "time_given": snapshot.time_given,
            "zone": snapshot.zone,
            "price": snapshot.price.minor,
            "discount": snapshot.discount.minor,
            "promo_code": snapshot.promo_code,
            "address": snapshot.address,
            "capacity": snapshot.capacity,
            "hold": snapshot.hold or None,
            "promo_limit": snapshot.promo_limit,
        }
    )


def booking_snapshot(raw: Item, currency: Currency) -> BookingSnapshot:
    """The booking's content of an item's map."""
    package, capacity, limit = raw.get("package_id"), raw.get("capacity"), raw.get("promo_limit")
    return BookingSnapshot(
        cart_id=int(raw["cart_id"]),
        cart_uuid=raw["cart_uuid"],
        service_type=raw["service_type"],
        service_id=int(raw["service_id"]),
        service_name=raw["service_name"],
        package_id=None if package is None else int(package),
        package_name=raw.get("package_name"),
        day=date.fromisoformat(raw["day"]),
        at=time.fromisoformat(raw["at"]),
        time_given=raw["time_given"],
        zone=raw["zone"],
        price=Money(int(raw["price"]), currency),
        discount=Money(int(raw["discount"]), currency),
        promo_code=raw.get("promo_code"),
        address=raw.get("address"),
        capacity=None if capacity is None else int(capacity),
        hold=raw.get("hold", False),
        promo_limit=None if limit is None else int(limit),
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
    """A new attempt as its item, with the keys of its first look if it has one."""
    key = keys.attempt(attempt.ref)
    return {
        **key,
        **(keys.due(keys.SETTLE, key, attempt.next_check_at) if attempt.next_check_at else {}),
        **_optional({"phone": attempt.phone, "phone_key": attempt.phone_key, "token_hash": attempt.token_hash}),
        **_optional({"held_promo": attempt.held_promo}),
        **({"held_stock": {str(number): quantity for number, quantity in attempt.held_stock}} if attempt.held_stock else {}),
        **({"held_slot": slot_to_map(attempt.held_slot)} if attempt.held_slot else {}),
        **_optional({"next_check_at": _instant(attempt.next_check_at)}),
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
    captured, due = item.get("captured"), item.get("next_check_at")
    return Attempt(
        ref=item["pk"].removeprefix("ATT#"),
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
        phone=item.get("phone"),
        phone_key=item.get("phone_key"),
        token_hash=item.get("token_hash"),
        held_promo=item.get("held_promo"),
        held_stock=tuple((int(number), Decimal(quantity)) for number, quantity in item.get("held_stock", {}).items()),
        held_slot=_slot(item.get("held_slot")),
        gateway_id=item.get("gateway_id"),
        merchant_request_id=item.get("merchant_request_id"),
        payment_url=item.get("payment_url"),
        captured=Money(int(captured), currency) if captured is not None else None,
        receipt=item.get("receipt"),
        failure=_failure(item),
        review=item.get("review"),
        writer=item.get("writer", ""),
    )
