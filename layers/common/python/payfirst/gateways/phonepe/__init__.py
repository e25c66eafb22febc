"""PhonePe: its payment gateway's Standard Checkout, v2."""

from payfirst.gateways.phonepe.client import PhonePe
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.gateways.phonepe.webhook import PhonePeNotice, is_authentic, read_webhook

__all__ = ["PhonePe", "PhonePeCredentials", "PhonePeNotice", "is_authentic", "read_webhook"]
