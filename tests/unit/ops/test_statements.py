"""Statements as the gateways' portals export them, read line by line and laid beside the shop's table."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from local.books import Became
from ops.ledger import compare_statements
from ops.statements import Paid, StatementError, read_statements
from payfirst.domain.ids import new_identifier

MPESA_FILE: Final = """\
Organization Name:,Green Valley Produce,,,,,,,,,,,
Short Code:,174379,,,,,,,,,,,
Time Period:,From 01-03-2026 00:00:00 To 02-03-2026 23:59:59,,,,,,,,,,,
Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,Balance Confirmed,Reason Type,\
Other Party Info,Linked Transaction ID,A/C No.
TC20000003,02-03-2026 11:30:00,02-03-2026 11:29:58,Reversal of TC20000001,Completed,,-350.00,"9,650.00",true,Reversal,,\
TC20000001,
TC20000002,02-03-2026 11:05:10,02-03-2026 11:05:00,Pay Bill Online from 2547****678 Acc. NABCDEF12345,Completed,"1,250.00",,\
"10,000.00",true,Pay Bill Online,,,XNABCDEF12345
TC20000001,02-03-2026 11:00:10,02-03-2026 11:00:00,Pay Bill Online from 2547****679 Acc. 1,Completed,350.00,,"8,750.00",true,\
Pay Bill Online,,,1
TC20000009,02-03-2026 10:59:10,02-03-2026 10:59:00,Pay Bill Online from 2547****679,Failed,350.00,,,false,Pay Bill Online,,,1
TC20000001,02-03-2026 11:00:10,02-03-2026 11:00:00,Pay Bill Charge,Completed,,-5.00,"8,745.00",true,Pay Bill Charge,,,
"""
PHONEPE_FILE: Final = """\
PaymentType,MerchantReferenceId,PhonePeReferenceId,From,Instrument,CreationDate,Amount,Fee,TransactionDate,SettlementDate
PAYMENT,MT00000000000aa,T1,,UPI_REDEMPTION,2026-03-02,510.00,-1.00,2026-03-02 10:00:00,2026-03-03
PAYMENT,MT00000000000bb,T2,,UPI_REDEMPTION,2026-03-02,999.00,-1.00,2026-03-02 16:00:00,2026-03-03
REFUND,RMT00000000000aa-1,T3,,UPI_REDEMPTION,2026-03-02,-510.00,0.00,2026-03-02 17:00:00,2026-03-03
"""


def file(folder: Path, text: str, name: str = "statement.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_mpesas_statement_is_read_below_its_heading_with_its_reversals_and_without_its_charges(tmp_path: Path) -> None:
    (read,) = read_statements([file(tmp_path, MPESA_FILE)])

    assert read.gateway == "mpesa"
    assert read.payments == (
        Paid("TC20000002", "XNABCDEF12345", 125000, datetime(2026, 3, 2, 8, 5, 10, tzinfo=UTC)),
        Paid("TC20000001", "1", 35000, datetime(2026, 3, 2, 8, 0, 10, tzinfo=UTC), refunded=35000),
    )
    assert (read.first, read.last) == (read.payments[1].at, read.payments[0].at)


def test_phonepes_settlement_report_is_read_with_its_refunds(tmp_path: Path) -> None:
    (read,) = read_statements([file(tmp_path, PHONEPE_FILE)])

    assert [(paid.number, paid.amount, paid.refunded) for paid in read.payments] == [
        ("MT00000000000aa", 51000, 51000),
        ("MT00000000000bb", 99900, 0),
    ]
    assert read.first == datetime(2026, 3, 2, 4, 30, tzinfo=UTC)


def test_a_line_that_two_files_share_counts_once(tmp_path: Path) -> None:
    again = PHONEPE_FILE.splitlines()
    more = "\n".join([again[0], again[1], "PAYMENT,MT00000000000cc,T9,,UPI,2026-03-03,1.00,0,2026-03-03 10:00:00,2026-03-04"])

    (read,) = read_statements([file(tmp_path, PHONEPE_FILE), file(tmp_path, more, "next.csv")])

    assert [paid.number[-2:] for paid in read.payments] == ["aa", "bb", "cc"]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("350.00,,", "35o.00,,", "statement.csv, line 7, column Paid In: '35o.00' is no amount in KES."),
        ("350.00,,", "350.001,,", "statement.csv, line 7, column Paid In: '350.001' is no amount in KES."),
        ("02-03-2026 11:05:10", "yesterday", "statement.csv, line 6, column Completion Time: 'yesterday' is no time"),
        ("TC20000002,", ",", "statement.csv, line 6, column Receipt No.: it is empty."),
        ("Withdrawn", "Out", "no line has all of the columns that are needed"),
        ("Organization Name:", '"Organization Name:', "it is no CSV"),
    ],
)
def test_a_broken_line_is_named_with_its_column(tmp_path: Path, before: str, after: str, told: str) -> None:
    with pytest.raises(StatementError) as refused:
        read_statements([file(tmp_path, MPESA_FILE.replace(before, after, 1))])
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("REFUND,", "CHARGEBACK,", "line 4, column PaymentType: 'CHARGEBACK' is neither PAYMENT nor REFUND."),
        ("999.00", "", "line 3, column Amount: it is empty."),
        ("PAYMENT", "REFUND", "lists no payment"),
    ],
)
def test_a_report_that_says_something_else_is_refused(tmp_path: Path, before: str, after: str, told: str) -> None:
    with pytest.raises(StatementError) as refused:
        read_statements([file(tmp_path, PHONEPE_FILE.replace(before, after))])
    assert told in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StatementError, match=r"missing\.csv cannot be read"):
        read_statements([tmp_path / "missing.csv"])


# Beside the table


def attempt(ref: str, gateway: str, amount: int, at: datetime, **more: Any) -> list[dict[str, Any]]:
    """A paid attempt that became an order or a booking, as the table holds it."""
    number = new_identifier(at, bytes).number
    kind, currency, letter = ("order", "KES", "O") if gateway == "MPESA" else ("booking", "INR", "B")
    paid: dict[str, Any] = {"pk": f"ATT#{ref}", "sk": "ATT", "status": "succeeded", "gateway": gateway}
    paid |= {"kind": kind, "currency": currency}
    paid |= {"owner": ref, "session_number": number, "number": number, "transaction": f"TXN{ref[-10:].upper()}"}
    paid |= {"captured": amount, "captured_at": at.isoformat().replace("+00:00", "Z"), **more}
    session: dict[str, Any] = {"pk": f"U#{ref}", "sk": f"S#{number:016d}", "captured": ref, "outcome": {"number": number}}
    outcome: dict[str, Any] = {"pk": f"U#{ref}", "sk": f"{letter}#{number:016d}", "session_number": number, "amount": amount}
    receipt = more.get("receipt")
    bound = [{"pk": f"RECEIPT#MPESA#{receipt}", "sk": "RECEIPT", "ref": ref}] if receipt else []
    return [paid, session, outcome, *bound]


BEGIN: Final = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)


def booked() -> list[dict[str, Any]]:
    back = attempt("MT00000000000aa", "PHONEPE", 51000, BEGIN)
    back[0]["status"] = "refund_due"
    refund = {"pk": "ATT#MT00000000000aa", "sk": "R#001", "amount": 51000, "status": "refunded"}
    return [*back, refund, *attempt("MT00000000000bb", "PHONEPE", 99900, BEGIN.replace(hour=10))]


def test_a_statement_that_agrees_has_no_difference(tmp_path: Path) -> None:
    books = compare_statements(read_statements([file(tmp_path, PHONEPE_FILE)]), booked())

    assert books.differences == []
    assert [line.became for line in books.lines] == [Became.REFUND, Became.BOOKING]


def test_a_payment_that_the_shop_does_not_know_is_a_difference(tmp_path: Path) -> None:
    books = compare_statements(read_statements([file(tmp_path, PHONEPE_FILE)]), booked()[:4])

    assert books.differences == ["phonepe MT00000000000bb: the shop knows no such attempt"]


def test_an_amount_that_differs_by_one_paisa_is_a_difference(tmp_path: Path) -> None:
    books = compare_statements(read_statements([file(tmp_path, PHONEPE_FILE.replace("999.00", "998.99"))]), booked())

    assert books.differences == ["phonepe MT00000000000bb: 99899 was collected, 99900 recorded"]


def test_what_was_paid_inside_the_statements_time_has_to_be_on_it_and_nothing_else(tmp_path: Path) -> None:
    inside = attempt("MT00000000000dd", "PHONEPE", 100, BEGIN.replace(hour=6))
    after = attempt("MT00000000000ee", "PHONEPE", 100, BEGIN.replace(day=4))
    other_gateway = attempt("MT00000000000ff", "MPESA", 100, BEGIN.replace(hour=6))

    books = compare_statements(read_statements([file(tmp_path, PHONEPE_FILE)]), [*booked(), *inside, *after, *other_gateway])

    assert books.differences == ["attempt MT00000000000dd: the shop recorded 100, no gateway collected it"]


def test_mpesas_payments_are_known_by_their_receipt_or_by_their_account(tmp_path: Path) -> None:
    when = datetime(2026, 3, 2, 8, 0, 5, tzinfo=UTC)
    by_receipt = attempt("MT0000000000001", "MPESA", 35000, when, receipt="TC20000001", status="refund_due")
    refund = {"pk": "ATT#MT0000000000001", "sk": "R#001", "amount": 35000, "status": "refunded"}
    by_account = attempt("MT0000000000002", "MPESA", 125000, when, transaction="TXNABCDEF12345"[:13])
    text = MPESA_FILE.replace("XNABCDEF12345", by_account[0]["transaction"][-12:])

    books = compare_statements(read_statements([file(tmp_path, text)]), [*by_receipt, refund, *by_account])

    assert books.differences == []
    assert [line.became for line in books.lines] == [Became.ORDER, Became.REFUND]
