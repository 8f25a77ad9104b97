"""`python -m cloud_bridge unit label ...`, and `unit add --label`: the label inside a charge point's cover.

A claim code is stored as a hash: so a label is written when the unit is added, with a new code, or with the present one typed.
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
    """A file that is there already, empty and private: that it can be written is known before a code is made."""

    def __init__(self, path: Path, descriptor: int, public_url: str) -> None:
        self.path = path
        self._descriptor = descriptor
        self._public_url = public_url

    def write(self, unit_id: str, claim_code: str) -> None:
        os.write(self._descriptor, label_svg(unit_id, claim_code, self._public_url).encode())


@contextmanager
def new_label(settings: Settings, name: str) -> Iterator[LabelFile]:
    """Overwrites nothing, and leaves no empty file. Raises BridgeError."""
    path = Path(name)
    if settings.public_url is None:
        raise BridgeError("set CHARGEKEEPER_PUBLIC_URL: the label's QR code leads there")
    if path.suffix != ".svg":
        raise BridgeError(f"{name} is no name of a label: it is an SVG, so end it with .svg")
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
    """With `--code -` of the code on standard input, which has to be the unit's; else of a new one."""
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
