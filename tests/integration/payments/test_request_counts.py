"""The number of requests to the table is what follows us to AWS: it is exact, and it is bounded here."""

from __future__ import annotations

from payfirst.domain.ids import GivenId
from payfirst.storage.lists import Position
from payfirst.usecases.lookup import find_session, list_sessions
from tests.integration.payments.requests import counted
from tests.integration.payments.shop import Shop, new_customer


def test_creating_a_session_takes_two_requests(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer)

    with counted(shop.table) as requests:
        shop.session_from_cart(customer)

    assert requests.operations == ["BatchGetItem", "TransactWriteItems"]


def test_initiating_takes_three_requests(shop: Shop) -> None:
    session = shop.session(new_customer())

    with counted(shop.table) as requests:
        shop.initiate(session)

    assert requests.operations == ["GetItem", "TransactWriteItems", "TransactWriteItems"]


def test_paying_for_a_cart_takes_four_requests_one_of_them_for_what_is_offered_now(shop: Shop) -> None:
    customer = new_customer()
    cart = shop.booking_cart(customer)

    with counted(shop.table) as requests:
        shop.process(cart, customer)

    assert requests.operations == ["GetItem", "BatchGetItem", "TransactWriteItems", "UpdateItem"]


def test_a_success_notice_takes_four_rounds(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    raw, token = shop.notice(started), shop.address(started)

    with counted(shop.table, each_takes_s=0.2) as requests:
        shop.tell(started, raw, token=token)

    assert requests.rounds == 4
    assert requests.operations[0] == "BatchGetItem"
    assert sorted(requests.operations[1:4]) == ["BatchGetItem", "PutItem", "UpdateItem"]
    assert requests.operations[4:] == ["TransactWriteItems", "TransactWriteItems"]


def test_a_duplicate_notice_takes_one_read_and_no_write(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    raw, token = shop.notice(started), shop.address(started)
    shop.tell(started, raw, token=token)

    with counted(shop.table) as requests:
        shop.tell(started, raw, token=token)

    assert requests.operations == ["BatchGetItem"]


def test_asking_for_the_status_takes_one_request_and_two_by_public_code(shop: Shop) -> None:
    session = shop.session(new_customer())
    started = shop.initiate(session)

    with counted(shop.table) as by_number:
        find_session(GivenId(session.number), customer=session.customer, table=shop.table)
    with counted(shop.table) as by_code:
        find_session(GivenId(code=started.attempt.transaction), customer=session.customer, table=shop.table)

    assert by_number.operations == ["GetItem"]
    assert by_code.operations == ["GetItem", "GetItem"]


def test_listing_takes_one_query_for_page_and_count(shop: Shop) -> None:
    customer = new_customer()
    for _ in range(3):
        shop.session(customer)

    with counted(shop.table) as requests:
        page = list_sessions(customer, table=shop.table, size=2, position=None)

    assert requests.operations == ["Query"]
    assert page.page.count == 3
    assert page.page.older


def test_every_page_forth_and_back_shows_each_session_once(shop: Shop) -> None:
    customer = new_customer()
    made = [shop.session(customer).number for _ in range(7)]
    made.sort(reverse=True)

    seen, position = [], None
    while True:
        page = list_sessions(customer, table=shop.table, size=3, position=position)
        numbers = [session.number for session in page.sessions]
        seen.append(numbers)
        assert page.page.count == 7
        if not page.page.older:
            break
        position = Position(numbers[-1], towards_older=True)

    assert [number for numbers in seen for number in numbers] == made
    back = list_sessions(customer, table=shop.table, size=3, position=Position(seen[2][0], towards_older=False))
    assert [session.number for session in back.sessions] == seen[1]
    assert back.page.newer
    first = list_sessions(customer, table=shop.table, size=3, position=Position(seen[1][0], towards_older=False))
    assert [session.number for session in first.sessions] == seen[0]
    assert not first.page.newer
