"""The certificate of the only certificate authority that the unit trusts, entered over the console in pieces."""

import binascii

from firmware.errors import CommandRefused
from firmware.storage import record_file

FILE = "/authority"
DER_MAX = 2048  # bytes; a certificate with an RSA key of 4,096 bits has about 1,400


class Authority:
    """The stored certificate, in `folder`, and the one being entered. `kept` counts certificates stored since the start."""

    def __init__(self, folder: str) -> None:
        self._path = folder + FILE
        self._entered = b""
        self.kept = 0

    def der(self) -> bytes | None:
        """Return the stored certificate, DER, or None."""
        stored = record_file.load(self._path)
        return binascii.a2b_base64(stored) if isinstance(stored, str) else None

    def begin(self) -> None:
        """Discard a certificate that was entered in part. The stored one is replaced by `keep` only."""
        self._entered = b""

    def add(self, text: str) -> None:
        """Append a piece, base64. Raises CommandRefused if it is not base64, or above DER_MAX."""
        try:
            piece = binascii.a2b_base64(text)
        except ValueError:
            raise CommandRefused("not base64") from None
        if len(self._entered) + len(piece) > DER_MAX:
            raise CommandRefused("longer than %d bytes" % DER_MAX)
        self._entered += piece

    def keep(self) -> None:
        """Store the entered certificate. Raises CommandRefused if it is incomplete; OSError if the flash fails."""
        der = self._entered
        # ITU-T X.690, 8.1.3: a SEQUENCE, its length in the two bytes after 0x82.
        if len(der) < 4 or der[:2] != b"\x30\x82" or len(der) != 4 + (der[2] << 8 | der[3]):
            raise CommandRefused("not a whole certificate in DER")
        record_file.save(self._path, binascii.b2a_base64(der).decode().strip())
        self._entered = b""
        self.kept += 1
