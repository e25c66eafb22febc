"""FastAPI and SQLAlchemy on PostgreSQL, asynchronous throughout; its tables are those that Django's models declare."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import ssl
import uuid
from datetime import timedelta
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import MetaData, and_, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from benchmarks.peers import shapes
from benchmarks.peers.shapes import RefusedError
from benchmarks.walk import Ask

address = f"{os.environ['PGUSER']}@{os.environ['PGHOST']}:{os.environ['PGPORT']}/{os.environ['DATABASE']}"
engine = create_async_engine(f"postgresql+psycopg://{address}", pool_size=1)
tables = MetaData()
loop = asyncio.new_event_loop()


async def _reflect() -> None:
    async with engine.connect() as connection:
        await connection.run_sync(tables.reflect)


loop.run_until_complete(_reflect())
listing, cart, session, event, attempt, notice, sequence, order = (
    tables.tables[f"shop_{name}"] for name in ("listing", "cart", "session", "event", "attempt", "notice", "sequence", "order")
)
app = FastAPI(default_response_class=JSONResponse)


class AddItemIn(BaseModel):
    listing_id: int
    quantity: float


class DeliveryIn(BaseModel):
    full_name: str
    phone_number: str
    county_id: int
    subcounty_id: int
    detailed_address: str


class SessionIn(BaseModel):
    delivery_details: DeliveryIn
    special_instructions: str = ""
    delivery_time_slot: str = ""


class InitiateIn(BaseModel):
    phone_number: str


class Gateway:
    """The gateway over one kept client."""

    def __init__(self) -> None:
        context = ssl.create_default_context()
        self._client, self._token = httpx.AsyncClient(base_url=os.environ["GATEWAY_URL"], verify=context), ""

    async def ask(self, where: str, body: dict[str, str]) -> dict[str, Any]:
        if not self._token:
            found = await self._client.get("/mpesa/oauth/v1/generate", params={"grant_type": "client_credentials"})
            self._token = found.json()["access_token"]
        answer = await self._client.post(where, json=body, headers={"Authorization": f"Bearer {self._token}"})
        told: dict[str, Any] = answer.json()
        return told


gateway = Gateway()


def claims_of(x_claims: Annotated[str, Header()]) -> dict[str, str]:
    """What the proxy before the application has verified, as API Gateway does."""
    claims: dict[str, str] = json.loads(x_claims)
    return claims


Claims = Annotated[dict[str, str], Depends(claims_of)]


@app.exception_handler(RefusedError)
async def refused(_: Request, exc: RefusedError) -> JSONResponse:
    return JSONResponse({"message": str(exc)}, 400)


async def told(db: AsyncConnection, which: uuid.UUID, number: int, name: str, at: Any, **facts: Any) -> None:
    row = {"session_id": which, "number": number, "name": name, "at": at, "facts": facts, "delivered": False}
    await db.execute(insert(event), row)


@app.post("/api/carts/add_item/")
async def add_item(wanted: AddItemIn, claims: Claims) -> JSONResponse:
    at = shapes.now()
    async with engine.begin() as db:
        found = (await db.execute(select(listing).where(listing.c.id == wanted.listing_id))).mappings().one()
        if found["available"] < wanted.quantity:
            raise RefusedError("There is not enough in stock.")
        lines = [shapes.line(1, found, wanted.quantity)]
        row = upsert(cart).values(sub=claims["sub"], lines=lines, version=1)
        await db.execute(
            row.on_conflict_do_update(index_elements=["sub"], set_={"lines": row.excluded.lines, "version": cart.c.version + 1})
        )
    return JSONResponse(shapes.cart(lines, int(found["available"]), at))


@app.post("/api/payments/sessions/")
async def create_session(given: SessionIn, claims: Claims) -> JSONResponse:
    wanted, at, sub, which = given.model_dump(), shapes.now(), claims["sub"], uuid.uuid4()
    shapes.check_delivery(wanted["delivery_details"])
    async with engine.begin() as db:
        found = (await db.execute(select(cart.c.lines).where(cart.c.sub == sub).with_for_update())).first()
        lines = found.lines if found else []
        frozen = shapes.snapshot_of(lines, wanted, at)
        asked = select(listing.c.id, listing.c.price).where(listing.c.id.in_([one["listing_id"] for one in lines]))
        prices = {row.id: row.price for row in await db.execute(asked)}
        if any(prices.get(one["listing_id"]) != one["price"] for one in lines):
            raise RefusedError("A price has changed.")
        opened = func.count().filter(and_(session.c.status == "pending", session.c.expires_at > at))
        hour = func.count().filter(session.c.created_at > at - timedelta(hours=1))
        counts = (await db.execute(select(opened, hour).where(session.c.sub == sub))).one()
        if counts[0] >= shapes.OPEN_SESSIONS or counts[1] >= shapes.SESSIONS_AN_HOUR:
            raise RefusedError("Too many sessions.")
        amount = shapes.total_of(lines) + shapes.FEE
        row = {"id": which, "sub": sub, "amount": amount, "status": "pending", "sequence": 0, "created_at": at}
        more = {"snapshot": {**frozen, "lines": lines}, "expires_at": at + shapes.LIFETIME}
        await db.execute(insert(session), {**row, **more})
        await told(db, which, 0, "session.created", at, amount=amount)
    return JSONResponse(shapes.session(str(which), int(claims["custom:user_id"]), frozen, amount, at), 201)


@app.get("/api/payments/sessions/")
async def list_sessions(claims: Claims) -> JSONResponse:
    mine = session.c.sub == claims["sub"]
    columns = (
        session.c.id,
        session.c.status,
        session.c.amount,
        session.c.created_at,
        order.c.id.label("order_id"),
        order.c.number,
    )
    asked = select(*columns).outerjoin(order, order.c.session_id == session.c.id).where(mine)
    async with engine.connect() as db:
        found = (await db.execute(asked.order_by(session.c.created_at.desc()).limit(20))).mappings().all()
        count = (await db.execute(select(func.count()).select_from(session).where(mine))).scalar_one()
    return JSONResponse(shapes.page(count, [shapes.listed_session(row, row["order_id"], row["number"]) for row in found]))


@app.post("/api/payments/sessions/{which}/initiate_payment/")
async def initiate(which: uuid.UUID, wanted: InitiateIn, claims: Claims) -> JSONResponse:
    at, sub, phone, token = shapes.now(), claims["sub"], wanted.phone_number, secrets.token_hex(16)
    async with engine.begin() as db:
        mine = and_(session.c.id == which, session.c.sub == sub, session.c.status == "pending", session.c.expires_at > at)
        found = (await db.execute(select(session.c.amount).where(mine).with_for_update())).first()
        if found is None:
            raise RefusedError("Session has expired")
        recent = select(func.count()).select_from(attempt).where(attempt.c.created_at > at - timedelta(hours=1))
        for mine, most in ((attempt.c.sub == sub, shapes.PROMPTS_AN_HOUR), (attempt.c.phone == phone, shapes.PROMPTS_A_PHONE)):
            if (await db.execute(recent.where(mine))).scalar_one() >= most:
                raise RefusedError("Too many prompts.")
        ref = hashlib.sha256(token.encode()).hexdigest()
        row = {"ref": ref, "session_id": which, "sub": sub, "phone": phone, "status": "started", "created_at": at}
        number = (await db.execute(insert(attempt).values(row).returning(attempt.c.id))).scalar_one()
        await db.execute(update(session).where(session.c.id == which).values(status="payment_initiated", sequence=1))
        await told(db, which, 1, "payment.initiated", at, phone=phone)
    answer = await gateway.ask("/mpesa/stkpush/v1/processrequest", shapes.push(found.amount, phone, token, at))
    checkout = answer["CheckoutRequestID"]
    async with engine.begin() as db:
        await db.execute(update(attempt).where(attempt.c.id == number).values(status="sent", checkout=checkout))
        await told(db, which, 2, "payment.sent", at, checkout=checkout)
    return JSONResponse(shapes.initiated(str(which), number, checkout))


@app.post("/cb/stk/{token}")
async def callback(token: str, request: Request) -> JSONResponse:
    at, ref, raw = shapes.now(), hashlib.sha256(token.encode()).hexdigest(), await request.body()
    columns = (attempt.c.id, attempt.c.status, attempt.c.checkout, session.c.amount)
    asked = select(*columns).join(session, session.c.id == attempt.c.session_id).where(attempt.c.ref == ref)
    async with engine.begin() as db:
        seen = (await db.execute(asked)).first()
        if seen is None or seen.status == "captured":
            return JSONResponse(shapes.ACCEPTED)
        row = {"digest": hashlib.sha256(raw).hexdigest(), "ref": ref, "body": raw.decode(), "at": at}
        await db.execute(upsert(notice).values(row).on_conflict_do_nothing())
    receipt = shapes.receipt_in(json.loads(raw), seen.checkout, seen.amount)
    if (await gateway.ask("/mpesa/stkpushquery/v1/query", shapes.query(seen.checkout, at)))["ResultCode"] != "0":
        raise RefusedError("The gateway says something else.")
    async with engine.begin() as db:
        joined = select(attempt.c.status, session).join(session, session.c.id == attempt.c.session_id)
        locked = (await db.execute(joined.where(attempt.c.id == seen.id).with_for_update())).mappings().one()
        if locked["status"] != "captured":
            await _fulfil(db, seen.id, locked, receipt, at)
    return JSONResponse(shapes.ACCEPTED)


async def _fulfil(db: AsyncConnection, number: int, row: Any, receipt: str, at: Any) -> None:
    await db.execute(update(attempt).where(attempt.c.id == number).values(status="captured", receipt=receipt))
    await told(db, row["id"], 3, "payment.received", at, receipt=receipt)
    one_more = upsert(sequence).values(day=at.date(), n=1)
    one_more = one_more.on_conflict_do_update(index_elements=["day"], set_={"n": sequence.c.n + 1}).returning(sequence.c.n)
    order_number = shapes.order_number(at, (await db.execute(one_more)).scalar_one())
    lines, items = row["snapshot"]["lines"], row["snapshot"]["cart"]["total_items"]
    for one in lines:
        stock = update(listing).where(listing.c.id == one["listing_id"], listing.c.available >= one["quantity"])
        sold = {"available": listing.c.available - one["quantity"], "sold": listing.c.sold + one["quantity"]}
        if (await db.execute(stock.values(sold))).rowcount != 1:
            raise RefusedError("Sold out; the payment is refunded.")
    made = {"number": order_number, "session_id": row["id"], "sub": row["sub"], "total": row["amount"]}
    await db.execute(insert(order), {**made, "total_items": items, "lines": lines, "created_at": at})
    await db.execute(update(session).where(session.c.id == row["id"]).values(status="order_created", sequence=4))
    await db.execute(delete(cart).where(cart.c.sub == row["sub"]))
    await told(db, row["id"], 4, "order.created", at, order=order_number)


@app.get("/api/payments/sessions/{which}/status/")
async def status(which: uuid.UUID, claims: Claims) -> JSONResponse:
    columns = (
        session.c.id,
        session.c.status,
        session.c.created_at,
        session.c.expires_at,
        order.c.id.label("order_id"),
        order.c.number,
    )
    asked = select(*columns).outerjoin(order, order.c.session_id == session.c.id)
    async with engine.connect() as db:
        found = (await db.execute(asked.where(session.c.id == which, session.c.sub == claims["sub"]))).mappings().first()
    if found is None:
        raise RefusedError("Session not found")
    return JSONResponse(shapes.status(found, found["order_id"], found["number"]))


@app.get("/api/orders/")
async def list_orders(claims: Claims) -> JSONResponse:
    mine = order.c.sub == claims["sub"]
    columns = (order.c.id, order.c.number, order.c.total, order.c.total_items, order.c.created_at)
    async with engine.connect() as db:
        found = (await db.execute(select(*columns).where(mine).order_by(order.c.created_at.desc()).limit(20))).mappings().all()
        count = (await db.execute(select(func.count()).select_from(order).where(mine))).scalar_one()
    return JSONResponse(shapes.page(count, [shapes.listed_order(row) for row in found]))


class Fast:
    """The application as an ASGI server calls it, on one event loop."""

    def prepare(self, ask: Ask) -> Any:
        raw = b"" if ask.body is None else json.dumps(ask.body).encode()
        claims = [(b"x-claims", json.dumps(ask.customer.claims("issuer", "audience")).encode())] if ask.customer else []
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": ask.method, "scheme": "https",
            "path": ask.path, "raw_path": ask.path.encode(), "query_string": ask.query.encode(), "root_path": "",
            "headers": [(b"host", b"shop.example"), (b"content-type", b"application/json"), *claims],
            "client": ("192.0.2.1", 443), "server": ("shop.example", 443),
        }  # fmt: skip
        return scope, raw

    def serve(self, request: Any) -> Any:
        scope, raw = request
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        loop.run_until_complete(app(scope, receive, send))
        return sent

    def read(self, answer: Any) -> tuple[int, Any]:
        return answer[0]["status"], json.loads(b"".join(message.get("body", b"") for message in answer[1:]))


def make() -> Fast:
    """The peer of this module."""
    return Fast()
