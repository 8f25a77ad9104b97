"""The certificates of the authorities that the unit trusts: one, or two while the authority is being changed
(authority_change.py).

Each has a file of its own, and a third file names the first of them: whatever is written, and wherever a power cut ends that,
the certificate in use stays as it is.
"""

import binascii

from firmware.storage import record_file

FILES = ("/authority", "/authority_2")
FIRST = "/authority_first"


class Authority:
    """The stored certificates, in `folder`. `entered` is what has come of one over the console; `kept` counts the changes
    since the start after which the stored ones have to be read again.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.entered = b""
        self.kept = 0

    def certificates(self) -> "list[bytes]":
        """Return them, DER; the first is the one that verified a connection last. One that is damaged is left out."""
        first = 1 if record_file.load(self.folder + FIRST) == 1 else 0
        found = [record_file.load(self.folder + FILES[number]) for number in (first, 1 - first)]
        return [binascii.a2b_base64(stored) for stored in found if isinstance(stored, str)]
