"""Where, when and for how much produce is delivered: every word that is taken, and every other refused by its own name."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.exchanges import document
from tests.contract.walk import Customer, Stack, new_customer

A_SESSION: Final = document("payment_sessions")["create_session"].body
DETAILS: Final = A_SESSION["delivery_details"]
PATH: Final = "/api/payments/sessions"
WISHES: Final = ("special_instructions", "delivery_time_slot", "estimated_delivery_date")


@pytest.fixture(scope="module")
def customer(stack: Stack) -> Customer:
    """Somebody with tomatoes in the cart, which stay there until a session of theirs is paid."""
    somebody = new_customer(stack)
    somebody.add_tomatoes()
    return somebody


def beside(**wishes: Any) -> dict[str, Any]:
    return {"delivery_details": DETAILS, **wishes}


def inside(**wishes: Any) -> dict[str, Any]:
    return {"delivery_details": {**DETAILS, **wishes}}


def refused(customer: Customer, body: Any, field: str) -> str:
    """The one sentence about the one field that is wrong."""
    answer = customer.send("POST", PATH, body)
    assert answer.status_code == 400, answer.text
    told = answer.json()
    assert (told["status"], told["error_code"], list(told["errors"])) == ("error", "INVALID_INPUT", [field])
    [said] = told["errors"][field]
    assert told["message"] == f"{field}: {said}"
    return str(said)


@pytest.mark.parametrize("place", [beside, inside])
@pytest.mark.parametrize("slot", ["morning", "afternoon", "evening", "anytime", ""])
def test_each_part_of_the_day_is_taken_and_answered_inside_the_details(customer: Customer, place: Any, slot: str) -> None:
    session = customer.post(PATH, place(delivery_time_slot=slot))
    assert session["delivery_details"]["delivery_time_slot"] == slot
    assert "delivery_time_slot" not in session


@pytest.mark.parametrize("slot", ["noon", "Morning!", "08:00-10:00", "morning,evening", 1, ["morning"], True])
def test_any_other_part_of_the_day_is_refused_with_those_that_there_are(customer: Customer, slot: Any) -> None:
    said = refused(customer, beside(delivery_time_slot=slot), "delivery_time_slot")
    assert said == "One of these is expected: morning, afternoon, evening, anytime."
    assert refused(customer, inside(delivery_time_slot=slot), "delivery_details.delivery_time_slot") == said


@pytest.mark.parametrize(
    "day",
    ["2024-02-31", "2023-02-29", "15-01-2024", "2024/01/15", "tomorrow", "", "2024-1-5", 20240115, "2024-01-15T00:00:00Z"],
)
def test_what_is_no_day_is_refused_on_its_field(customer: Customer, day: Any) -> None:
    said = refused(customer, beside(estimated_delivery_date=day), "estimated_delivery_date")
    assert "day" in said
    assert refused(customer, inside(estimated_delivery_date=day), "delivery_details.estimated_delivery_date") == said


def test_what_was_not_wished_for_is_empty_or_null(customer: Customer) -> None:
    blank = {"delivery_time_slot": " "}
    for nothing in (beside(), *(place(**given) for place in (beside, inside) for given in (dict.fromkeys(WISHES), blank))):
        details = customer.post(PATH, nothing)["delivery_details"]
        assert [details[name] for name in WISHES] == ["", "", None]


def test_a_wish_beside_the_details_wins_over_one_inside(customer: Customer) -> None:
    body = {**inside(delivery_time_slot="evening", special_instructions="Ring"), "delivery_time_slot": "morning"}
    details = customer.post(PATH, body)["delivery_details"]
    assert (details["delivery_time_slot"], details["special_instructions"]) == ("morning", "Ring")


@pytest.mark.parametrize(
    ("county", "place", "field"),
    [
        (0, 5, "delivery_details.county_id"),
        (48, 5, "delivery_details.county_id"),
        (1, 291, "delivery_details.subcounty_id"),
        (1, 7, "delivery_details.subcounty_id"),
        (47, 5, "delivery_details.subcounty_id"),
    ],
)
def test_county_and_sub_county_exist_and_belong_together(customer: Customer, county: int, place: int, field: str) -> None:
    refused(customer, inside(county_id=county, subcounty_id=place), field)


def test_the_counties_and_their_sub_counties_are_those_of_the_electoral_commission(stack: Stack) -> None:
    nobody = Customer(stack.base_url, None)
    counties = nobody.get("/api/locations/counties")["results"]
    assert [county["id"] for county in counties] == list(range(1, 48))
    names = {county["id"]: county["name"] for county in counties}
    assert (names[1], names[3], names[32], names[42], names[47]) == ("Mombasa", "Kilifi", "Nakuru", "Kisumu", "Nairobi City")

    places = {county: nobody.get(f"/api/locations/counties/{county}/subcounties")["results"] for county in names}
    assert [place["id"] for county in names for place in places[county]] == list(range(1, 291))
    assert {place["id"]: place["name"] for place in places[1]} == {
        1: "Changamwe",
        2: "Jomvu",
        3: "Kisauni",
        4: "Nyali",
        5: "Likoni",
        6: "Mvita",
    }
    assert (len(places[5]), len(places[47])) == (2, 17)


@pytest.mark.parametrize("county", ["0", "48", "Mombasa", "-1", "1.0"])
def test_a_county_that_there_is_not_has_no_sub_counties(stack: Stack, county: str) -> None:
    answer = Customer(stack.base_url, None).send("GET", f"/api/locations/counties/{county}/subcounties")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
