"""The certificate of a gateway is checked before anything is sent to it."""

from __future__ import annotations

import io
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from payfirst.gateways.lines import LINES, authorities
from payfirst.gateways.wire import Answered, Call, Lost, send


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a certificate that signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "gateway.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return pem


@pytest.fixture
def impostor(certificate: Path) -> Iterator[tuple[int, list[bytes]]]:
    """A TLS server whose certificate nobody vouches for, and what it could read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # the test is over
            with suppress(OSError), connection, context.wrap_socket(connection, server_side=True) as secure:
                said = b""
                while not said.endswith(b"{}") and (more := secure.recv(4096)):
                    said += more
                heard.append(said)
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1]), heard
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(timeout=5)


def test_a_gateway_without_a_trusted_certificate_is_sent_nothing(impostor: tuple[int, list[bytes]]) -> None:
    port, heard = impostor
    call = Call("POST", f"https://127.0.0.1:{port}/x", {"Authorization": "Bearer token"}, b"{}")
    answer = send(call, timeout_s=5)
    assert isinstance(answer, Lost)
    assert not answer.sent
    assert answer.reason == "never sent: SSLCertVerificationError"
    assert b"".join(heard) == b""


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same server's certificate as the one authority that there is."""
    monkeypatch.setattr("certifi.where", lambda: str(certificate))
    authorities.cache_clear()
    yield certificate
    authorities.cache_clear()


def test_authorities_are_read_once_for_all_calls(impostor: tuple[int, list[bytes]], trusted: Path) -> None:
    call = Call("POST", f"https://localhost:{impostor[0]}/x", {}, b"{}")
    assert send(call, timeout_s=5) == Answered(200, {})
    trusted.write_text("no certificate any more")
    assert [send(call, timeout_s=5) for _ in range(2)] == [Answered(200, {})] * 2


@pytest.mark.usefixtures("trusted")
def test_a_gateway_with_another_hosts_certificate_is_sent_nothing(impostor: tuple[int, list[bytes]]) -> None:
    port, heard = impostor
    answer = send(Call("POST", f"https://127.0.0.1:{port}/x", {}, b"{}"), timeout_s=5)
    assert answer == Lost("never sent: SSLCertVerificationError", sent=False)
    assert b"".join(heard) == b""


def padded(size: int, body: bytes) -> bytes:
    """An answer of `size` bytes."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX: " % len(body)
    return head + b"x" * (size - len(head) - len(body) - 4) + b"\r\n\r\n" + body


@pytest.mark.usefixtures("trusted")
def test_what_came_in_the_same_record_as_an_answer_is_nobodys_answer(certificate: Path) -> None:
    # The first answer is as long as what is read at once; the rest of its record is decrypted and read by nobody.
    two = padded(io.DEFAULT_BUFFER_SIZE, b'{"ref": "first"}') + padded(100, b'{"ref": "of nobody"}')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for said in (two, padded(100, b'{"ref": "second"}')):
                connection, _ = listener.accept()
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(4096)
                    secure.sendall(said)
                    secure.recv(4096)  # until it is closed

        threading.Thread(target=serve, daemon=True).start()
        call = Call("GET", f"https://localhost:{listener.getsockname()[1]}/x", {}, repeatable=True)
        assert [send(call, timeout_s=5) for _ in range(2)] == [
            Answered(200, {"ref": "first"}),
            Answered(200, {"ref": "second"}),
        ]
        LINES.close()
