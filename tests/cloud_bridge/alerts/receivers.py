"""Receivers of alerts on real sockets, friendly and hostile, and the patch that lets alerts reach them.

The check of addresses stays active for all other addresses: only 127.0.0.1 counts as on the internet (`_reach`).
"""

import argparse
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.alerts import https_post, public_hosts
from cloud_bridge.cli import tls
from cloud_bridge.settings import Settings

HERE = "127.0.0.1"
NAMES = ("hooks.example", "discord.com", "api.pushover.net", "hooks.slack.com", "api.telegram.org")
GO_ON_S = 0.02  # between two bytes of `dripping`
ANSWER_S = 30.0  # ends a thread after a failed test

Behaviour = Callable[["Receiver", ssl.SSLSocket], None]


class Receiver:
    """A TLS server. `requests` contains the received bytes; `behave` answers them."""

    def __init__(self, certificate: ssl.SSLContext, behave: "Behaviour | None" = None) -> None:
        self.requests: list[bytes] = []
        self.at_once = 0  # the highest number of connections that waited for an answer at the same time
        self.ended = threading.Event()
        self._behave = behave or ok
        self._unanswered: set[int] = set()  # threads
        self._lock = threading.Lock()
        self._certificate = certificate
        self._listener = socket.create_server((HERE, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with self._lock:
            self._unanswered.add(threading.get_ident())
            self.at_once = max(self.at_once, len(self._unanswered))
        try:
            plain.settimeout(ANSWER_S)
            with self._certificate.wrap_socket(plain, server_side=True) as connection:
                self.requests.append(_request(connection))
                self._behave(self, connection)
        except OSError:
            pass  # the other side closed the connection, which most of these tests provoke
        finally:
            self.answers()

    def answers(self) -> None:
        """Count this connection as answered. Call it before sending the answer, after which the client may connect again."""
        with self._lock:
            self._unanswered.discard(threading.get_ident())


def _request(connection: ssl.SSLSocket) -> bytes:
    came = b""
    while b"\r\n\r\n" not in came:
        came += connection.recv(4096) or b"\r\n\r\n"
    head, _, body = came.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(4096) or bytes(length)
    return head + b"\r\n\r\n" + body


def ok(receiver: Receiver, connection: ssl.SSLSocket) -> None:
    receiver.answers()
    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


def slow(receiver: Receiver, _connection: ssl.SSLSocket) -> None:
    """Send nothing."""
    receiver.ended.wait(ANSWER_S)


def dripping(receiver: Receiver, connection: ssl.SSLSocket) -> None:
    """Send a header that never ends, one byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not receiver.ended.wait(GO_ON_S):
        connection.sendall(b"x")


def informing(receiver: Receiver, connection: ssl.SSLSocket) -> None:
    """Send informational answers (RFC 9110, section 15.2) endlessly."""
    while not receiver.ended.wait(GO_ON_S):
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")


def endless_head(receiver: Receiver, connection: ssl.SSLSocket) -> None:
    """Send headers endlessly, as fast as possible."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not receiver.ended.is_set():
        connection.sendall(b"X: " + b"x" * 4000 + b"\r\n")


def endless_body(receiver: Receiver, connection: ssl.SSLSocket) -> None:
    """Send a body endlessly. The alert counts as delivered, and the rest is not read."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
    while not receiver.ended.is_set():
        connection.sendall(bytes(65536))


def closing(_receiver: Receiver, connection: ssl.SSLSocket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def nonsense(_receiver: Receiver, connection: ssl.SSLSocket) -> None:
    connection.sendall(b"\x00\xff SSH-2.0-OpenSSH\r\n\r\n")


def redirecting(port: int) -> Behaviour:
    def behave(_receiver: Receiver, connection: ssl.SSLSocket) -> None:
        place = f"https://hooks.example:{port}/inside"
        connection.sendall(f"HTTP/1.1 307 Away\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode())

    return behave


class Street:
    """Opens the receivers of one test, all with the same certificate."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tls.run(Settings(HERE, 0, 0, folder, None), argparse.Namespace(name=list(NAMES), folder=folder))
        self._certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._opened: list[Receiver] = []
        self.lookups: list[str] = []
        self._reach(folder / "ca.pem", monkeypatch)

    def receiver(self, behave: Behaviour | None = None) -> Receiver:
        self._opened.append(Receiver(self._certificate, behave))
        return self._opened[-1]

    def close(self) -> None:
        for receiver in self._opened:
            receiver.close()

    def _reach(self, authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        guard, trusted = public_hosts.is_public, ssl.create_default_context(cafile=str(authority))

        def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            if host != HERE:
                self.lookups.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (HERE, port))]

        monkeypatch.setattr(public_hosts, "is_public", lambda address: address == HERE or guard(address))
        monkeypatch.setattr(https_post, "tls_context", lambda: trusted)
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
