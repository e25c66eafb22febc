"""Letters through SES: what is sent, and whose fault a refusal is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from local.resources import verify_senders
from payfirst.domain.clock import Deadline
from payfirst.domain.session import Kind
from payfirst.mail.messages import Message
from payfirst.mail.post import Post, sesv2
from payfirst.storage.dynamodb.expressions import Item
from payfirst.usecases.sweeps.deliver_events import Delivery
from payfirst.usecases.sweeps.send_mail import MailReport, due_as_mail, send_mail
from tests.faults.flows import paid_order
from tests.faults.model_table import ModelTable
from tests.faults.world import World, at_work
from tests.unit.aws.conftest import InProcessAws

SHOP = "Green Valley Produce <orders@shop.example>"
LETTER = Message(subject="Your order is confirmed ✓", text="Ksh350.00", html="<p>Ksh350.00</p>")


@pytest.fixture
def post(aws: InProcessAws) -> Post:
    return Post(aws.own(sesv2), {Kind.ORDER: SHOP, Kind.BOOKING: ""})


def ordered(world: World, post: Post, aws: InProcessAws, count: int) -> None:
    """So many orders were paid for, and their letters are due."""
    bus = aws.client("events")
    bus.create_event_bus(Name="shop")
    with at_work(world):
        world.stock()
        for _ in range(count):
            paid_order(world)
        world.deliver_all()
    Delivery(world.table, bus, "shop", world.now, due_as_mail(post)).all_due(Deadline(lambda: 60.0))


def send(world: World, post: Post) -> MailReport:
    return send_mail(world.table, post, now=world.now, deadline=Deadline(lambda: 60.0))


def waiting(world: World) -> list[Item]:
    return [item for item in world.items() if str(item.get("due_pk", "")).startswith("mail")]


def sent(aws: InProcessAws) -> int:
    """How many letters SES has taken."""
    return int(aws.client("ses").get_send_quota()["SentLast24Hours"])


@pytest.mark.parametrize(
    ("sender", "leaves_from", "shop"),
    [
        (SHOP, SHOP, "Green Valley Produce"),
        ("orders@shop.example", "orders@shop.example", "orders@shop.example"),
        ("St. Mary's Farm <orders@shop.example>", '"St. Mary\'s Farm" <orders@shop.example>', "St. Mary's Farm"),
        ("Puja, Ltd <orders@shop.example>", '"Puja, Ltd" <orders@shop.example>', "Puja, Ltd"),
        ("Farm: fresh <orders@shop.example>", '"Farm: fresh" <orders@shop.example>', "Farm: fresh"),
        ('"Duka @ Nairobi" <orders@shop.example>', '"Duka @ Nairobi" <orders@shop.example>', "Duka @ Nairobi"),
        ("पूजा <orders@shop.example>", "=?utf-8?b?4KSq4KWC4KSc4KS+?= <orders@shop.example>", "पूजा"),
    ],
)
def test_a_sender_s_name_may_hold_what_an_address_line_may_not(
    aws: InProcessAws, sender: str, leaves_from: str, shop: str
) -> None:
    post = Post(aws.own(sesv2), {Kind.ORDER: sender, Kind.BOOKING: ""})
    verify_senders(post.client, ("orders@shop.example",))
    requests = aws.heard(post.client, "SendEmail")

    post.send(Kind.ORDER, "jane@example.com", LETTER, "event")

    assert [request["FromEmailAddress"] for request in requests] == [leaves_from]
    assert post.shop(Kind.ORDER) == shop


def test_a_letter_leaves_in_both_forms_under_the_event_s_id(post: Post, aws: InProcessAws) -> None:
    verify_senders(post.client, (SHOP,))
    requests = aws.heard(post.client, "SendEmail")
    assert post.send(Kind.ORDER, "a@example.com", LETTER, "the-session-3")
    assert sent(aws) == 1
    [request] = requests
    assert (request["FromEmailAddress"], request["Destination"]) == (SHOP, {"ToAddresses": ["a@example.com"]})
    assert request["EmailTags"] == [{"Name": "event", "Value": "the-session-3"}]
    said = request["Content"]["Simple"]
    assert said["Subject"]["Data"] == LETTER.subject
    assert {name: form["Data"] for name, form in said["Body"].items()} == {"Text": LETTER.text, "Html": LETTER.html}


def test_a_sender_that_nobody_has_verified_is_refused_once(post: Post, aws: InProcessAws) -> None:
    requests = aws.heard(post.client, "SendEmail")
    with pytest.raises(ClientError, match="MessageRejected"):
        post.send(Kind.ORDER, "a@example.com", LETTER, "the-session-3")
    assert (len(requests), sent(aws)) == (1, 0)


def test_a_letter_that_is_refused_is_tried_later_and_leaves_once(post: Post, aws: InProcessAws) -> None:
    world = World(ModelTable())
    ordered(world, post, aws, 1)
    assert send(world, post) == MailReport(sent=0, skipped=0, failed=1, finished=True)
    assert [item["tries"] for item in waiting(world)] == [1]
    verify_senders(post.client, (SHOP,))
    world.now += timedelta(minutes=3)
    assert send(world, post) == MailReport(sent=1, skipped=0, failed=0, finished=True)
    assert (waiting(world), sent(aws)) == ([], 1)
    assert send(world, post).sent == 0


@pytest.mark.parametrize("code", ["TooManyRequestsException", "AccountSuspendedException", "AccessDeniedException"])
def test_what_every_letter_would_meet_ends_the_run_and_counts_against_none(post: Post, aws: InProcessAws, code: str) -> None:
    world = World(ModelTable())
    ordered(world, post, aws, 3)
    with Stubber(post.client) as stubbed:
        for _ in range(2):
            stubbed.add_client_error("send_email", code)
        assert send(world, post) == MailReport(sent=0, skipped=0, failed=2, finished=False)
        stubbed.assert_no_pending_responses()
    assert [item.get("tries") for item in waiting(world)] == [None] * 3
    verify_senders(post.client, (SHOP,))
    world.now += timedelta(minutes=3)
    assert send(world, post).sent == 3


def test_a_shop_without_a_sender_writes_to_nobody(post: Post) -> None:
    assert post.writes_for(Kind.ORDER)
    assert not post.writes_for(Kind.BOOKING)
    assert post.shop(Kind.ORDER) == "Green Valley Produce"
