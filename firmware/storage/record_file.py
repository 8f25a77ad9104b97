"""One JSON value in a file that survives power cuts: checked when read, replaced as a whole when written.

On littlefs nothing that is written to a file counts before it is closed, so after a cut the file holds the old value or the
new one, and a small value costs one write to the flash. The CRC tells a file that was damaged otherwise.
"""

import binascii
import json


def load(path):
    """The value stored at `path`; None if there is none, or if it is damaged (the caller decides what that means)."""
    try:
        with open(path, "rb") as file:
            stored = file.read()
        crc, text = stored.split(b" ", 1)
        return json.loads(text) if int(crc, 16) == binascii.crc32(text) else None
    except (OSError, ValueError):
        return None


def save(path, value):
    """Store `value`; a value that is there already costs no flash write. OSError if the flash is full or worn out."""
    text = json.dumps(value).encode()
    stored = b"%08x " % binascii.crc32(text) + text
    if _same(path, stored):
        return
    with open(path, "wb") as file:
        file.write(stored)


def _same(path, stored):
    try:
        with open(path, "rb") as file:
            return file.read() == stored
    except OSError:
        return False
