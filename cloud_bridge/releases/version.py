"""Firmware versions: three numbers, compared as numbers (semver.org without suffixes). Pure."""

import re
from typing import NamedTuple

_VERSION = re.compile(r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})")


class Version(NamedTuple):
    """A version. Later versions compare as greater."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def read_version(text: str) -> Version | None:
    """Parse a version. Return None if the text is not one."""
    found = _VERSION.fullmatch(text)
    return None if found is None else Version(*map(int, found.groups()))
