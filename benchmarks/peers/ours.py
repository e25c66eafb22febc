"""The service itself: the functions as they are deployed, on API Gateway's events."""

from __future__ import annotations

import importlib
import json
import os
from typing import Any

import certifi

# Everybody else here trusts the gateways of this machine by SSL_CERT_FILE or REQUESTS_CA_BUNDLE; functions trust certifi alone.
certifi.where = lambda: os.environ["SSL_CERT_FILE"]

from benchmarks.events import event_of  # noqa: E402 - after certifi is as it should be
from benchmarks.walk import Ask  # noqa: E402
from benchmarks.worker import Context  # noqa: E402


class Functions:
    """All functions in one process, each as warm as a container of its own."""

    def prepare(self, ask: Ask) -> Any:
        function, event = event_of(ask, os.environ["TOKEN_ISSUER"], os.environ["TOKEN_AUDIENCE"])
        return importlib.import_module(f"functions.{function}.app").handler, event

    def serve(self, request: Any) -> Any:
        handler, event = request
        return handler(event, Context())

    def read(self, answer: Any) -> tuple[int, Any]:
        return answer["statusCode"], json.loads(answer["body"])


def make() -> Functions:
    """The peer of this module."""
    return Functions()
