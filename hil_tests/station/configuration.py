"""The station's configuration, station.toml: the bridge, the settings of its units, and where it stores its files."""

import stat
import tomllib
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError, field_validator

from hil_tests.station.errors import StationTrouble

LOOPBACK = ("127.0.0.1", "::1", "localhost")
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class UnitSettings(BaseModel, extra="forbid", frozen=True):
    """Settings that every unit of this station gets."""

    board: str = "tcall"  # a board of firmware/boards
    image: Path | None = None  # MicroPython's image; a real board needs one
    broker: str = Field(min_length=1)  # host name, as the units reach it
    port: int = 8883
    plain_mqtt: bool = False  # for development: no TLS
    authority: Path | None = None  # PEM file of the authority for units; default: the one they trust already
    apn: str | None = None
    rating: list[Annotated[str, Field(max_length=40)]] = Field(max_length=3)  # lines of the label


class Configuration(BaseModel, extra="forbid", frozen=True):
    """Relative paths are relative to the folder of the file."""

    name: str = Field(pattern=r"^[ -~]{1,60}$")  # the station's name in its records
    bridge: str  # https://...
    authority: Path | None = None  # PEM file of the bridge's certificate authority; default: the system's authorities
    token: Path  # a file of mode 600 with a token of the scope `register`
    folder: Path = Path("station")
    printer: Path | None = None  # a device or file that accepts ZPL
    limits: Path | None = None  # default: limits.toml beside this module
    unit: UnitSettings

    @field_validator("bridge")
    @classmethod
    def _is_safe(cls, address: str) -> str:
        url = urlsplit(address)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
            raise ValueError("needs https://, because claim codes are sent to it; http:// only to this machine")
        return address.rstrip("/")

    def read_token(self) -> str:
        """Return the token. Raises StationTrouble if the file is missing or other users can read it."""
        try:
            if self.token.stat().st_mode & OTHERS:
                raise StationTrouble(f"others can read {self.token}: chmod 600 {self.token}")
            return self.token.read_text().strip()
        except OSError as error:
            raise StationTrouble(f"cannot read the token {self.token}: {error.strerror}") from None


def read_configuration(path: Path) -> Configuration:
    """Read and check the file. Raises StationTrouble, which names the first error."""
    try:
        told = Configuration(**tomllib.loads(path.read_text()))
    except ValidationError as error:
        first = error.errors()[0]
        raise StationTrouble(f"{path}: {'.'.join(str(one) for one in first['loc'])}: {first['msg']}") from None
    except (OSError, ValueError, TypeError) as error:
        raise StationTrouble(f"{path}: {error}") from None
    here = path.absolute().parent

    def placed(file: Path | None) -> Path | None:
        return None if file is None else here / file

    unit = told.unit.model_copy(update={"image": placed(told.unit.image), "authority": placed(told.unit.authority)})
    paths = {name: placed(getattr(told, name)) for name in ("authority", "token", "folder", "printer", "limits")}
    return told.model_copy(update=paths | {"unit": unit})
