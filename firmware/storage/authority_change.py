"""Changes the authorities that the unit trusts (authority.py), by pieces over the console and by commands of the cloud."""

import binascii
import hashlib
import os

from firmware.errors import CommandRefused
from firmware.storage import record_file
from firmware.storage.authority import FILES, FIRST

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.link.secure import Trust
    from firmware.storage.authority import Authority

DER_MAX = 2048  # bytes; a certificate with an RSA key of 4,096 bits has about 1,400


def enter(authority: "Authority", text: str) -> None:
    """Append a piece of a certificate, base64. Raises CommandRefused if it is not base64, or the total exceeds DER_MAX."""
    try:
        piece = binascii.a2b_base64(text)
    except ValueError:
        raise CommandRefused("not base64") from None
    if len(authority.entered) + len(piece) > DER_MAX:
        raise CommandRefused("longer than %d bytes" % DER_MAX)
    authority.entered += piece


def entered(authority: "Authority") -> bytes:
    """Return the entered certificate, DER, and discard it from `authority`. Raises CommandRefused if it is incomplete."""
    der, authority.entered = authority.entered, b""
    # ITU-T X.690, 8.1.3: a SEQUENCE, its length in the two bytes after 0x82.
    if len(der) < 4 or der[:2] != b"\x30\x82" or len(der) != 4 + (der[2] << 8 | der[3]):
        raise CommandRefused("not a whole certificate in DER")
    return der


def keep(authority: "Authority") -> None:
    """Store the entered certificate as the only one. Raises CommandRefused if it is incomplete; OSError if the flash fails."""
    der = entered(authority)
    keep_next(authority, der)
    keep_only(authority, _digest(der))
    authority.kept += 1


def keep_next(authority: "Authority", der: bytes) -> None:
    """Store a second certificate beside the first, replacing any earlier second one. Raises OSError if the flash fails."""
    trusted = authority.certificates()
    number = 1 if trusted and _load(authority, 0) == trusted[0] else 0
    if len(trusted) > 1:
        authority.kept += 1
    record_file.save(authority.folder + FILES[number], binascii.b2a_base64(der).decode().strip())


def put_first(authority: "Authority", digest: "bytes | None") -> None:
    """Make the certificate with this SHA-256 the first. Raises OSError if the flash fails."""
    for number in (0, 1):
        if _digest(_load(authority, number)) == digest:
            record_file.save(authority.folder + FIRST, number)


def keep_only(authority: "Authority", digest: bytes) -> None:
    """Remove all but the certificate with this SHA-256. Raises OSError if the flash fails."""
    put_first(authority, digest)
    for number in (0, 1):
        if _digest(_load(authority, number)) not in (b"", digest):
            os.remove(authority.folder + FILES[number])


def add(trust: "Trust", der: bytes) -> None:
    """Trust another certificate in the running TLS context. Raises CommandRefused if TLS cannot use it."""
    try:
        trust.loaded.load_verify_locations(der)  # type: ignore[union-attr]  # made at the start
    except ValueError:
        raise CommandRefused("not a certificate that TLS can use") from None
    trust.digests.append(_digest(der))


def confirm(trust: "Trust", note: "Callable[[str, dict[str, object]], None]") -> None:
    """Make the second certificate the first, after the broker accepted a connection that it verified. If the flash fails, the
    next connection tries again.
    """
    try:
        put_first(trust.authority, trust.verified)
    except OSError:
        return
    trust.digests.reverse()
    tell(trust.authority, note)


def tell(authority: "Authority", note: "Callable[[str, dict[str, object]], None]") -> None:
    """Record an event with the SHA-256 of each trusted certificate. `note(kind, details)` records it."""
    hexadecimal = [binascii.hexlify(_digest(der)).decode() for der in authority.certificates()]
    note("authority", {"trusts": " ".join(hexadecimal)})


def _load(authority: "Authority", number: int) -> bytes:
    """Return the certificate in FILES[number], DER; b"" if there is none."""
    stored = record_file.load(authority.folder + FILES[number])
    return binascii.a2b_base64(stored) if isinstance(stored, str) else b""


def _digest(der: bytes) -> bytes:
    """Return the SHA-256 of a certificate; b"" for b""."""
    return hashlib.sha256(der).digest() if der else b""
