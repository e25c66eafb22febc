"""Django and its REST framework on PostgreSQL: models, serializers for what comes in, row locks, a transaction a step."""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import uuid
from datetime import timedelta
from typing import Any

import django
import requests
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["shop.example"],
    SECRET_KEY="not-secret",  # noqa: S106 - signs nothing here
    USE_TZ=True,
    DEBUG_PROPAGATE_EXCEPTIONS=True,
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["rest_framework", "benchmarks.peers.shop"],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["DATABASE"],
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "USER": os.environ["PGUSER"],
            "CONN_MAX_AGE": None,
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402 - Django is set up before its models are made
from django.db import connection, models, transaction  # noqa: E402
from django.db.models import F, Q  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import authentication, serializers  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from benchmarks.peers import shapes  # noqa: E402
from benchmarks.peers.shapes import RefusedError  # noqa: E402
from benchmarks.peers.shop.models import Attempt, Cart, Event, Listing, Notice, Order, Sequence, Session  # noqa: E402
from benchmarks.walk import Ask  # noqa: E402


class AddItemIn(serializers.Serializer):
    listing_id, quantity = serializers.IntegerField(), serializers.FloatField(min_value=0.1)


class DeliveryIn(serializers.Serializer):
    full_name, phone_number = serializers.CharField(max_length=100), serializers.CharField(max_length=20)
    county_id, subcounty_id = serializers.IntegerField(), serializers.IntegerField()
    detailed_address = serializers.CharField(max_length=500)


class SessionIn(serializers.Serializer):
    delivery_details = DeliveryIn()
    special_instructions = serializers.CharField(default="", allow_blank=True)
    delivery_time_slot = serializers.CharField(default="", allow_blank=True)


class InitiateIn(serializers.Serializer):
    phone_number = serializers.CharField(max_length=20)


class Verified(authentication.BaseAuthentication):
    """The proxy before the application has verified the token, as API Gateway does; its claims come in a header."""

    def authenticate(self, request: Any) -> Any:
        claims = request.META.get("HTTP_X_CLAIMS")
        return (json.loads(claims), None) if claims else None


class View(APIView):
    authentication_classes = (Verified,)

    def given(self, serializer: type[serializers.Serializer]) -> dict[str, Any]:
        read = serializer(data=self.request.data)
        read.is_valid(raise_exception=True)
        return read.validated_data

    def handle_exception(self, exc: Exception) -> Response:
        return Response({"message": str(exc)}, 400) if isinstance(exc, RefusedError) else super().handle_exception(exc)


class Gateway:
    """The gateway over one kept session."""

    def __init__(self) -> None:
        self._session, self._base, self._token = requests.Session(), os.environ["GATEWAY_URL"], ""

    def ask(self, where: str, body: dict[str, str]) -> dict[str, Any]:
        if not self._token:
            url = f"{self._base}/mpesa/oauth/v1/generate?grant_type=client_credentials"
            self._token = self._session.get(url, timeout=10).json()["access_token"]
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._session.post(self._base + where, json=body, headers=headers, timeout=10).json()


gateway = Gateway()


def told(session: Session, number: int, name: str, at: Any, **facts: Any) -> None:
    Event.objects.create(session=session, number=number, name=name, at=at, facts=facts)


class AddItem(View):
    def post(self, request: Any) -> Response:
        wanted, at, sub = self.given(AddItemIn), shapes.now(), request.user["sub"]
        with transaction.atomic():
            listing = Listing.objects.values().get(pk=wanted["listing_id"])
            if listing["available"] < wanted["quantity"]:
                raise RefusedError("There is not enough in stock.")
            lines = [shapes.line(1, listing, wanted["quantity"])]
            Cart.objects.update_or_create(sub=sub, defaults={"lines": lines, "version": F("version") + 1},
                                          create_defaults={"lines": lines})  # fmt: skip
        return Response(shapes.cart(lines, int(listing["available"]), at))


class Sessions(View):
    def post(self, request: Any) -> Response:
        wanted, at, sub = self.given(SessionIn), shapes.now(), request.user["sub"]
        shapes.check_delivery(wanted["delivery_details"])
        with transaction.atomic():
            cart = Cart.objects.select_for_update().filter(sub=sub).first()
            frozen = shapes.snapshot_of(cart.lines if cart else [], wanted, at)
            prices = dict(Listing.objects.filter(pk__in=[one["listing_id"] for one in cart.lines]).values_list("id", "price"))
            if any(prices.get(one["listing_id"]) != one["price"] for one in cart.lines):
                raise RefusedError("A price has changed.")
            mine = Session.objects.filter(sub=sub)
            counts = mine.aggregate(
                opened=models.Count("pk", filter=Q(status="pending", expires_at__gt=at)),
                hour=models.Count("pk", filter=Q(created_at__gt=at - timedelta(hours=1))),
            )
            if counts["opened"] >= shapes.OPEN_SESSIONS or counts["hour"] >= shapes.SESSIONS_AN_HOUR:
                raise RefusedError("Too many sessions.")
            amount = shapes.total_of(cart.lines) + shapes.FEE
            kept = {"sub": sub, "amount": amount, "snapshot": {**frozen, "lines": cart.lines}}
            session = Session.objects.create(**kept, created_at=at, expires_at=at + shapes.LIFETIME)
            told(session, 0, "session.created", at, amount=amount)
        user = int(request.user["custom:user_id"])
        return Response(shapes.session(str(session.pk), user, frozen, amount, at), 201)

    def get(self, request: Any) -> Response:
        mine = Session.objects.filter(sub=request.user["sub"])
        fields = ("id", "status", "amount", "created_at", "order__id", "order__number")
        found = mine.order_by("-created_at").values(*fields)[:20]
        shown = [shapes.listed_session(one, one["order__id"], one["order__number"]) for one in found]
        return Response(shapes.page(mine.count(), shown))


class Initiate(View):
    def post(self, request: Any, which: uuid.UUID) -> Response:
        phone, at, sub = self.given(InitiateIn)["phone_number"], shapes.now(), request.user["sub"]
        token = secrets.token_hex(16)
        with transaction.atomic():
            session = Session.objects.select_for_update().filter(pk=which, sub=sub, status="pending", expires_at__gt=at).first()
            if session is None:
                raise RefusedError("Session has expired")
            recent = Attempt.objects.filter(created_at__gt=at - timedelta(hours=1))
            if (
                recent.filter(sub=sub).count() >= shapes.PROMPTS_AN_HOUR
                or recent.filter(phone=phone).count() >= shapes.PROMPTS_A_PHONE
            ):
                raise RefusedError("Too many prompts.")
            ref = hashlib.sha256(token.encode()).hexdigest()
            attempt = Attempt.objects.create(ref=ref, session=session, sub=sub, phone=phone, created_at=at)
            session.status, session.sequence = "payment_initiated", 1
            session.save(update_fields=["status", "sequence"])
            told(session, 1, "payment.initiated", at, phone=phone)
        answer = gateway.ask("/mpesa/stkpush/v1/processrequest", shapes.push(session.amount, phone, token, at))
        with transaction.atomic():
            attempt.status, attempt.checkout = "sent", answer["CheckoutRequestID"]
            attempt.save(update_fields=["status", "checkout"])
            told(session, 2, "payment.sent", at, checkout=attempt.checkout)
        return Response(shapes.initiated(str(which), attempt.pk, attempt.checkout))


class Callback(View):
    def post(self, request: Any, token: str) -> Response:
        at, ref, raw = shapes.now(), hashlib.sha256(token.encode()).hexdigest(), request.body
        seen = Attempt.objects.select_related("session").filter(ref=ref).first()
        if seen is None or seen.status == "captured":
            return Response(shapes.ACCEPTED)
        notice = Notice(digest=hashlib.sha256(raw).hexdigest(), ref=ref, body=raw.decode(), at=at)
        Notice.objects.bulk_create([notice], ignore_conflicts=True)
        receipt = shapes.receipt_in(json.loads(raw), seen.checkout, seen.session.amount)
        if gateway.ask("/mpesa/stkpushquery/v1/query", shapes.query(seen.checkout, at))["ResultCode"] != "0":
            raise RefusedError("The gateway says something else.")
        with transaction.atomic():
            attempt = Attempt.objects.select_for_update().select_related("session").get(pk=seen.pk)
            if attempt.status != "captured":
                self._fulfil(attempt, receipt, at)
        return Response(shapes.ACCEPTED)

    def _fulfil(self, attempt: Attempt, receipt: str, at: Any) -> None:
        session = attempt.session
        attempt.status, attempt.receipt = "captured", receipt
        attempt.save(update_fields=["status", "receipt"])
        told(session, 3, "payment.received", at, receipt=receipt)
        with connection.cursor() as cursor:
            sql = "INSERT INTO shop_sequence (day, n) VALUES (%s, 1) ON CONFLICT (day) DO UPDATE SET n = shop_sequence.n + 1"
            cursor.execute(f"{sql} RETURNING n", [at.date()])
            number = shapes.order_number(at, cursor.fetchone()[0])
        lines, items = session.snapshot["lines"], session.snapshot["cart"]["total_items"]
        for one in lines:
            stock = Listing.objects.filter(pk=one["listing_id"], available__gte=one["quantity"])
            if not stock.update(available=F("available") - one["quantity"], sold=F("sold") + one["quantity"]):
                raise RefusedError("Sold out; the payment is refunded.")
        facts = {"sub": session.sub, "total": session.amount, "total_items": items, "lines": lines}
        Order.objects.create(number=number, session=session, created_at=at, **facts)
        session.status, session.sequence = "order_created", 4
        session.save(update_fields=["status", "sequence"])
        Cart.objects.filter(sub=session.sub).delete()
        told(session, 4, "order.created", at, order=number)


class Status(View):
    def get(self, request: Any, which: uuid.UUID) -> Response:
        fields = ("id", "status", "created_at", "expires_at", "order__id", "order__number")
        found = Session.objects.filter(pk=which, sub=request.user["sub"]).values(*fields).first()
        if found is None:
            raise RefusedError("Session not found")
        return Response(shapes.status(found, found["order__id"], found["order__number"]))


class Orders(View):
    def get(self, request: Any) -> Response:
        mine = Order.objects.filter(sub=request.user["sub"])
        fields = ("id", "number", "total", "total_items", "created_at")
        return Response(
            shapes.page(mine.count(), [shapes.listed_order(one) for one in mine.order_by("-created_at").values(*fields)[:20]])
        )


urlpatterns = [
    path("api/carts/add_item/", AddItem.as_view()),
    path("api/payments/sessions/", Sessions.as_view()),
    path("api/payments/sessions/<uuid:which>/initiate_payment/", Initiate.as_view()),
    path("api/payments/sessions/<uuid:which>/status/", Status.as_view()),
    path("api/orders/", Orders.as_view()),
    path("cb/stk/<str:token>", Callback.as_view()),
]


def create_tables() -> None:
    """Make the tables, with the one listing that is for sale."""
    with connection.schema_editor() as editor:
        for model in (Listing, Cart, Session, Event, Attempt, Notice, Sequence, Order):
            editor.create_model(model)
    about = {"product_name": "Fresh Tomatoes", "farm_name": "Green Valley Farm", "unit": "kg"}
    Listing.objects.create(id=123, price=15000, available=10**9, **about)


class Django:
    """The application as a WSGI server calls it."""

    def __init__(self) -> None:
        self._application = WSGIHandler()

    def prepare(self, ask: Ask) -> Any:
        raw = b"" if ask.body is None else json.dumps(ask.body).encode()
        claims = {"HTTP_X_CLAIMS": json.dumps(ask.customer.claims("issuer", "audience"))} if ask.customer else {}
        return {
            "REQUEST_METHOD": ask.method, "PATH_INFO": ask.path, "QUERY_STRING": ask.query, "SCRIPT_NAME": "",
            "SERVER_NAME": "shop.example", "SERVER_PORT": "443", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "shop.example",
            "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(raw)), "wsgi.input": io.BytesIO(raw),
            "wsgi.url_scheme": "https", "wsgi.errors": io.StringIO(), **claims,
        }  # fmt: skip

    def serve(self, request: Any) -> Any:
        status: list[str] = []
        answer = self._application(request, lambda line, _: status.append(line))
        body = b"".join(answer)
        answer.close()
        return status[0], body

    def read(self, answer: Any) -> tuple[int, Any]:
        return int(answer[0].split()[0]), json.loads(answer[1])


def make() -> Django:
    """The peer of this module."""
    return Django()
