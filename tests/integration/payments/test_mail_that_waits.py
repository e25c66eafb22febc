"""An e-mail that cannot leave waits by itself; a customer without an address is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.embedded_aws import EmbeddedAws
from payfirst.domain.session import Customer, Kind
from payfirst.storage.dynamodb import due_index
from payfirst.usecases.operators.waiting import stuck
from payfirst.usecases.sweeps.send_mail import MailReport
from tests.integration.payments.postman import Postman, ordered
from tests.integration.payments.shop import Shop

AMINA = "operator:amina"


def test_without_a_sender_no_letter_leaves_and_each_is_called_out(
    shop: Shop, embedded_aws: EmbeddedAws, customer: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    ordered(shop, customer)
    silent = Postman(embedded_aws, shop, {Kind.BOOKING: "", Kind.ORDER: ""})
    assert silent.both() == MailReport(sent=0, skipped=0, failed=0, finished=True)
    assert silent.mail_of(customer) == []
    [record] = [record for record in caplog.records if record.getMessage() == "mail.off"]
    assert record.levelname == "ERROR"
    assert (customer.email or "") not in str(vars(record))


def test_a_customer_without_an_address_is_passed_over_and_recorded(shop: Shop, postman: Postman, customer: Customer) -> None:
    ordered(shop, replace(customer, email=None))
    assert postman.both() == MailReport(sent=0, skipped=1, failed=0, finished=True)
    assert [item["mail"] for item in shop.items() if "mail" in item] == ["no_address"]


@pytest.fixture
def refused(postman: Postman) -> Iterator[list[int]]:
    """SES refuses while the list is not empty."""
    times = [1]

    def refuse(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        if times:
            http_response.status_code = 400
            parsed.clear()
            parsed["Error"] = {"Code": "MessageRejected", "Message": "no"}
            parsed["ResponseMetadata"] = {"HTTPStatusCode": 400}

    postman.client.meta.events.register("after-call.sesv2.SendEmail", refuse)
    yield times
    postman.client.meta.events.unregister("after-call.sesv2.SendEmail", refuse)


def test_a_letter_that_ses_refuses_waits_and_its_event_does_not(
    shop: Shop, postman: Postman, customer: Customer, refused: list[int]
) -> None:
    ordered(shop, customer)
    delivery = postman.events()
    assert delivery.failed == 0
    assert postman.letters().failed == 1
    assert postman.letters() == MailReport(sent=0, skipped=0, failed=0, finished=True)
    refused.clear()
    shop.now += timedelta(minutes=10)
    assert postman.letters().sent == 1
    assert not [item for item in shop.items() if str(item.get("due_pk", "")).startswith(due_index.MAIL)]


def test_a_letter_that_is_refused_five_times_waits_for_a_person(
    shop: Shop, postman: Postman, customer: Customer, refused: list[int]
) -> None:
    assert refused
    ordered(shop, customer)
    postman.events()
    for _ in range(6):
        postman.letters()
        shop.now += timedelta(hours=2)
    assert [entry.what for entry in stuck(shop.table, shop.now) if "E#" in entry.key] == ["needs review"]


def test_a_sender_that_dies_with_a_letter_is_followed_by_the_next_one(shop: Shop, postman: Postman, customer: Customer) -> None:
    class KilledError(BaseException):
        """Whoever runs is gone."""

    ordered(shop, customer)
    postman.events()

    def kill(**_: Any) -> None:
        raise KilledError

    postman.client.meta.events.register("before-call.sesv2.SendEmail", kill)
    try:
        with pytest.raises(KilledError):
            postman.letters()
    finally:
        postman.client.meta.events.unregister("before-call.sesv2.SendEmail", kill)
    assert postman.letters().sent == 0
    shop.now += timedelta(minutes=3)
    assert postman.letters().sent == 1
    assert len(postman.mail_of(customer)) == 1
