"""End-to-end TLS over the modem's stream; the modem transports only encrypted bytes. TLS 1.3 if the runtime supports it, else
TLS 1.2 with an ephemeral key exchange and authenticated encryption. The boot event has the version.

The broker must present a certificate for exactly the configured host name, signed by an authority that was stored in the unit
(storage/authority.py): the current one, or the next one while the authority is being changed. There is no other list of
authorities, and no connection if the check fails.

Dates: mbedTLS compares a certificate's dates with the platform's clock. On an ESP32 this clock starts in the year 2000, when
no certificate is valid yet. The unit therefore sets a clock that is behind the build of the firmware to the day of the build
(clock.py). Board.set_time corrects it once the time is known, from the network (NITZ), which is not authenticated. Until then,
a certificate that has expired since the build is accepted, and one that was issued after the build is refused. A certificate
for another name or from another authority is never accepted. A forged network time has no other effect, because a forged
certificate still requires the authority's key.

Each connection requires a full handshake, because MicroPython's `tls` does not support session resumption.
"""

import errno
import hashlib
import io

import tls

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.clock import Clock
    from firmware.storage.authority import Authority
    from modem.stream import Stream

HANDSHAKE_S = 60  # for the whole handshake: two round trips, about 3 kB over GPRS, 1 s of elliptic curves on an ESP32
SHORTEST_S = 0.001  # the timeout after a deadline has passed: received data can still be read
# Cipher suites by TLS version. Only those of one version are set, which excludes older versions. A stock ESP32 image of
# MicroPython has no TLS 1.3 (no sdkconfig sets MBEDTLS_SSL_PROTO_TLS1_3); it raises OSError for a name that it does not know.
CIPHERS = (
    ("1.3", ("TLS1-3-AES-128-GCM-SHA256", "TLS1-3-AES-256-GCM-SHA384", "TLS1-3-CHACHA20-POLY1305-SHA256")),
    (
        "1.2",
        (
            "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256",
            "TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256",
            "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384",
            "TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384",
            "TLS-ECDHE-ECDSA-WITH-CHACHA20-POLY1305-SHA256",
            "TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256",
        ),
    ),
)


class NotTrusted(OSError):
    """The broker was not authenticated, or the unit has no authority to trust; the text says which."""


class WrongCertificate(NotTrusted):
    """The broker's certificate was rejected. Another attempt would fail in the same way."""


class Trust:
    """The trusted authorities: a TLS context with the certificates of `authority`, a storage.authority.Authority.

    `tls_version`: the only TLS version that is used. `loaded`: the context, which is created once, at the start, because it
    needs a block of 3 kB, which a fragmented heap may not have. `digests`: SHA-256 of the trusted certificates, in their
    order. `verified`: SHA-256 of the authority that verified the last connection, None for a connection without TLS.
    """

    def __init__(self, authority: "Authority") -> None:
        self.verified: bytes | None = None
        self.authority = authority
        self.loaded: tls.SSLContext | None = None
        self._make()

    def context(self) -> "tls.SSLContext":
        """Return the context for the next connection. Raises NotTrusted if there is no authority."""
        self.verified = None
        if self._kept != self.authority.kept:
            self.loaded = None  # frees the memory for the new context
            self._make()
        if not self.digests or self.loaded is None:
            raise NotTrusted("no certificate authority: give it one on the console, with `authority`")
        return self.loaded

    def _make(self) -> None:
        self.loaded = context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED  # type: ignore[attr-defined]  # missing in the stubs
        context.verify_callback = self._verify  # type: ignore[attr-defined]  # missing in the stubs
        self.tls_version = _choose_ciphers(context)
        self._kept = self.authority.kept
        self.digests: list[bytes] = []
        for der in self.authority.certificates():
            try:
                context.load_verify_locations(der)  # adds to the certificates in the context
            except ValueError:
                continue  # the other certificate may be usable
            self.digests.append(hashlib.sha256(der).digest())

    def _verify(self, certificate: bytes, depth: int) -> int:
        """Record the trusted authority. mbedTLS calls this for each certificate of a chain, which ends at the first trusted
        one, so at most one matches.
        """
        digest = hashlib.sha256(certificate).digest()
        if digest in self.digests:
            self.verified = digest
        return 0  # leaves the verdict to mbedTLS


def _choose_ciphers(context: "tls.SSLContext") -> str:
    """Set the cipher suites of the newest TLS version that the runtime supports; return the version.

    Raises NotTrusted if the runtime supports none of them.
    """
    for version, names in CIPHERS:
        known = [name for name in names if _takes(context, name)]
        if known:
            context.set_ciphers(known)
            return version
    raise NotTrusted("this runtime has no suitable cipher")


def _takes(context: "tls.SSLContext", name: str) -> bool:
    try:
        context.set_ciphers((name,))
        return True
    except OSError:
        return False


class SecureStream:
    """A TLS connection over a modem.stream.Stream, with the interface that packet_socket.py uses. For one connection."""

    def __init__(
        self, stream: "Stream", trust: "Trust", clock: "Clock", may_stall: "Callable[[], bool]" = lambda: True
    ) -> None:
        """`may_stall()` returns whether a step of the handshake may block the processor; it is called before each step."""
        self._stream = stream
        self._trust = trust
        self._pipe = _Pipe(stream, clock, may_stall)
        self._tls: Stream | None = None

    def connect(self, host: str, port: int, timeout_ms: int) -> None:
        """Connect by TCP and TLS. Raises NotTrusted, WrongCertificate, or another OSError: ECONNABORTED if a step of the
        handshake may not block the processor.
        """
        context = self._trust.context()
        self._stream.connect(host, port, timeout_ms)
        self._pipe.settimeout(HANDSHAKE_S)
        try:
            self._tls = context.wrap_socket(self._pipe, server_hostname=host)
            self._pipe.shaking_hands = False
        except ValueError as error:  # MicroPython raises ValueError if the certificate is rejected
            raise WrongCertificate(str(error).strip()) from None
        except OSError as error:
            if error.args[0] < 0:  # mbedTLS's error codes are negative, those of the stream positive
                raise NotTrusted("handshake: %s" % error) from None
            raise
        if self._trust.verified is None:  # no longer trusted, but still in the context until the next start
            raise WrongCertificate("its authority is no longer trusted")

    def settimeout(self, seconds: float) -> None:
        """Set the deadline for all reads and writes until the next call, in seconds from now; 0: not blocking."""
        self._connected()
        self._pipe.settimeout(seconds)

    def read(self, most: int) -> "bytes | None":
        data: bytes | None = self._connected().read(most)
        if data is None and self._pipe.take_timed_out():
            raise OSError(errno.ETIMEDOUT)
        return data

    def write(self, data: "bytes | bytearray") -> "int | None":
        return self._connected().write(data)

    def _connected(self) -> "Stream":
        if self._tls is None:
            raise OSError(errno.ENOTCONN)
        return self._tls

    def close(self) -> None:
        """Close the TCP connection, without a TLS close_notify, which would only wait on a line that may be dead."""
        self._tls = None
        self._stream.close()


class _Pipe(io.IOBase):
    """The stream that MicroPython's SSLSocket reads and writes. It works around three properties of SSLSocket:

    - It closes the underlying stream from its finaliser, which may run at any time and with the heap locked. Closing the pipe
      therefore does nothing.
    - It treats any OSError as the end of the connection. After the handshake, a read that timed out, which may be repeated,
      therefore returns None. During the handshake it raises, because SSLSocket would otherwise wait forever.
    - It reads until a record is complete. The deadline therefore covers all reads together; with a deadline for each read, a
      peer that sends single bytes could block the unit for days.
    """

    def __init__(self, stream: "Stream", clock: "Clock", may_stall: "Callable[[], bool]") -> None:
        self._stream = stream
        self._clock = clock
        self._may_stall = may_stall
        self.shaking_hands = True
        self._timed_out = False
        self._waits = True
        self._until_ms = 0

    def settimeout(self, seconds: float) -> None:
        self._waits = seconds != 0
        self._until_ms = self._clock.now_ms() + int(seconds * 1000)
        self._stream.settimeout(seconds)

    def take_timed_out(self) -> bool:
        """Return whether a read timed out since the last call."""
        timed_out, self._timed_out = self._timed_out, False
        return timed_out

    def readinto(self, buffer: bytearray) -> "int | None":
        self._hurry()
        try:
            count = self._stream.readinto(buffer)
            self._yield_to_charging()
            return count
        except OSError as error:
            if self.shaking_hands or error.args[0] != errno.ETIMEDOUT:
                raise
            self._timed_out = True
            return None

    def write(self, data: bytes) -> "int | None":
        self._hurry()
        written = self._stream.write(data)
        self._yield_to_charging()
        return written

    def _yield_to_charging(self) -> None:
        """Abort the handshake, by OSError(ECONNABORTED), if its next step may not block the processor. The control loop runs
        only between two steps.
        """
        if self.shaking_hands and not self._may_stall():
            raise OSError(errno.ECONNABORTED)

    def _hurry(self) -> None:
        if self._waits:
            self._stream.settimeout(max(SHORTEST_S, (self._until_ms - self._clock.now_ms()) / 1000))

    def ioctl(self, request: int, argument: int) -> int:
        return 0
