"""`python -m local.simulators --port 8001 --state FILE`: the gateways' simulators until they are stopped."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local.simulators.app import create_app
from local.simulators.server import PortBusyError, Server, listen
from local.simulators.settings import SANDBOX_PASSKEY, Settings, read_salts


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local.simulators", description="Simulators of M-Pesa Daraja and PhonePe.")
    parser.add_argument("--port", type=int, default=8001, help="0 takes any free port (default: 8001)")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file of the ledger; made when it is missing")
    parser.add_argument("--phonepe-webhook-url", help="where PhonePe's webhooks go")
    parser.add_argument("--refund-after", type=float, default=0.5, metavar="SECONDS", help="how long a refund takes")
    parser.add_argument("--mail-source", metavar="URL", help="where the embedded AWS lists the e-mails it has taken")
    return parser


def main() -> int:
    """0 after SIGINT or SIGTERM, 1 when the port is taken, 2 when an argument is wrong."""
    parser = _arguments()
    given = parser.parse_args()
    username, password = (os.environ.get(f"PHONEPE_WEBHOOK_{word}", "") for word in ("USERNAME", "PASSWORD"))
    if given.phonepe_webhook_url and not (username and password):
        parser.error("--phonepe-webhook-url needs PHONEPE_WEBHOOK_USERNAME and PHONEPE_WEBHOOK_PASSWORD")
    settings = Settings(
        state=given.state,
        phonepe_webhook_url=given.phonepe_webhook_url,
        phonepe_webhook_username=username,
        phonepe_webhook_password=password,
        phonepe_salts=read_salts(os.environ.get("PHONEPE_SALTS", "")),
        mpesa_passkey=os.environ.get("MPESA_PASSKEY", SANDBOX_PASSKEY),
        refund_after_s=given.refund_after,
        mail_source=given.mail_source,
    )
    try:
        listening = listen(given.port)
    except PortBusyError as exc:
        sys.stderr.write(f"{exc} Stop what listens there, or choose another with --port.\n")
        return 1
    Server(create_app(settings), listening).serve_until_stopped()
    return 0


if __name__ == "__main__":
    sys.exit(main())
