"""How e-mails leave: through SES, from the shop's own address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formataddr
from functools import cache
from typing import TYPE_CHECKING

from payfirst.clients import client
from payfirst.domain.mailbox import name_and_address
from payfirst.domain.session import Kind
from payfirst.mail.messages import Message

if TYPE_CHECKING:
    from mypy_boto3_sesv2.client import SESV2Client


@cache
def sesv2() -> SESV2Client:
    """This process's client, with short timeouts; it sends an e-mail once, since a second try could send it twice."""
    made: SESV2Client = client("sesv2", connect_s=1, read_s=5)
    return made


@dataclass(frozen=True, slots=True)
class Post:
    """SES, and who writes for each kind of purchase: `Name <address>`, or empty where that shop sends no mail."""

    client: SESV2Client
    senders: Mapping[Kind, str]

    def writes_for(self, kind: Kind) -> bool:
        """Whether e-mails about this kind of purchase leave at all."""
        return bool(self.senders[kind])

    def shop(self, kind: Kind) -> str:
        """The shop's name: the name of its sender, else its address."""
        name, address = name_and_address(self.senders[kind])
        return name or address

    def send(self, kind: Kind, to: str, message: Message, event_id: str) -> str:
        """Send it; SES' id of the message. botocore's errors where SES refuses or does not answer."""
        return self._send(self.senders[kind], to, message, event_id)

    @property
    def has_sender(self) -> bool:
        """Whether anybody writes e-mails for this shop."""
        return any(self.senders.values())

    def tell_shop(self, to: str, message: Message, event_id: str) -> str:
        """Send it to the shop itself, from whichever sender it has; errors as in `send`."""
        return self._send(next(filter(None, self.senders.values())), to, message, event_id)

    def _send(self, sender: str, to: str, message: Message, event_id: str) -> str:
        answer = self.client.send_email(
            FromEmailAddress=formataddr(name_and_address(sender)),  # quotes a dot or a comma, encodes what is not ASCII
            Destination={"ToAddresses": [to]},
            Content={
                "Simple": {
                    "Subject": {"Data": message.subject, "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": message.text, "Charset": "UTF-8"},
                        "Html": {"Data": message.html, "Charset": "UTF-8"},
                    },
                }
            },
            EmailTags=[{"Name": "event", "Value": event_id}],
        )
        return answer["MessageId"]
