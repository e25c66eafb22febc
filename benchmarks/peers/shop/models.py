"""The tables, as Django's models declare them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class Table(models.Model):
    """What all tables share."""

    class Meta:
        abstract = True
        app_label = "shop"


class Listing(Table):
    product_name, farm_name, unit = models.TextField(), models.TextField(), models.TextField()
    price, available, sold = models.IntegerField(), models.FloatField(), models.FloatField(default=0)


class Cart(Table):
    sub, lines, version = models.TextField(unique=True), models.JSONField(default=list), models.IntegerField(default=0)


class Session(Table):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    sub, status, amount = models.TextField(), models.TextField(default="pending"), models.IntegerField()
    snapshot, sequence = models.JSONField(), models.IntegerField(default=0)
    created_at, expires_at = models.DateTimeField(), models.DateTimeField()

    class Meta(Table.Meta):
        indexes = (models.Index(fields=["sub", "-created_at"]),)


class Event(Table):
    session = models.ForeignKey(Session, models.PROTECT)
    number, name, at = models.IntegerField(), models.TextField(), models.DateTimeField()
    facts, delivered = models.JSONField(default=dict), models.BooleanField(default=False)

    class Meta(Table.Meta):
        constraints = (models.UniqueConstraint(fields=["session", "number"], name="one_event"),)
        indexes = (models.Index(fields=["at"], condition=Q(delivered=False), name="outbox"),)


class Attempt(Table):
    ref, session = models.TextField(unique=True), models.ForeignKey(Session, models.PROTECT)
    sub, phone, status = models.TextField(), models.TextField(), models.TextField(default="started")
    checkout, receipt = models.TextField(null=True), models.TextField(null=True, unique=True)
    created_at = models.DateTimeField()

    class Meta(Table.Meta):
        indexes = (models.Index(fields=["sub", "created_at"]), models.Index(fields=["phone", "created_at"]))


class Notice(Table):
    digest, ref, body, at = models.TextField(unique=True), models.TextField(), models.TextField(), models.DateTimeField()


class Sequence(Table):
    day, n = models.DateField(primary_key=True), models.IntegerField()


class Order(Table):
    number, session = models.TextField(unique=True), models.OneToOneField(Session, models.PROTECT)
    sub, total, total_items = models.TextField(), models.IntegerField(), models.IntegerField()
    lines, created_at = models.JSONField(), models.DateTimeField()

    class Meta(Table.Meta):
        indexes = (models.Index(fields=["sub", "-created_at"]),)
