"""The settings, all from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloud_bridge.errors import SettingError

CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the bridge listens and keeps its data."""

    host: str  # CHARGEKEEPER_HOST; only this machine unless asked for
    http_port: int  # CHARGEKEEPER_HTTP_PORT; 0 lets the system choose
    mqtt_port: int  # CHARGEKEEPER_MQTT_PORT; likewise
    folder: Path  # CHARGEKEEPER_DATA
    api_token: str | None  # CHARGEKEEPER_API_TOKEN: accepted beside the tokens in the store


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises SettingError that names the variable."""
    return Settings(
        host=environment.get("CHARGEKEEPER_HOST") or "127.0.0.1",
        http_port=_port(environment, "CHARGEKEEPER_HTTP_PORT", 8080),
        mqtt_port=_port(environment, "CHARGEKEEPER_MQTT_PORT", 1883),
        folder=Path(environment.get("CHARGEKEEPER_DATA") or CHECKOUT / "var"),
        api_token=environment.get("CHARGEKEEPER_API_TOKEN") or None,
    )


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise SettingError(f"{name} is {text!r}: set it to a port number from 0 to 65535")
    return int(text)
