"""Cross-origin answers that an HTTP API gives by its own configuration; what functions say of it is replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from local.host.answers import HttpAnswer
from local.host.application import Cors
from local.host.events import HttpRequest

PREFIX: Final = "access-control-"


class CorsRules:
    """`rules` of the template; None leaves requests and answers as they are."""

    def __init__(self, rules: Cors | None) -> None:
        self._rules = rules

    def preflight(self, request: HttpRequest) -> HttpAnswer | None:
        """The answer to a browser's preflight request, which reaches no function; None for any other request."""
        rules = self._rules
        asked = request.header("access-control-request-method")
        if rules is None or request.method != "OPTIONS" or request.header("origin") is None or asked is None:
            return None
        headers = self._origin_headers(request)
        if headers:
            if rules.methods:
                headers.append(("access-control-allow-methods", ",".join(rules.methods)))
            if rules.headers:
                headers.append(("access-control-allow-headers", ",".join(rules.headers)))
            if rules.max_age is not None:
                headers.append(("access-control-max-age", str(rules.max_age)))
        return HttpAnswer(204, tuple(headers), b"")

    def decorate(self, request: HttpRequest, answer: HttpAnswer) -> HttpAnswer:
        """`answer` with the headers for the origin that asked."""
        if self._rules is None:
            return answer
        own = [(name, value) for name, value in answer.headers if not name.startswith(PREFIX)]
        headers = self._origin_headers(request)
        if headers and self._rules.exposed:
            headers.append(("access-control-expose-headers", ",".join(self._rules.exposed)))
        return replace(answer, headers=(*own, *headers))

    def _origin_headers(self, request: HttpRequest) -> list[tuple[str, str]]:
        origin = request.header("origin")
        if self._rules is None or origin is None:
            return []
        if "*" in self._rules.origins:
            headers = [("access-control-allow-origin", "*")]
        elif origin in self._rules.origins:
            headers = [("access-control-allow-origin", origin), ("vary", "Origin")]
        else:
            return []
        if self._rules.credentials:
            headers.append(("access-control-allow-credentials", "true"))
        return headers
