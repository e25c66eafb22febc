"""Catalogue files as editors, spreadsheets and attackers leave them: read as meant, or refused with line and remedy."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from ops.catalogue_file import CatalogueError, as_raw, as_yaml, read_catalogue
from ops.yaml_file import YamlError, read_yaml
from payfirst.domain.catalogue import Listing
from payfirst.domain.promo import Promo

KALE: Final = """listings:
  - id: 7
    product_name: Kale
    farm_name: Hill Farm
    unit: kg
    price: "20.50"
    available: "5"
"""
PROMO: Final = """promos:
  - code: NINE
    currency: INR
    percent: 9
    valid_from: 2026-01-01T00:00:00+05:30
"""


def written(tmp_path: Path, content: str | bytes) -> Path:
    file = tmp_path / "shop.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def mistakes(tmp_path: Path, content: str | bytes) -> list[str]:
    with pytest.raises(CatalogueError) as refused:
        read_catalogue(written(tmp_path, content))
    return str(refused.value).splitlines()


@pytest.mark.parametrize(
    "content",
    [
        KALE.encode(),
        b"\xef\xbb\xbf" + KALE.encode(),
        KALE.replace("\n", "\r\n").encode(),
        KALE.replace("\n", "\r").encode(),
        KALE.encode("utf-16"),
        b"\xfe\xff" + KALE.encode("utf-16-be"),
        ("---\n" + KALE + "...\n").encode(),
        ("%YAML 1.2\n---\n" + KALE).encode(),
        ("# a comment\t\n\n" + KALE.replace("id: 7", "id: 7 # seven")).encode(),
        KALE.replace(": ", ":\t").encode(),
        KALE.replace("Kale", "'Kale'").replace("kg", '"kg"').encode(),
        KALE.replace("Kale", "\u00a0Ka\u200ble ").encode(),
        KALE.replace("  - id", "- id").replace("\n    ", "\n  ").encode(),
        KALE.replace('"5"', "5").replace('"20.50"', "!!str 20.50").encode(),
        KALE.replace("id: 7", "id: 007").encode(),
        b'{"listings": [{"id": 7, "product_name": "Kale", "farm_name": "Hill Farm", "unit": "kg",'
        b'"price": "20.50", "available": 5}]}',
    ],
)
def test_the_same_catalogue_in_many_layouts_is_the_same(tmp_path: Path, content: bytes) -> None:
    [kale] = read_catalogue(written(tmp_path, content))
    assert isinstance(kale, Listing)
    assert (kale.number, kale.product_name, str(kale.price), kale.available) == (7, "Kale", "20.50", Decimal(5))


@pytest.mark.parametrize(
    ("price", "meant"),
    [("0170", "170.00"), ('"0170"', "170.00"), ("170", "170.00"), ('"170.5"', "170.50"), ("+170", None), ('" 170 "', "170.00")],
)
def test_a_number_has_decimal_digits(tmp_path: Path, price: str, meant: str | None) -> None:
    [kale] = read_catalogue(written(tmp_path, KALE.replace('"20.50"', price)))
    assert isinstance(kale, Listing)
    assert str(kale.price) == (meant or "170.00")


@pytest.mark.parametrize(
    "price",
    [
        *(
            "1:30",
            "190:20:30",
            "0x1F",
            "0o17",
            "0b101",
            "1_000",
            "1,000",
            "1e400",
            "1e3",
            ".inf",
            "-.inf",
            ".nan",
            "1.5",
            "20.50",
        ),
        *(
            '"1e3"',
            '"1e400"',
            '"1_000"',
            '"0x1F"',
            '"1:30"',
            '"NaN"',
            '"Infinity"',
            '".5"',
            '"5."',
            '""',
            '"1 000"',
            "'\u0663'",
        ),
        *("yes", "no", "on", "off", "true", "~", "2026-01-01", "-1", '"-1"', "9" * 31, '"' + "9" * 5000 + '"', "1000000001"),
        *(
            "[20]",
            "{a: 1}",
            "'20.501'",
            '"20 KES"',
            "!!float 20",
            "!!int 1:30",
            "!!python/object:os.system x",
            "|\n      20\n      30",
        ),
    ],
)
def test_what_is_no_amount_is_refused_with_line_and_field_and_never_guessed(tmp_path: Path, price: str) -> None:
    found = mistakes(tmp_path, KALE.replace('"20.50"', price))
    assert len(found) == 1
    assert found[0].startswith("shop.yaml, line 6: ")
    assert "listings.0.price: " in found[0] or "the tag" in found[0]
    assert len(found[0]) < 250


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "y", "n", "2026-01-01", "1:30", "0x1F", "1_000", "NO", "=", "<<"])
def test_a_word_stays_a_word(tmp_path: Path, word: str) -> None:
    [kale] = read_catalogue(written(tmp_path, KALE.replace("Kale", word)))
    assert isinstance(kale, Listing)
    assert kale.product_name == word
    again = read_catalogue(written(tmp_path, as_yaml({"listings": [as_raw(kale)]})))
    assert again == [kale]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Kale", "true", "line 3: listings.0.product_name: a text is expected; put it in quotes (it is True)"),
        ("Kale", "17", "line 3: listings.0.product_name: a text is expected; put it in quotes (it is 17)"),
        ("Kale", "\u200b\u00a0", "line 3: listings.0.product_name: String should have at least 1 character"),
        ("Kale", "x" * 501, "at most 500 characters"),
        ("Kale", '"a\\eb"', "Control characters are not allowed"),
        ("id: 7", 'id: "7"', "line 2: listings.0.id: a whole number without quotes is expected"),
        ("id: 7", "id: 9999999999999999999999999", "less than 1000000000"),
        ("    unit: kg\n", "", "line 2: listings.0.unit: this is missing; add it"),
        ("unit: kg", "unit: kg\n    active: yes", "line 6: listings.0.active: true or false is expected (it is 'yes')"),
        ("unit: kg", "unit: kg\n    zone: Africa", "there is no time zone"),
        ("unit: kg", "unit: kg\n    colour: red", "line 6: there is no listings.0.colour here; take it away"),
        ("listings", "listing", "line 1: there is no listing here; a catalogue holds listings, services, promos"),
        ("unit: kg", "unit: kg\n    unit: g", "line 6: unit is there twice, here and in line 5; keep one of them"),
        ("unit: kg", "unit: {a: 1, b: 2, a: 3}", "line 5: a is there twice, here and in line 5"),
        ("unit: kg", "\tunit: kg", "line 5: a tab indents this line"),
        ("unit: kg", 'unit: "kg', "this is no YAML"),
        ("unit: kg", "unit: *kg", "line 5: *kg names nothing"),
        ("unit: kg", "? [unit]\n    : kg", "line 5: a key is a name"),
        ("unit: kg", "unit: !!binary a2c=", "line 5: the tag tag:yaml.org,2002:binary is not known here"),
        ("unit: kg", "<<: {unit: kg}", "line 5: there is no listings.0.<< here"),
        ("listings:", "promos: {code: NINE}\nlistings:", "line 1: promos: a list is expected"),
    ],
)  # fmt: skip
def test_a_mistake_says_line_field_and_what_would_do(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in KALE
    assert any(said in line for line in mistakes(tmp_path, KALE.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: the file has to hold listings, services, promos"),
        (b"\n# nothing\n", "has to hold"),
        (b"- id: 1\n", "line 1: the file has to hold"),
        (b"kale\n", "has to hold"),
        (KALE.replace("Kale", "Caf\u00e9").encode("cp1252"), "line 3: this is not UTF-8; save the file as UTF-8"),
        (KALE.replace("Kale", "\u201cKale\u201d").encode("cp1252"), "line 3: this is not UTF-8"),
        (KALE.encode("utf-16")[:-1], "not UTF-8"),
        (KALE.replace("Kale", "Ka\x00le").encode(), "line 3: the character"),
        (KALE.replace("Kale", "Ka\x1ble").encode(), "line 3: the character"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00", "line 1"),
        ((KALE + "---\n" + KALE).encode(), "line 8: a second document begins here"),
        ((KALE + KALE).encode(), "line 8: listings is there twice, here and in line 1"),
        ((KALE + KALE.partition("\n")[2]).encode(), "line 8: listing 7 is there twice, here and in line 2"),
        (b"id,product_name,price\n1,Kale,20\n", "has to hold"),
        (b"a: " + b"[" * 100_000, "over 50 deep"),
        (b"- " * 100_000, "over 50 deep"),
        (b"a: &a [*a]\n", "line 1: *a names nothing that has ended before"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    found = mistakes(tmp_path, content)
    assert found[0].startswith("shop.yaml, line ")
    assert said in found[0]


def test_a_few_lines_that_stand_for_billions_are_refused_at_once(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
    )
    began = time.monotonic()
    [said] = mistakes(tmp_path, bomb)
    assert "values" in said
    assert time.monotonic() - began < 5


def test_aliases_that_stand_for_little_are_taken(tmp_path: Path) -> None:
    text = KALE.replace("farm_name: Hill Farm", "farm_name: &farm Hill Farm") + KALE.partition("\n")[2].replace(
        "farm_name: Hill Farm", "farm_name: *farm"
    ).replace("id: 7", "id: 8")
    assert [each.farm_name for each in read_catalogue(written(tmp_path, text)) if isinstance(each, Listing)] == [
        "Hill Farm"
    ] * 2


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.yaml_file.LARGEST", 100)
    assert mistakes(tmp_path, KALE) == ["shop.yaml, line 1: the file is larger than 0 MB; split it"]


def test_a_thousand_mistakes_are_a_page(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "listings:\n" + "  - 1\n" * 1000)
    assert len(found) == 101
    assert found[-1] == "shop.yaml: and 900 more mistakes"


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-01-01", "an instant with an offset or a Z is expected"),
        ("2026-01-01T00:00:00", "an instant with an offset or a Z is expected"),
        ("1", "an instant with an offset or a Z is expected"),
        ("0001-01-01T00:00:00+05:30", "This day is too long ago"),
        ("9999-12-31T23:59:59-12:00", "This day is too far ahead"),
    ],
)
def test_an_instant_has_an_offset_and_a_day_of_our_time(tmp_path: Path, moment: str, said: str) -> None:
    [found] = mistakes(tmp_path, PROMO.replace("2026-01-01T00:00:00+05:30", moment))
    assert found.startswith(f"shop.yaml, line 5: promos.0.valid_from: {said}")


def test_an_instant_survives_the_way_out_and_in(tmp_path: Path) -> None:
    [promo] = read_catalogue(written(tmp_path, PROMO))
    assert isinstance(promo, Promo)
    assert promo.valid_from == datetime(2025, 12, 31, 18, 30, tzinfo=UTC)
    assert read_catalogue(written(tmp_path, as_yaml({"promos": [as_raw(promo)]}))) == [promo]


def test_lines_are_those_of_the_nearest_place(tmp_path: Path) -> None:
    document = read_yaml(written(tmp_path, KALE))
    assert (document.line(("listings", 0, "price")), document.line(("listings", 0, "zone", "x")), document.line(("x",))) == (
        6,
        2,
        1,
    )
    with pytest.raises(YamlError):
        read_yaml(written(tmp_path, "a: 1\na: 2\n"))
