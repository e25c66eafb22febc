"""Statements as the gateways' portals export them, read line by line and laid beside the shop's table."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.reconcile.books import Became, Books
from ops.reconcile.statement_ledger import compare_statements
from ops.reconcile.statements import StatementError, read_statements
from payfirst.domain.ids import new_identifier
from payfirst.gateways.statements import Back, Paid
from tests.unit.ops.layouts import AA, BB, MPESA_LAYOUTS, PHONEPE_LAYOUTS, PORTAL, RAA, REFUNDS, SETTLEMENT


def file(folder: Path, text: str | bytes, name: str = "statement.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("layout", MPESA_LAYOUTS)
def test_every_layout_of_mpesas_statement_says_the_same(tmp_path: Path, layout: str) -> None:
    (read,) = read_statements([file(tmp_path, MPESA_LAYOUTS[layout])])

    assert read.unread == []
    assert {(paid.number, paid.account, paid.amount) for paid in read.payments} == {
        ("TC20000002", "XNABCDEF12345", 125000),
        ("TC20000001", "1", 35000),
    }
    assert [(back.number, back.original, back.amount) for back in read.refunds] == [("TC20000003", "TC20000001", 35000)]
    assert read.refunds[0].at == datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
    assert read.periods == ((min(paid.at for paid in read.payments), read.refunds[0].at),)


@pytest.mark.parametrize("layout", PHONEPE_LAYOUTS)
def test_every_layout_of_phonepes_reports_says_the_same(tmp_path: Path, layout: str) -> None:
    (read,) = read_statements([file(tmp_path, PHONEPE_LAYOUTS[layout])])

    assert read.unread == []
    assert read.payments == (
        Paid(AA, "", 51000, datetime(2026, 3, 2, 4, 30, tzinfo=UTC)),
        Paid(BB, "", 99900, datetime(2026, 3, 2, 10, 30, tzinfo=UTC)),
    )
    assert read.refunds == (Back(RAA, AA, 51000, datetime(2026, 3, 2, 11, 30, tzinfo=UTC)),)


def test_charges_and_transfers_are_neither_payments_nor_refunds_and_are_summed_up(tmp_path: Path) -> None:
    more = """TC20000010,02-03-2026 12:00:00,,Funds received from a bank,Completed,"600,000.00",,,true,Transfer,,,
TC20000011,02-03-2026 12:10:00,,Organization Settle to Bank,Completed,,"-4,000.00",,true,Withdraw Funds to Bank,,,
"""
    (read,) = read_statements([file(tmp_path, PORTAL + more)])

    assert sorted(read.others) == [-400000, -500, 60000000]
    assert len(read.payments) + len(read.refunds) == 3


@pytest.mark.parametrize("layouts", [MPESA_LAYOUTS, PHONEPE_LAYOUTS], ids=["mpesa", "phonepe"])
def test_a_line_counts_once_however_many_files_hold_it(tmp_path: Path, layouts: dict[str, bytes]) -> None:
    files = [file(tmp_path, text, f"{number}.csv") for number, text in enumerate(layouts.values())]

    (read,) = read_statements(files)

    assert (len(read.payments), len(read.refunds), read.unread) == (2, 1, [])


def test_two_transactions_of_one_phonepe_order_are_two_payments(tmp_path: Path) -> None:
    twice = f"PAYMENT,{AA},T9,,UPI_REDEMPTION,2026-03-02,510.00,-1.00,2026-03-02 10:00:01,2026-03-03\n"
    (read,) = read_statements([file(tmp_path, SETTLEMENT + twice)])

    assert [paid.number for paid in read.payments] == [AA, BB, AA]


def test_a_report_of_refunds_goes_with_a_report_of_payments(tmp_path: Path) -> None:
    payments = "".join(SETTLEMENT.splitlines(keepends=True)[:3])
    (read,) = read_statements([file(tmp_path, payments), file(tmp_path, REFUNDS, "refunds.csv")])

    assert [(back.number, back.original, back.amount) for back in read.refunds] == [(RAA, AA, 51000)]
    assert len(read.payments) == 2


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("350.00,,", "35o.00,,", "line 7, column Paid In: '35o.00' is no amount in KES."),
        ("350.00,,", "350.001,,", "line 7, column Paid In: '350.001' is no amount in KES."),
        ("350.00,,", "1e400,,", "line 7, column Paid In: '1e400' is no amount in KES."),
        ("350.00,,", "NaN,,", "line 7, column Paid In: 'NaN' is no amount in KES."),
        ("02-03-2026 11:00:10", "0001-01-01 00:00:00", "line 7, column Completion Time: '0001-01-01 00:00:00' is no time"),
        ("02-03-2026 11:00:10", "15:50", "line 7, column Completion Time: '15:50' is no time"),
        ("02-03-2026 11:00:10", "32-13-2026 11:00", "line 7, column Completion Time: '32-13-2026 11:00' is no time"),
        ("TC20000001,02-03-2026 11:00:10", ",02-03-2026 11:00:10", "line 7, column Receipt No.: it is empty."),
        ("Acc. 1,Completed", "Acc. 1,", "line 7, column Transaction Status: it is empty."),
        ("Pay Bill Online from 2547****679 Acc. 1,", '"Pay Bill Online from 2547****679 Acc. 1,', "line 7: it is no CSV"),
        ('350.00,,"8,750.00"', "350.00,,8,750.00", "line 7: it has more cells than the header has columns."),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path, before: str, after: str, told: str) -> None:
    (read,) = read_statements([file(tmp_path, PORTAL.replace(before, after, 1))])

    (sentence,) = read.unread
    assert f"statement.csv, {told}" in sentence
    assert [paid.number for paid in read.payments] == ["TC20000002"]
    assert [back.number for back in read.refunds] == ["TC20000003"]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("REFUND,", "CHARGEBACK,", "line 4, column PaymentType: 'CHARGEBACK' is neither PAYMENT nor REFUND."),
        (",999.00", ",", "line 3, column Amount: it is empty."),
        (",999.00", ",-999.00", "line 3, column Amount: a payment is below zero."),
        (",2026-03-02 16:00:00", ",", "line 3, column TransactionDate: '2026-03' is no time"),
    ],
)
def test_a_line_of_a_report_that_says_something_else_is_named(tmp_path: Path, before: str, after: str, told: str) -> None:
    text = SETTLEMENT.replace(before, after).replace("UPI_REDEMPTION,2026-03-02,999.00,-1.00,,", "UPI,2026-03,999.00,-1.00,,")
    (read,) = read_statements([file(tmp_path, text)])

    assert [sentence for sentence in read.unread if told in sentence]


def test_a_line_that_stands_there_again_with_another_amount_is_named(tmp_path: Path) -> None:
    (read,) = read_statements([file(tmp_path, SETTLEMENT), file(tmp_path, SETTLEMENT.replace("999.00", "998.99"), "again.csv")])

    assert read.unread == [f"again.csv, line 3: {BB} stands there once more, with another amount."]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"PK\x03\x04rest", "statement.csv is an Excel workbook or another archive: export the statement as CSV"),
        (b"\xd0\xcf\x11\xe0rest", "is an Excel workbook: export the statement as CSV"),
        (b"%PDF-1.7", "is a PDF: export the statement as CSV"),
        (b"<html><table>", "is a web page or XML: export the statement as CSV"),
        (b" \n", "is empty"),
        (b"Name,Phone\nJane,0712\n", "no line has all of the columns that are needed"),
        (PORTAL.replace("Withdrawn", "Out").encode(), "no line has all of the columns that are needed"),
        (PORTAL.split("TC2")[0].encode(), "The statement of mpesa lists no payment and no refund."),
    ],
)
def test_a_file_that_is_no_statement_is_refused_with_what_to_do(tmp_path: Path, raw: bytes, told: str) -> None:
    with pytest.raises(StatementError) as refused:
        read_statements([file(tmp_path, raw)])
    assert told in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StatementError, match=r"missing\.csv cannot be read"):
        read_statements([tmp_path / "missing.csv"])


# Beside the table


def attempt(ref: str, gateway: str, amount: int, at: datetime, **more: Any) -> list[dict[str, Any]]:
    """A paid attempt that became an order or a booking, as the table holds it."""
    number = new_identifier(at, bytes).number
    kind, currency, letter, done = (
        ("order", "KES", "O", "confirmed") if gateway == "MPESA" else ("booking", "INR", "B", "CONFIRMED")
    )
    paid: dict[str, Any] = {"pk": f"ATT#{ref}", "sk": "ATT", "status": "succeeded", "gateway": gateway}
    paid |= {"kind": kind, "currency": currency, "captured": amount, "refundable": amount}
    paid |= {"owner": ref, "session_number": number, "number": number, "transaction": f"TXN{ref[-10:].upper()}"}
    paid |= {"captured_at": at.isoformat().replace("+00:00", "Z"), **more}
    session: dict[str, Any] = {"pk": f"U#{ref}", "sk": f"S#{number:016d}", "captured": ref, "outcome": {"number": number}}
    session |= {"amount": amount, "snapshot": {"price": amount, "discount": 0}}
    outcome: dict[str, Any] = {"pk": f"U#{ref}", "sk": f"{letter}#{number:016d}", "session_number": number, "amount": amount}
    outcome |= {"currency": currency, "status": done}
    receipt = more.get("receipt")
    bound = [{"pk": f"RECEIPT#MPESA#{receipt}", "sk": "RECEIPT", "ref": ref}] if receipt else []
    return [paid, session, outcome, *bound]


def refunded(ref: str, gateway: str, amount: int, at: datetime, **more: Any) -> list[dict[str, Any]]:
    """A paid attempt whose money went back within the hour."""
    paid, session, _, *bound = attempt(ref, gateway, amount, at, status="refund_due", **more)
    paid["refundable"] = 0
    del session["outcome"]
    began, ended = (moment.isoformat().replace("+00:00", "Z") for moment in (at, at.replace(hour=at.hour + 1)))
    refund = {"pk": paid["pk"], "sk": "R#001", "number": 1, "refund_id": f"R{ref}-1", "amount": amount, "status": "refunded"}
    return [paid, session, *bound, refund | {"currency": paid["currency"], "created_at": began, "ended_at": ended}]


BEGIN: Final = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)


def booked() -> list[dict[str, Any]]:
    return [*refunded(AA, "PHONEPE", 51000, BEGIN), *attempt(BB, "PHONEPE", 99900, BEGIN.replace(hour=10))]


def compared(folder: Path, text: str, items: list[dict[str, Any]]) -> Books:
    return compare_statements(read_statements([file(folder, text)]), items)


def told(books: Books) -> list[tuple[str, str, str, str]]:
    return [(found.attempt, str(found.field), found.ours, found.theirs) for found in books.differences]


def test_a_statement_that_agrees_has_no_difference(tmp_path: Path) -> None:
    books = compared(tmp_path, SETTLEMENT, booked())

    assert books.differences == []
    assert [line.became for line in books.lines] == [Became.REFUND, Became.BOOKING]


def test_a_payment_that_the_shop_does_not_know_is_a_difference(tmp_path: Path) -> None:
    books = compared(tmp_path, SETTLEMENT, booked()[:3])

    assert told(books) == [(BB, "payment", "nothing", "999.00 INR collected")]


def test_an_amount_that_differs_by_one_paisa_is_a_difference(tmp_path: Path) -> None:
    books = compared(tmp_path, SETTLEMENT.replace("999.00", "998.99"), booked())

    assert told(books) == [(BB, "captured", "999.00 INR", "998.99 INR")]


def test_a_refund_that_is_not_on_the_statement_is_a_difference(tmp_path: Path) -> None:
    lines = SETTLEMENT.splitlines(keepends=True)[:3]
    lines.append("PAYMENT,MT00000000000ff,T4,,UPI,2026-03-02,1.00,0.00,2026-03-02 18:00:00,2026-03-03\n")
    books = compared(tmp_path, "".join(lines), booked() + attempt("MT00000000000ff", "PHONEPE", 100, BEGIN.replace(hour=12)))

    assert told(books) == [(AA, "refunded", "510.00 INR in 1 refund", "0.00 INR in 0 refunds")]


def test_a_refund_of_a_payment_of_an_earlier_statement_is_known(tmp_path: Path) -> None:
    later = "".join(line for line in SETTLEMENT.splitlines(keepends=True) if AA not in line or "REFUND" in line)

    assert compared(tmp_path, later, booked()).differences == []


def test_a_refund_after_the_statements_end_is_not_missed(tmp_path: Path) -> None:
    earlier = "".join(SETTLEMENT.splitlines(keepends=True)[:3])
    late = refunded(AA, "PHONEPE", 51000, BEGIN)
    late[-1]["ended_at"] = "2026-03-05T08:00:00Z"

    assert compared(tmp_path, earlier, [*late, *booked()[3:]]).differences == []


def test_what_was_paid_inside_the_statements_time_has_to_be_on_it_and_nothing_else(tmp_path: Path) -> None:
    inside = attempt("MT00000000000dd", "PHONEPE", 100, BEGIN.replace(hour=6))
    after = attempt("MT00000000000ee", "PHONEPE", 100, BEGIN.replace(day=4))
    other_gateway = attempt("MT00000000000ff", "MPESA", 100, BEGIN.replace(hour=6))
    for item in other_gateway:
        if "snapshot" in item:
            item["snapshot"] = {"lines": [{"subtotal": 100}], "delivery_fee": 0, "rounding": 0}

    books = compared(tmp_path, SETTLEMENT, [*booked(), *inside, *after, *other_gateway])

    assert told(books) == [("MT00000000000dd", "payment", "1.00 INR collected", "nothing")]
    assert [line.attempt for line in books.lines if line.outside] == ["MT00000000000ee", "MT00000000000ff"]
    assert [line.attempt for line in books.compared] == [AA, BB, "MT00000000000dd"]


def test_a_capture_of_an_earlier_time_is_no_part_of_what_is_compared_though_its_refund_is(tmp_path: Path) -> None:
    refund = refunded(AA, "PHONEPE", 51000, BEGIN.replace(day=1))
    refund[-1]["ended_at"] = "2026-03-02T11:30:00Z"
    later = "".join(line for line in SETTLEMENT.splitlines(keepends=True) if AA not in line or "REFUND" in line)

    books = compared(tmp_path, later, [*refund, *booked()[3:]])

    assert books.differences == []
    assert [(line.attempt, line.amount, line.returned) for line in books.compared] == [(BB, 99900, ()), (AA, 0, (51000,))]


def by_mpesa() -> list[dict[str, Any]]:
    when = datetime(2026, 3, 2, 8, 0, 5, tzinfo=UTC)
    by_receipt = refunded("MT0000000000001", "MPESA", 35000, when, receipt="TC20000001")
    return [*by_receipt, *attempt("MT0000000000002", "MPESA", 125000, when, transaction="TXXNABCDEF12345")]


def test_mpesas_payments_are_known_by_their_receipt_or_by_their_account(tmp_path: Path) -> None:
    books = compared(tmp_path, PORTAL.replace("XNABCDEF12345", "NABCDEF12345"), by_mpesa())

    assert books.differences == []
    assert [line.became for line in books.lines] == [Became.ORDER, Became.REFUND]


def test_two_receipts_for_one_account_are_two_captures(tmp_path: Path) -> None:
    again = PORTAL.replace("XNABCDEF12345", "NABCDEF12345").splitlines(keepends=True)
    again.append(again[-4].replace("TC20000002", "TC20000008"))

    assert told(compared(tmp_path, "".join(again), by_mpesa())) == [("MT0000000000002", "captures", "1", "2")]


def test_a_reversal_that_names_no_known_payment_is_a_difference(tmp_path: Path) -> None:
    text = PORTAL.replace("XNABCDEF12345", "NABCDEF12345").replace("TC20000001,\n", "TC20000077,\n")

    assert told(compared(tmp_path, text.replace("of TC20000001", "of TC20000077"), by_mpesa())) == [
        ("TC20000003", "refunded", "nothing", "350.00 KES in 1 refund"),
    ]


@given(
    which=st.sampled_from(sorted({**MPESA_LAYOUTS, **PHONEPE_LAYOUTS}.items())),
    at=st.floats(0, 1),
    cut=st.integers(0, 40),
    put=st.binary(max_size=12) | st.text("\"',;\t\n-()0123456789.eE\x00ª٣", max_size=8).map(str.encode),
)
def test_whatever_happened_to_a_file_it_is_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, which: tuple[str, bytes], at: float, cut: int, put: bytes
) -> None:
    _, raw = which
    begin, refused = int(at * len(raw)), ""
    damaged = file(tmp_path_factory.getbasetemp(), raw[:begin] + put + raw[begin + cut :], "damaged.csv")

    try:
        unread = [sentence for statement in read_statements([damaged]) for sentence in statement.unread]
    except StatementError as error:
        unread, refused = [], str(error)

    assert not refused or "damaged.csv" in refused or "lists no payment" in refused
    assert all(sentence.startswith("damaged.csv, line ") for sentence in unread)
