"""`micropython handshake.py HOST PORT CA.der [old]`: connect as the unit does, over a plain socket; prints `trusted` and the
version of TLS, or why not. `old`: as on a runtime that knows nothing newer than TLS 1.2, such as a stock ESP32 image.
"""

import socket
import sys

import tls

from firmware.clock import Clock
from firmware.link import secure
from firmware.link.secure import NotTrusted, SecureStream, Trust


class Socket:
    """What secure.py asks of modem.stream.Stream, over a socket of this machine; every name is loopback."""

    def connect(self, host, port, timeout_ms):
        self._socket = socket.socket()
        self._socket.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])

    def settimeout(self, seconds):
        self._socket.settimeout(seconds)

    def readinto(self, buffer):
        data = self._socket.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def write(self, data):
        return self._socket.send(data)

    def close(self):
        self._socket.close()


class Authority:
    """Of storage.authority, from a file with the certificate itself."""

    kept = 0

    def __init__(self, path):
        self._path = path

    def der(self):
        try:
            with open(self._path, "rb") as file:
                return file.read()
        except OSError:
            return None


class OldContext:
    """Of tls.SSLContext, with the error of a runtime that was built without TLS 1.3 and without ChaCha20."""

    def __init__(self, protocol):
        self._context = tls.SSLContext(protocol)
        self.load_verify_locations = self._context.load_verify_locations
        self.wrap_socket = self._context.wrap_socket

    def set_ciphers(self, names):
        if [name for name in names if name.startswith("TLS1-3") or "CHACHA" in name]:
            raise OSError(-24192, "MBEDTLS_ERR_SSL_BAD_CONFIG")
        self._context.verify_mode = self.verify_mode
        self._context.set_ciphers(names)


class OldTls:
    """Of the module."""

    SSLContext = OldContext
    PROTOCOL_TLS_CLIENT, CERT_REQUIRED = tls.PROTOCOL_TLS_CLIENT, tls.CERT_REQUIRED


host, port, path = sys.argv[1:4]
if "old" in sys.argv[4:]:
    secure.tls = OldTls
trust = Trust(Authority(path))
stream = SecureStream(Socket(), trust, Clock())
try:
    stream.connect(host, int(port), 1000)
    print("trusted, TLS", trust.tls_version)
except NotTrusted as why:
    print("refused:", why)
