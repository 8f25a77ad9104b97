"""Slots and their record as an update leaves them, for tests of a starter."""

import binascii
import hashlib
import json
import struct
from pathlib import Path


def product_of(source: str) -> bytes:
    """Return a product with one file: this program, started as firmware.main."""
    path, content = b"firmware/main.py", source.encode()
    return struct.pack(">H", len(path)) + path + struct.pack(">I", len(content)) + content


def product(name: str) -> bytes:
    """Return a product that prints its name when it is started."""
    return product_of(says(name))


def says(name: str) -> str:
    """Return a program that prints its name."""
    return f"print('started {name}')\nraise SystemExit\n"


def lay_slot(folder: Path, version: str, stream: bytes) -> None:
    """Write a slot to `folder`, with the product `stream`."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {"version": version, "unpacked": len(stream), "unpacked_sha256": hashlib.sha256(stream).hexdigest()}
    (folder / "manifest").write_text(json.dumps(said) + "\n0 signature\n")
    (folder / "product").write_bytes(stream)


def lay_record(folder: Path, **changed: object) -> None:
    """Write the record to the flash `folder`: the flashed version runs, unless `changed` differs."""
    record = {"active": "built_in", "before": "built_in", "state": "settled", "strikes": 0, "why": None, "tell": []}
    text = json.dumps(record | changed).encode()
    (folder / "slots").write_bytes(b"%08x " % binascii.crc32(text) + text)
