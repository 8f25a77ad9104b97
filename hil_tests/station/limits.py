"""The limits of the production test (limits.toml), and the verdict by them. Pure."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from hil_tests.station.errors import StationTrouble

FILE = Path(__file__).with_name("limits.toml")


class Limit(BaseModel, extra="forbid", frozen=True):
    """The limits of one measured value, both inclusive, and the advice to whoever repairs the unit."""

    least: float
    most: float
    advice: str = Field(min_length=1)

    def failure(self, name: str, value: float) -> str | None:
        """Return the line that describes the failure, or None if the value is allowed."""
        if self.least <= value <= self.most:
            return None
        if self.least == self.most:
            return f"{name} failed: {self.advice}"
        return f"{name} is {value:g}, allowed {self.least:g} to {self.most:g}: {self.advice}"


Limits = Mapping[str, Limit]


def read_limits(path: Path = FILE) -> dict[str, Limit]:
    """Return the limits by name, in the order of the file. Raises StationTrouble."""
    try:
        return {name: Limit(**told) for name, told in tomllib.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, ValidationError) as error:
        raise StationTrouble(f"{path}: {_first_line(error)}") from None


def judge(limits: Limits, measured: Mapping[str, float]) -> str | None:
    """Return the first failure of the measured values, in the order of the limits, or None.

    Raises StationTrouble for a value that has no limit.
    """
    unlimited = [name for name in measured if name not in limits]
    if unlimited:
        raise StationTrouble(f"the limits do not contain {', '.join(unlimited)}")
    for name, limit in limits.items():
        if name in measured and (failure := limit.failure(name, measured[name])):
            return failure
    return None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), repr(error))
