"""M-Pesa: Safaricom's Daraja API."""

from payfirst.gateways.mpesa.callback_address import AddressProblem, Severity, callback_address_problem
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.gateways.mpesa.notices import StkNotice, read_stk_notice
from payfirst.gateways.mpesa.phone import normalise_phone
from payfirst.gateways.mpesa.refunds import ResultAddresses, ask_transaction, pay_out, reverse
from payfirst.gateways.mpesa.result_notices import ResultNotice, TimeoutNotice, read_result_notice, read_timeout_notice

__all__ = [
    "AddressProblem",
    "Mpesa",
    "MpesaCredentials",
    "ResultAddresses",
    "ResultNotice",
    "Severity",
    "StkNotice",
    "TimeoutNotice",
    "ask_transaction",
    "callback_address_problem",
    "normalise_phone",
    "pay_out",
    "read_result_notice",
    "read_stk_notice",
    "read_timeout_notice",
    "reverse",
]
