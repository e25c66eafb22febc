"""How letters leave: through SES, from the shop's own address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from functools import cache
from typing import TYPE_CHECKING

from payfirst.domain.session import Kind
from payfirst.mail.letters import Letter

if TYPE_CHECKING:
    from mypy_boto3_sesv2.client import SESV2Client


@cache
def sesv2() -> SESV2Client:
    """This process's client, with short timeouts; it sends a letter once, since a second try could send it twice."""
    import boto3  # noqa: PLC0415 - the price of the import is paid by the function that uses it
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client("sesv2", config=Config(connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 1}))


@dataclass(frozen=True, slots=True)
class Post:
    """SES, and who writes for each kind of purchase: `Name <address>`, or empty where that shop sends no mail."""

    client: SESV2Client
    senders: Mapping[Kind, str]

    def writes_for(self, kind: Kind) -> bool:
        """Whether letters about this kind of purchase leave at all."""
        return bool(self.senders[kind])

    def shop(self, kind: Kind) -> str:
        """The shop's name: the name of its sender, else its address."""
        name, address = parseaddr(self.senders[kind])
        return name or address

    def send(self, kind: Kind, to: str, letter: Letter, event_id: str) -> str:
        """Send it; SES' id of the message. botocore's errors where SES refuses or does not answer."""
        answer = self.client.send_email(
            FromEmailAddress=self.senders[kind],
            Destination={"ToAddresses": [to]},
            Content={
                "Simple": {
                    "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": letter.text, "Charset": "UTF-8"},
                        "Html": {"Data": letter.html, "Charset": "UTF-8"},
                    },
                }
            },
            EmailTags=[{"Name": "event", "Value": event_id}],
        )
        return answer["MessageId"]
