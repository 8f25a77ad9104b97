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
    mqtt_port: int  # CHARGEKEEPER_MQTT_PORT; likewise. Only on this machine, unless CHARGEKEEPER_MQTT_PLAIN=anywhere
    folder: Path  # CHARGEKEEPER_DATA
    api_token: str | None  # CHARGEKEEPER_API_TOKEN: accepted beside the tokens in the store
    mqtts_port: int = 8883  # CHARGEKEEPER_MQTTS_PORT: TLS, opened when there is a certificate
    tls_cert: Path | None = None  # CHARGEKEEPER_TLS_CERT: PEM, with the chain
    tls_key: Path | None = None  # CHARGEKEEPER_TLS_KEY: PEM
    mqtt_plain_anywhere: bool = False  # CHARGEKEEPER_MQTT_PLAIN=anywhere: secrets cross the network in clear text
    maker: str = ""  # CHARGEKEEPER_MAKER: how drivers reach the manufacturer, one line, shown beside a red light


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises SettingError that names the variable."""
    return Settings(
        host=environment.get("CHARGEKEEPER_HOST") or "127.0.0.1",
        http_port=_port(environment, "CHARGEKEEPER_HTTP_PORT", 8080),
        mqtt_port=_port(environment, "CHARGEKEEPER_MQTT_PORT", 1883),
        folder=Path(environment.get("CHARGEKEEPER_DATA") or CHECKOUT / "var"),
        api_token=environment.get("CHARGEKEEPER_API_TOKEN") or None,
        mqtts_port=_port(environment, "CHARGEKEEPER_MQTTS_PORT", 8883),
        tls_cert=_path(environment, "CHARGEKEEPER_TLS_CERT"),
        tls_key=_path(environment, "CHARGEKEEPER_TLS_KEY"),
        mqtt_plain_anywhere=_choice(environment, "CHARGEKEEPER_MQTT_PLAIN", ("loopback", "anywhere")) == "anywhere",
        maker=environment.get("CHARGEKEEPER_MAKER", ""),
    )


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name)
    return Path(text) if text else None


def _choice(environment: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    """One of the words; the first when it is not set."""
    text = environment.get(name) or words[0]
    if text not in words:
        raise SettingError(f"{name} is {text!r}: set it to {' or '.join(words)}")
    return text


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise SettingError(f"{name} is {text!r}: set it to a port number from 0 to 65535")
    return int(text)
