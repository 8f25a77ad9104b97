"""The certificates of the authorities that the unit trusts: one, or two while the authority is being changed
(authority_change.py).

Each certificate has its own file, and a third file names the first of them. The certificate in use therefore stays intact
whatever is written, and wherever a power cut interrupts the write.
"""

import binascii

from firmware.storage import record_file

FILES = ("/authority", "/authority_2")
FIRST = "/authority_first"


class Authority:
    """The stored certificates, in `folder`. `entered`: the part of a certificate that was received so far; `kept`: count of
    the changes since the start that require the stored certificates to be read again.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.entered = b""
        self.kept = 0

    def certificates(self) -> "list[bytes]":
        """Return the certificates, DER. The first is the one that verified a connection last. Damaged ones are omitted."""
        first = 1 if record_file.load(self.folder + FIRST) == 1 else 0
        found = [record_file.load(self.folder + FILES[number]) for number in (first, 1 - first)]
        return [binascii.a2b_base64(stored) for stored in found if isinstance(stored, str)]
