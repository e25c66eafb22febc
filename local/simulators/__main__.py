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
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001, help="0 takes any free port (default: 8001)")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file of the ledger; made when it is missing")
    parser.add_argument("--phonepe-webhook-url", help="where PhonePe's webhooks go")
    parser.add_argument("--phonepe-webhook-username", default=os.environ.get("PHONEPE_WEBHOOK_USERNAME", ""))
    parser.add_argument(
        "--phonepe-webhook-password",
        default=os.environ.get("PHONEPE_WEBHOOK_PASSWORD", ""),
        help="better given as PHONEPE_WEBHOOK_PASSWORD in the environment",
    )
    parser.add_argument("--phonepe-credentials", help="client_id:client_secret that OAuth insists on")
    parser.add_argument("--phonepe-merchant-id", default="PAYFIRSTUAT")
    parser.add_argument("--mpesa-credentials", help="key:secret that OAuth insists on")
    parser.add_argument("--mpesa-passkey", default=os.environ.get("MPESA_PASSKEY", SANDBOX_PASSKEY))
    parser.add_argument("--one-mpesa-token", action="store_true", help="a new M-Pesa token kills the earlier ones")
    parser.add_argument("--strict-callback-urls", action="store_true", help="refuse http and forbidden words")
    parser.add_argument("--token-lifetime", type=int, default=3600, metavar="SECONDS")
    parser.add_argument("--prompt-timeout", type=float, metavar="SECONDS", help="unanswered prompts end with 1037")
    parser.add_argument("--refund-after", type=float, default=0.5, metavar="SECONDS", help="how long a refund takes")
    parser.add_argument("--mail-source", metavar="URL", help="where the embedded AWS lists the e-mails it has taken")
    return parser


def main() -> int:
    """0 after SIGINT or SIGTERM, 1 when the port is taken, 2 when an argument is wrong."""
    parser = _arguments()
    given = parser.parse_args()
    if given.phonepe_webhook_url and not (given.phonepe_webhook_username and given.phonepe_webhook_password):
        parser.error("--phonepe-webhook-url needs PHONEPE_WEBHOOK_USERNAME and PHONEPE_WEBHOOK_PASSWORD")
    settings = Settings(
        state=given.state,
        phonepe_webhook_url=given.phonepe_webhook_url,
        phonepe_webhook_username=given.phonepe_webhook_username,
        phonepe_webhook_password=given.phonepe_webhook_password,
        phonepe_merchant_id=given.phonepe_merchant_id,
        phonepe_credentials=given.phonepe_credentials,
        phonepe_salts=read_salts(os.environ.get("PHONEPE_SALTS", "")),
        mpesa_credentials=given.mpesa_credentials,
        mpesa_passkey=given.mpesa_passkey,
        one_mpesa_token=given.one_mpesa_token,
        strict_callback_urls=given.strict_callback_urls,
        token_lifetime_s=given.token_lifetime,
        prompt_timeout_s=given.prompt_timeout,
        refund_after_s=given.refund_after,
        mail_source=given.mail_source,
    )
    try:
        listening = listen(given.host, given.port)
    except PortBusyError as exc:
        sys.stderr.write(f"{exc} Stop what listens there, or choose another with --port.\n")
        return 1
    Server(create_app(settings), listening).serve_until_stopped()
    return 0


if __name__ == "__main__":
    sys.exit(main())
