"""The same two statements as portals, spreadsheets and people write them, made after public descriptions of their columns.

Each M-Pesa layout says: TC20000001 brought 350.00 and was reversed by TC20000003, TC20000002 brought 1,250.00 under an account.
Each PhonePe layout says: …aa brought 510.00 and was refunded, …bb brought 999.00.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Final

AA, BB, RAA = "MT00000000000aa", "MT00000000000bb", "RMT00000000000aa-1"

PORTAL: Final = """\
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

_PLAIN: Final = """\
Receipt No.,Completion Time,Details,Transaction Status,Paid In,Withdrawn,Linked Transaction ID,A/C No.
TC20000003,2026-03-02 11:30:00,Reversal,Completed,,-350.00,TC20000001,
TC20000002,2026-03-02 11:05:10,Pay Bill Online,Completed,1250.00,,,XNABCDEF12345
TC20000001,2026-03-02 11:00:10,Pay Bill Online,Completed,350.00,,,1
"""


def _with_semicolons(text: str) -> str:
    """As a spreadsheet saves it where the comma is in the numbers: `1,250.00` is `1.250,00`."""
    turned = str.maketrans(",.", ".,")
    lines = io.StringIO()
    writer = csv.writer(lines, delimiter=";", lineterminator="\n")
    for cells in csv.reader(text.splitlines()):
        writer.writerow([cell.translate(turned) if re.fullmatch(r"-?[0-9,]+\.[0-9]{2}", cell) else cell for cell in cells])
    return lines.getvalue()


MPESA_LAYOUTS: Final[dict[str, bytes]] = {
    "the portal's": PORTAL.encode(),
    "with a byte order mark and Windows' line ends": b"\xef\xbb\xbf" + PORTAL.replace("\n", "\r\n").encode(),
    "UTF-16 with its mark": PORTAL.encode("utf-16"),
    "UTF-16 without one": PORTAL.encode("utf-16-le"),
    "UTF-16 the other way round": PORTAL.encode("utf-16-be"),
    "Windows' own letters": PORTAL.replace("Green Valley", "Café “Vallée”").encode("cp1252"),
    "semicolons and decimal commas": _with_semicolons(PORTAL).encode(),
    "tabs and a hint for spreadsheets": ("sep=\t\n" + _PLAIN.replace(",", "\t")).encode(),
    "names without dots, in capitals": _PLAIN.replace("Receipt No.", "RECEIPT NO")
    .replace("Completion Time", "COMPLETION  TIME")
    .replace("Transaction Status", "transaction_status")
    .replace("Paid In", "PaidIn")
    .replace("A/C No.", "Ac No")
    .encode(),
    "two-digit years and no seconds": _PLAIN.replace("2026-03-02 ", "02/03/26 ").replace(":10,", ",").encode(),
    "twelve hours and named months": _PLAIN.replace("2026-03-02 11:30:00", "02-Mar-2026 11:30:00 AM")
    .replace("2026-03-02 11:05:10", "02 Mar 2026 11:05:10 am")
    .replace("2026-03-02 11:00:10", '"Mar 2, 2026 11:00:10 AM EAT"')
    .encode(),
    "brackets, signs and currencies": _PLAIN.replace("-350.00", "(KES 350.00)")
    .replace("1250.00", '"+ 1,250.00"')
    .replace(",350.00,", ",Ksh 350,")
    .encode(),
    "wrapped cells, blank lines, trailing commas": (
        _PLAIN.replace("Pay Bill Online", '"Pay Bill Online\nfrom 2547****678"')
        .replace(",Details,", ',"Details\n",')
        .replace("TC20000001,2026", '"TC2000\n0001",2026')
        .replace("\nTC20000002", "\n\n,,,,,,,,\nTC20000002")
        .replace("1\n", "1,,\n")
    ).encode(),
    "totals, an opening balance and a foot": (
        _PLAIN.replace("A/C No.\n", "A/C No.\nOpening Balance,,,,,,,\n")
        + ',,Total,,"1,600.00",-350.00,,\nGrand Total:,,,,1600,-350,,\nEnd of statement,,,,,,,\nPage 1 of 1\n'
    ).encode(),
    "the header once more on each page": (_PLAIN + _PLAIN).encode(),
    "the older portal's": b"""\
Account Statement
Receipt,Date,Details,Status,Withdrawn,Paid In,Balance,Balance Confirmed,Transaction Type,Other Party Info,\
Transaction Party Details
TC20000003,2026-03-02 11:30:00,Transaction Reversal of TC20000001,Completed,-350,,9650,true,Reversal,0712345679 - JANE DOE,
TC20000002,2026-03-02 11:05:10,Payment received,Completed,,1250,10000,true,Pay Utility,0712345678 - JANE DOE,XNABCDEF12345
TC20000001,2026-03-02 11:00:10,Payment received,Completed,,350,8750,true,Pay Utility,0712345679 - JANE DOE,1
""",
    "quoted everywhere, numbers as text": "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in _PLAIN.splitlines()
    )
    .replace('"TC2', "\"'TC2")
    .encode(),
}

SETTLEMENT: Final = f"""\
PaymentType,MerchantReferenceId,PhonePeReferenceId,From,Instrument,CreationDate,Amount,Fee,TransactionDate,SettlementDate
PAYMENT,{AA},T1,,UPI_REDEMPTION,2026-03-02,510.00,-1.00,2026-03-02 10:00:00,2026-03-03
PAYMENT,{BB},T2,,UPI_REDEMPTION,2026-03-02,999.00,-1.00,2026-03-02 16:00:00,2026-03-03
REFUND,{RAA},T3,,UPI_REDEMPTION,2026-03-02,-510.00,0.00,2026-03-02 17:00:00,2026-03-03
"""

PHONEPE_LAYOUTS: Final[dict[str, bytes]] = {
    "the settlement report": SETTLEMENT.encode(),
    "with blanks in the names and a total": (
        SETTLEMENT.replace("PaymentType", "Payment Type")
        .replace("MerchantReferenceId", "Merchant Reference Id")
        .replace("TransactionDate", "Transaction Date")
        .replace("PAYMENT,", "Payment,")
        + "Total,,,,,,999.00,-2.00,,\n"
    ).encode(),
    "UTF-16, tabs and India's thousands": SETTLEMENT.replace(",", "\t")
    .replace("510.00", "₹ 510.00")
    .replace("999.00", "₹0,00,999.00")
    .encode("utf-16"),
    "the transaction report": f"""\
Merchant Id,Transaction Type,Merchant Order Id,Merchant Reference Id,PhonePe Reference Id,Transaction UTR,\
Total Transaction Amount,Transaction Date,Transaction Status,Upi Amount,Error Code
SHOP,PAYMENT,{AA},{AA},OMO1,1,510.00,02-03-2026 10:00:00,COMPLETED,510.00,
SHOP,PAYMENT,{BB},{BB},OMO2,2,999.00,02-03-2026 16:00:00,COMPLETED,999.00,
SHOP,PAYMENT,MT00000000000cc,MT00000000000cc,OMO4,,510.00,02-03-2026 16:30:00,FAILED,510.00,TXN_CANCELLED
SHOP,REFUND,{AA},{RAA},OMR1,3,510.00,02-03-2026 17:00:00,COMPLETED,510.00,
""".encode(),
}

REFUNDS: Final = f"""\
Merchant Refund Id,Original Merchant Order Id,Provider Reference ID,Refund Amount,Refund Date,Refund Status
{RAA},{AA},OMR1,510.00,02-03-2026 17:00:00,COMPLETED
RMT00000000000bb-1,{BB},OMR2,999.00,02-03-2026 18:00:00,FAILED
"""
"""PhonePe's refund report, which goes with a report of the payments."""
