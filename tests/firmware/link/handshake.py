"""`micropython handshake.py HOST PORT CA.der[,CA.der] [old]`: connect as the unit does, over a plain socket.

Prints `trusted`, the TLS version and which of two authorities verified the certificate, or the error. `old` simulates a
runtime whose newest version is TLS 1.2, such as a stock ESP32 image.
"""

import socket
import sys

import tls

from firmware.clock import Clock
from firmware.link import secure
from firmware.link.secure import NotTrusted, SecureStream, Trust


class Socket:
    """What secure.py uses of modem.stream.Stream, over a socket of this machine. Every name is loopback."""

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
    """Replaces storage.authority, with certificates from files."""

    kept = 0

    def __init__(self, paths):
        self._paths = paths

    def certificates(self):
        found = []
        for path in self._paths:
            try:
                with open(path, "rb") as file:
                    found.append(file.read())
            except OSError:
                pass
        return found


class OldContext:
    """Replaces tls.SSLContext, with the error of a runtime without TLS 1.3 and ChaCha20."""

    def __init__(self, protocol):
        self._context = tls.SSLContext(protocol)
        self.load_verify_locations = self._context.load_verify_locations
        self.wrap_socket = self._context.wrap_socket

    def set_ciphers(self, names):
        if [name for name in names if name.startswith("TLS1-3") or "CHACHA" in name]:
            raise OSError(-24192, "MBEDTLS_ERR_SSL_BAD_CONFIG")
        self._context.verify_mode = self.verify_mode
        self._context.verify_callback = self.verify_callback
        self._context.set_ciphers(names)


class OldTls:
    """Replaces the module `tls`."""

    SSLContext = OldContext
    PROTOCOL_TLS_CLIENT, CERT_REQUIRED = tls.PROTOCOL_TLS_CLIENT, tls.CERT_REQUIRED


host, port, paths = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
if "old" in sys.argv[4:]:
    secure.tls = OldTls
trust = Trust(Authority(paths))
stream = SecureStream(Socket(), trust, Clock())
try:
    stream.connect(host, int(port), 1000)
    print("trusted, TLS", trust.tls_version, *["by the second"] * (trust.verified != trust.digests[0]))
except NotTrusted as why:
    print("refused:", why)
