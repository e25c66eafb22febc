"""M-Pesa: Safaricom's Daraja API."""

from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.gateways.mpesa.notices import StkNotice, read_stk_notice
from payfirst.gateways.mpesa.phone import normalise_phone

__all__ = ["Mpesa", "MpesaCredentials", "StkNotice", "normalise_phone", "read_stk_notice"]
