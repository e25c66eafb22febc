"""Kenyan mobile numbers, as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.gateways.mpesa.phone import normalise_phone


@pytest.mark.parametrize(
    "written",
    [
        "0712345678",
        "0712 345 678",
        "0712-345-678",
        " 0712345678 ",
        "254712345678",
        "254 712 345678",
        "+254712345678",
        "+254 712-345-678",
        "712345678",
        "0712\u00a0345\u202f678",
        "0712\u2011345\u2013678",
        "0712\u2212345\uff0d678",
        "\u202a+254 712 345 678\u202c",
        "\u20660712\u200b345678\u2069\ufeff",
        "(0712) 345-678",
        "0712.345.678",
        "[0712] 345 678",
        "00254712345678",
        "000254 712 345 678",
        "+254 (0) 712 345 678",
        "+254(0)712345678",
        "00254 (0)712-345-678",
        "2540712345678",
        "+ 254 712 345 678",
        "0712\t345\n678",
    ],
)
def test_each_way_of_writing_a_number_is_the_same_number(written: str) -> None:
    assert normalise_phone(written) == "254712345678"


@pytest.mark.parametrize("written", ["0112345678", "+254112345678", "254 112 345 678"])
def test_the_newer_numbers_that_begin_with_one_are_mobile_too(written: str) -> None:
    assert normalise_phone(written) == "254112345678"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "hello",
        "071234567",
        "07123456789",
        "0202345678",
        "+254202345678",
        "0812345678",
        "+919812345678",
        "+255712345678",
        "+1 712 345 678",
        "0712345678 ext 5",
        "0712345678;phone-context=+254",
        "tel:0712345678",
        "0712/345678",
        "++254712345678",
        "+712345678",
        "+0712345678",
        "0000254712345678",
        "00712345678",
        "0712345678+",
        "254254712345678",
        "0712345678\x00",
        "0712,345,678",
        "07١٢٣٤٥٦٧٨",  # noqa: RUF001 - digits of another script
        "2" * 5000,
    ],
)
def test_what_is_no_kenyan_mobile_number_is_an_error(written: str) -> None:
    with pytest.raises(ValueError, match=r"phone number|mobile number"):
        normalise_phone(written)


def test_the_error_does_not_repeat_the_number() -> None:
    with pytest.raises(ValueError, match="mobile") as raised:
        normalise_phone("0202345678")
    assert "202345678" not in str(raised.value)
    assert raised.value.__cause__ is None


@given(st.text(alphabet="0123456789 -+") | st.text())
def test_every_text_is_a_number_or_a_value_error(written: str) -> None:
    try:
        number = normalise_phone(written)
    except ValueError:
        return
    assert len(number) == 12
    assert number.startswith(("2547", "2541"))


@given(st.from_regex(r"[17][0-9]{8}", fullmatch=True))
def test_every_mobile_number_is_taken(national: str) -> None:
    assert normalise_phone("0" + national) == normalise_phone("+254" + national) == "254" + national
