"""A JSON value in a file with a CRC, which is replaced atomically.

On littlefs, data written to a file take effect when it is closed. After a power cut the file therefore has the old value or
the new one, and a small value costs one flash write. The CRC detects other damage.
"""

import binascii
import json

if False:  # for mypy alone
    from typing import Any


def load(path: str) -> "Any":
    """Return the value stored at `path`; None if there is none or it is damaged. Raises nothing."""
    try:
        with open(path, "rb") as file:
            stored = file.read()
        crc, text = stored.split(b" ", 1)
        return json.loads(text) if int(crc, 16) == binascii.crc32(text) else None
    except (OSError, ValueError):
        return None


def save(path: str, value: object) -> None:
    """Store `value`, unless it is unchanged. Raises OSError if the flash fails."""
    text = json.dumps(value).encode()
    stored = b"%08x " % binascii.crc32(text) + text
    if _same(path, stored):
        return
    with open(path, "wb") as file:
        file.write(stored)


def _same(path: str, stored: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return bool(file.read() == stored)
    except OSError:
        return False
