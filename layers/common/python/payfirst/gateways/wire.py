"""One request to a gateway over a connection of its own, and what became of it.

Nothing is ever sent twice from here: no retries, no redirects, no pooled connection (a gateway's load balancer drops idle
ones without a word, and a frozen function would only notice by losing a POST), no proxies and no `.netrc` from the
environment.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from payfirst.gateways.lenient import json_object
from payfirst.observability import call_to

if TYPE_CHECKING:
    import requests
    from _typeshed import WriteableBuffer
    from requests.adapters import BaseAdapter
    from urllib3 import HTTPConnectionPool

CONNECT_TIMEOUT_S: Final = 3.0
LARGEST_BODY: Final = 256 * 1024
_SHORTEST_WAIT_S: Final = 0.01

AdapterMaker = Callable[[], "BaseAdapter"]


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `body` is bytes with their `Content-Type` in `headers`. Headers and address stay out of the repr."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """The gateway answered; `body` is its JSON object with fractions as Decimal, or `None` if it sent anything else."""

    status: int
    body: dict[str, Any] | None = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx, whatever the body says."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the range is the rule itself (RFC 9110, 15.3)


@dataclass(frozen=True, slots=True)
class Lost:
    """No whole answer came. `sent` is False when the request surely never reached the gateway; `reason` says which."""

    reason: str
    sent: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """How much time a call with all its parts may still take, in seconds from the moment it was made."""

    ends_at: float

    @classmethod
    def of(cls, timeout_s: float) -> Budget:
        """A budget that begins now."""
        return cls(time.monotonic() + timeout_s)

    def left(self) -> float:
        """The seconds left; zero or less when it is used up."""
        return self.ends_at - time.monotonic()


def json_call(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Call:
    """A POST with `body` as JSON."""
    return Call("POST", url, {**headers, "Content-Type": "application/json"}, json.dumps(body).encode())


def form_call(url: str, body: Mapping[str, str]) -> Call:
    """A POST with `body` as a form."""
    return Call("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(body).encode())


def send(call: Call, *, timeout_s: float, adapter: AdapterMaker | None = None) -> Answered | Lost:
    """Send `call` once and wait at most `timeout_s` in all, of which 3 s for the connection.

    Never raises for what the network or the other side does. `adapter` makes the `requests` adapter to send through;
    the default opens one connection and closes it. Looking up the host's name is left to the system, which has limits
    of its own.
    """
    import requests  # noqa: PLC0415 - its import costs more than all else in a function that may never call out
    import urllib3  # noqa: PLC0415 - comes with requests

    if timeout_s < _SHORTEST_WAIT_S:
        return Lost("never sent: no time left", sent=False)
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close", **call.headers}
    transport = (adapter or one_connection)()
    timeout = urllib3.Timeout(total=timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s))
    try:
        request = requests.Request(call.method, call.url, headers=headers, data=call.body).prepare()
        # Straight through the adapter: a Session would look at redirects, cookies, proxies and .netrc.
        with call_to(urllib3.util.parse_url(call.url).host or "") as answered:
            response = transport.send(request, stream=True, timeout=timeout, verify=True)  # type: ignore[arg-type]
            answered(response.status_code)
            return _read(response)
    except requests.RequestException as exc:
        return _lost(exc)
    except urllib3.exceptions.HTTPError as exc:
        return Lost(f"maybe processed: the answer broke off ({type(exc).__name__})", sent=True)
    finally:
        transport.close()


def _read(response: requests.Response) -> Answered | Lost:
    raw = response.raw.read(LARGEST_BODY + 1, decode_content=True)
    if len(raw) > LARGEST_BODY:
        return Answered(response.status_code, None)
    return Answered(response.status_code, json_object(raw))


def _lost(exc: requests.RequestException) -> Lost:
    import requests  # noqa: PLC0415 - already imported by the caller
    from urllib3 import exceptions as urllib3_exceptions  # noqa: PLC0415 - likewise

    causes = _causes(exc)
    never_opened = (
        requests.ConnectTimeout,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidHeader,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        urllib3_exceptions.NewConnectionError,
        urllib3_exceptions.ConnectTimeoutError,
        ssl.SSLCertVerificationError,
    )
    for cause in causes:
        if isinstance(cause, never_opened):
            return Lost(f"never sent: {type(cause).__name__}", sent=False)
    if isinstance(exc, requests.Timeout):
        return Lost("maybe processed: no answer in time", sent=True)
    return Lost(f"maybe processed: the connection broke ({type(exc).__name__})", sent=True)


def _causes(exc: BaseException) -> list[BaseException]:
    """`exc` and every exception inside it; requests and urllib3 keep the cause as an argument or as `reason`."""
    found: list[BaseException] = []
    waiting: list[object] = [exc]
    while waiting:
        candidate = waiting.pop()
        if isinstance(candidate, BaseException) and candidate not in found:
            found.append(candidate)
            waiting += [*candidate.args, getattr(candidate, "reason", None), candidate.__cause__, candidate.__context__]
    return found


def one_connection() -> BaseAdapter:
    """An adapter for one request, whose read timeout is for the whole answer instead of for each packet of it."""
    adapter: BaseAdapter = _adapter()(max_retries=0)
    return adapter


@cache
def authorities() -> ssl.SSLContext:
    """Whom gateways' certificates are checked against: certifi's authorities, read once in a container.

    To read them takes longer than all else in a call: they were a third of what it costs to initiate a payment.
    """
    from requests.adapters import DEFAULT_CA_BUNDLE_PATH  # noqa: PLC0415 - see `send`
    from urllib3.util.ssl_ import create_urllib3_context  # noqa: PLC0415 - see `send`

    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


@cache
def _adapter() -> type[Any]:
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - see `send`

    class OneConnection(HTTPAdapter):
        def init_poolmanager(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - requests' own signature
            super().init_poolmanager(*given, **named)
            self.poolmanager.pool_classes_by_scheme = _pools()

        def build_connection_pool_key_attributes(self, request: requests.PreparedRequest, *given: Any) -> Any:  # noqa: ANN401
            host, pool = super().build_connection_pool_key_attributes(request, *given)
            return host, {**pool, "ssl_context": authorities()} if host["scheme"] == "https" else pool

        def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ANN401, ARG002 - likewise
            conn.cert_reqs = "CERT_REQUIRED"  # requests would name its file here, and each connection would read it again

    return OneConnection


@cache
def _pools() -> dict[str, type[HTTPConnectionPool]]:
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool  # noqa: PLC0415 - see `send`
    from urllib3.connection import HTTPConnection, HTTPSConnection  # noqa: PLC0415 - see `send`

    class PlainConnection(HTTPConnection):
        response_class = _WholeAnswer

    class SecureConnection(HTTPSConnection):
        response_class = _WholeAnswer

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": PlainPool, "https": SecurePool}


class _WholeAnswer(http.client.HTTPResponse):
    """An answer that must be complete, headers and body, within the socket's read timeout."""

    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None) -> None:
        super().__init__(sock, debuglevel, method, url)
        limit = sock.gettimeout()
        if limit is not None:
            packets = self.fp.detach()
            self.fp = io.BufferedReader(_Until(packets, sock, time.monotonic() + limit))


class _Until(io.RawIOBase):
    """Reads `packets` until `ends_at`: a sender that drips a byte a second does not begin a new wait with each."""

    def __init__(self, packets: io.RawIOBase, sock: socket.socket, ends_at: float) -> None:
        self._packets = packets
        self._sock = sock
        self._ends_at = ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer did not come in time")
        self._sock.settimeout(left)
        return self._packets.readinto(buffer)

    def close(self) -> None:
        self._packets.close()
        super().close()
