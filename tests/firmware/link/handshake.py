"""`micropython handshake.py HOST PORT CA.der`: connect as the unit does, over a plain socket; prints `trusted` or why not."""

import socket
import sys

from firmware.clock import Clock
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


host, port, path = sys.argv[1:]
stream = SecureStream(Socket(), Trust(Authority(path)), Clock())
try:
    stream.connect(host, int(port), 1000)
    print("trusted")
except NotTrusted as why:
    print("refused:", why)
