"""The certificate authority that the unit trusts, and no other: its certificate, given over the console in pieces."""

import binascii

from firmware.errors import CommandRefused
from firmware.storage import record_file

FILE = "/authority"
DER_MAX = 2048  # bytes; one with an RSA key of 4,096 bits takes some 1,400


class Authority:
    def __init__(self, folder):
        self._path = folder + FILE
        self._coming = b""
        self.kept = 0  # times that another one was given since the start

    def der(self):
        """The certificate as DER, or None."""
        stored = record_file.load(self._path)
        return binascii.a2b_base64(stored) if isinstance(stored, str) else None

    def begin(self):
        """Forget what came of another one; what is stored stays until `keep`."""
        self._coming = b""

    def add(self, text):
        """The next piece, in base64. Raises CommandRefused."""
        try:
            piece = binascii.a2b_base64(text)
        except ValueError:
            raise CommandRefused("not base64") from None
        if len(self._coming) + len(piece) > DER_MAX:
            raise CommandRefused("longer than %d bytes" % DER_MAX)
        self._coming += piece

    def keep(self):
        """Store what has come, if it is whole. Raises CommandRefused."""
        der = self._coming
        # X.690: a SEQUENCE, its length in the two bytes that follow 0x82.
        if len(der) < 4 or der[:2] != b"\x30\x82" or len(der) != 4 + (der[2] << 8 | der[3]):
            raise CommandRefused("not a whole certificate in DER")
        record_file.save(self._path, binascii.b2a_base64(der).decode().strip())
        self._coming = b""
        self.kept += 1
