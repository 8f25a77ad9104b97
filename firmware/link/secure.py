"""TLS end to end over the modem's stream: the modem carries bytes that it cannot read. TLS 1.3 where the runtime has it, else
TLS 1.2 with an ephemeral key exchange and authenticated encryption; the boot event says which.

The broker must show a certificate for the very name that we call, signed by an authority that the unit was given
(storage/authority.py): the present one, or the next one while the authority is being changed. There is no other list of
authorities, and no way on if the check fails.

Dates. mbedTLS compares a certificate's dates with the platform's clock. An ESP32 starts that in the year 2000, when no
certificate is valid yet; so the unit puts a clock that is behind the day of its firmware's build to that day (clock.py), and
Board.set_time corrects it as soon as the time is known, from the network (NITZ), which nobody has authenticated. Until then
a certificate that has expired since that day is taken, and one that was issued after it is refused; never is one taken for
another name or of another authority. A forged network time reaches no more: whoever forges it still needs the authority's key.

Each connection is a full handshake: MicroPython's `tls` can neither keep nor hand in a session.
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

HANDSHAKE_S = 60  # for all of it: two round trips, some 3 kB at GPRS speed, and a second of elliptic curves on an ESP32
SHORTEST_S = 0.001  # what is left of a deadline that has passed: takes what is there already
# By version. Naming those of one alone also says that nothing older will do. A stock ESP32 image of MicroPython has no TLS 1.3
# (no sdkconfig sets MBEDTLS_SSL_PROTO_TLS1_3), and refuses each name that it does not know with an OSError.
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
    """The other side did not prove who it is, or we were not told whom to trust; the text says which."""


class WrongCertificate(NotTrusted):
    """It showed a certificate that does not pass, and will show it again."""


class Trust:
    """Whom the unit trusts: a TLS context with the certificates of `authority`, a storage.authority.Authority.

    `tls_version` is the only one that is spoken. `loaded`, the context, is made once, while the heap is young: it needs 3 kB
    in one piece, which a heap that has been lived in may not have. `digests` are the SHA-256 of the trusted certificates, in
    their order; `verified` is that of the one that verified the last connection, None if that was made without TLS.
    """

    def __init__(self, authority: "Authority") -> None:
        self.verified: bytes | None = None
        self.authority = authority
        self.loaded: tls.SSLContext | None = None
        self._make()

    def context(self) -> "tls.SSLContext":
        """For the next connection. Raises NotTrusted while there is no authority."""
        self.verified = None
        if self._kept != self.authority.kept:
            self.loaded = None  # the new one takes its place in memory
            self._make()
        if not self.digests or self.loaded is None:
            raise NotTrusted("no certificate authority: give it one on the console, with `authority`")
        return self.loaded

    def _make(self) -> None:
        self.loaded = context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED  # type: ignore[attr-defined]  # the stubs do not know it
        context.verify_callback = self._verify  # type: ignore[attr-defined]  # likewise
        self.tls_version = _choose_ciphers(context)
        self._kept = self.authority.kept
        self.digests: list[bytes] = []
        for der in self.authority.certificates():
            try:
                context.load_verify_locations(der)  # adds to those that it has
            except ValueError:
                continue  # the other one may do
            self.digests.append(hashlib.sha256(der).digest())

    def _verify(self, certificate: bytes, depth: int) -> int:
        """Called by mbedTLS for each certificate of a chain, which ends at the first trusted one: so at most one is."""
        digest = hashlib.sha256(certificate).digest()
        if digest in self.digests:
            self.verified = digest
        return 0  # the verdict is that of mbedTLS


def _choose_ciphers(context: "tls.SSLContext") -> str:
    """The newest version of TLS that the runtime has ciphers of; names those alone. Raises NotTrusted if it has none."""
    for version, names in CIPHERS:
        known = [name for name in names if _takes(context, name)]
        if known:
            context.set_ciphers(known)
            return version
    raise NotTrusted("this runtime has no cipher that will do")


def _takes(context: "tls.SSLContext", name: str) -> bool:
    try:
        context.set_ciphers((name,))
        return True
    except OSError:
        return False


class SecureStream:
    """Stands between wire.py and modem.stream, for one connection."""

    def __init__(
        self, stream: "Stream", trust: "Trust", clock: "Clock", may_stall: "Callable[[], bool]" = lambda: True
    ) -> None:
        """`may_stall()` says whether the processor may stand still for a step of the handshake; asked before each."""
        self._stream = stream
        self._trust = trust
        self._pipe = _Pipe(stream, clock, may_stall)
        self._tls: Stream | None = None

    def connect(self, host: str, port: int, timeout_ms: int) -> None:
        """TCP and handshake. Raises NotTrusted, WrongCertificate, the stream's OSError; ECONNABORTED if it may not stall."""
        context = self._trust.context()
        self._stream.connect(host, port, timeout_ms)
        self._pipe.settimeout(HANDSHAKE_S)
        try:
            self._tls = context.wrap_socket(self._pipe, server_hostname=host)
            self._pipe.shaking_hands = False
        except ValueError as error:  # how MicroPython tells that a certificate did not pass
            raise WrongCertificate(str(error).strip()) from None
        except OSError as error:
            if error.args[0] < 0:  # mbedTLS's own numbers; the stream's are positive
                raise NotTrusted("handshake: %s" % error) from None
            raise
        if self._trust.verified is None:  # given up, but in the context until the next start
            raise WrongCertificate("its authority is no longer trusted")

    def settimeout(self, seconds: float) -> None:
        """All that is read and written until the next call must be done within `seconds`; 0 waits for nothing."""
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
        """TCP is closed too; a TLS goodbye to a line that may be dead would only wait."""
        self._tls = None
        self._stream.close()


class _Pipe(io.IOBase):
    """What `tls` reads and writes. It closes what it was given when it is collected, that is in the middle of anything and
    with the heap locked: here that closes nothing. It takes any error for the end: so a read that timed out, which may be
    tried again, is kept from it once hands are shaken (before that it would wait for ever). And it reads on until a record is
    whole: a deadline for each read would let somebody who hands over its bytes one by one hold us for days.
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
        """Whether a read timed out since this was asked last."""
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
        """Between two steps of a handshake, the only places in which the control loop runs."""
        if self.shaking_hands and not self._may_stall():
            raise OSError(errno.ECONNABORTED)

    def _hurry(self) -> None:
        if self._waits:
            self._stream.settimeout(max(SHORTEST_S, (self._until_ms - self._clock.now_ms()) / 1000))

    def ioctl(self, request: int, argument: int) -> int:
        return 0
