"""What people of the shop read of the notices that came about a payment."""

from __future__ import annotations

import pytest

from payfirst.storage import notices
from payfirst.storage.dynamodb import keys
from payfirst.storage.notices import MOST_READ, Entry
from payfirst.usecases.operators import review
from tests.integration.payments.shop import Shop, new_customer, new_phone


def test_the_page_of_an_older_attempt_has_that_attempt_and_what_came_about_it(shop: Shop) -> None:
    session = shop.session(new_customer())
    older = shop.initiate(session)
    shop.tell(older, shop.notice(older, code=1032))
    newer = shop.initiate(shop.read(session), new_phone())
    assert newer.attempt.ref != older.attempt.ref

    of_newer = review.story(shop.table, shop.read(session), newer.attempt.ref)
    assert [each.ref for each in of_newer.attempts] == [newer.attempt.ref]
    assert review.notices_of(shop.table, of_newer) == ((), False)
    for which in (older.attempt.ref, older.attempt.transaction, f"R{older.attempt.ref}-1"):
        story = review.story(shop.table, review.find(shop.table, which), which)
        assert [each.ref for each in story.attempts] == [newer.attempt.ref, older.attempt.ref]
        [notice], more = review.notices_of(shop.table, story)
        assert (notice.attempt, more) == (older.attempt.ref, False)
        assert "1032" in notice.body


@pytest.mark.parametrize(("stored", "more"), [(MOST_READ, False), (MOST_READ + 1, True)])
def test_more_notices_than_are_listed_are_said_to_be_there_only_where_they_are(shop: Shop, stored: int, *, more: bool) -> None:
    ref = shop.initiate(shop.session(new_customer())).attempt.ref
    for number in range(stored):
        place = Entry(keys.notice(ref, f"{number:064d}"), None, stored=False, settled=False)
        notices.store(shop.table, place, "stk", ref, b"{}", shop.now)
    found, others = notices.of_attempt(shop.table, ref)
    assert (len(found), others) == (MOST_READ, more)
