"""`Name <address>`, as a sender of e-mails is set."""

from __future__ import annotations


def name_and_address(mailbox: str) -> tuple[str, str]:
    """The name, empty where there is none, and the address, whatever signs the name holds."""
    name, _, address = mailbox.rpartition("<")
    return name.strip().strip('"'), address.strip().rstrip(">")
