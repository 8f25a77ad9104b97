"""The settings of `make run`, all from environment variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hil_tests.rig.preconditions import SettingError, check_folder, check_port

CHECKOUT = Path(__file__).resolve().parents[2]
UNIT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
PORTS = {  # variable: (default, what listens there)
    "CHARGEKEEPER_HTTP_PORT": (8080, "the dashboard"),
    "CHARGEKEEPER_PANEL_PORT": (8081, "the panel"),
    "CHARGEKEEPER_MQTT_PORT": (1883, "the MQTT broker"),
}
VARIABLES = (*PORTS, "CHARGEKEEPER_DATA", "CHARGEKEEPER_UNIT_ID")


@dataclass(frozen=True)
class Settings:
    """The ports, and where the data is."""

    http_port: int
    panel_port: int
    mqtt_port: int
    folder: Path
    unit_id: str

    @property
    def unit_folder(self) -> Path:
        """Where the virtual unit stores its flash."""
        return self.folder / f"unit-{self.unit_id}"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises SettingError for an unusable value."""
    http_port, panel_port, mqtt_port = (_port(environment, variable) for variable in PORTS)
    unit_id = environment.get("CHARGEKEEPER_UNIT_ID") or "CK-0001"
    if not UNIT_ID.fullmatch(unit_id):
        raise SettingError(f"CHARGEKEEPER_UNIT_ID is {unit_id!r}: use 1 to 36 letters, digits, underscores or hyphens")
    folder = Path(environment.get("CHARGEKEEPER_DATA") or CHECKOUT / "var").absolute()
    return Settings(http_port, panel_port, mqtt_port, folder, unit_id)


def check(settings: Settings) -> None:
    """Check ports and folder. Raises SettingError that names the first unusable one, and its variable."""
    taken: dict[int, str] = {}
    numbers = (settings.http_port, settings.panel_port, settings.mqtt_port)
    for (variable, (_, what)), port in zip(PORTS.items(), numbers, strict=True):
        if port in taken:
            raise SettingError(f"{variable} and {taken[port]} are both {port}: give one of them another port")
        taken[port] = variable
        check_port(port, what, variable)
    check_folder(settings.folder, "CHARGEKEEPER_DATA")


def _port(environment: Mapping[str, str], variable: str) -> int:
    text = environment.get(variable) or str(PORTS[variable][0])
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise SettingError(f"{variable} is {text!r}: set it to a port number from 1 to 65535")
    return int(text)
