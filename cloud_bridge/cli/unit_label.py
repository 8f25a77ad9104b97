"""`python -m cloud_bridge unit label ...`, and `unit add --label`: the label inside a charge point's cover.

Claim codes are stored as hashes. A label is therefore written when the unit is added, later with a new code, or with the
present code on standard input.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cloud_bridge.cli.area import Answer
from cloud_bridge.cli.security_log import record
from cloud_bridge.errors import BridgeError
from cloud_bridge.label import label_svg
from cloud_bridge.settings import Settings
from cloud_bridge.store import claims
from cloud_bridge.store.database import open_database
from cloud_bridge.store.private_files import private_opener
from cloud_bridge.store.security_events import Kind


class LabelFile:
    """A label file, created empty and private before there is a code, so that it can certainly be written."""

    def __init__(self, path: Path, descriptor: int, public_url: str) -> None:
        self.path = path
        self._descriptor = descriptor
        self._public_url = public_url

    def write(self, unit_id: str, claim_code: str) -> None:
        os.write(self._descriptor, label_svg(unit_id, claim_code, self._public_url).encode())


@contextmanager
def new_label(settings: Settings, name: str) -> Iterator[LabelFile]:
    """Create the file. Never overwrites one, and removes the empty file on errors. Raises BridgeError."""
    path = Path(name)
    if settings.public_url is None:
        raise BridgeError("set CHARGEKEEPER_PUBLIC_URL: the label's QR code leads there")
    if path.suffix != ".svg":
        raise BridgeError(f"{name}: a label is an SVG file, so its name has to end with .svg")
    try:
        descriptor = private_opener(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except OSError as error:
        raise BridgeError(f"cannot write {name}: {error.strerror}") from error
    try:
        yield LabelFile(path, descriptor, settings.public_url)
    except BaseException:
        path.unlink()
        raise
    finally:
        os.close(descriptor)


def label(settings: Settings, options: argparse.Namespace) -> Answer:
    """Write a label. With `--code -`, use the code on standard input, which has to be the unit's; otherwise create a new
    code."""
    with new_label(settings, options.out) as file, closing(open_database(settings.store)) as database:
        if options.code is None:
            with database.writing() as connection:
                code = claims.new_code(connection, options.id)
                record(connection, Kind.UNIT_LABEL, options.id)
        else:
            code = claims.as_printed(sys.stdin.readline())
            with database.reading() as connection:
                if not claims.is_code_of(connection, options.id, code):
                    raise BridgeError(f"this is not the claim code of {options.id}")
        file.write(options.id, code)
    return {"id": options.id, "claim_code": code, "label": options.out}
