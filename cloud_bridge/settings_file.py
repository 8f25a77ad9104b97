"""Read settings from a TOML file, as an alternative to the environment.

    http_port = 8080
    public_url = "https://chargers.example"
    proxies = ["127.0.0.1", "::1"]
    home_assistant = true

A key is the setting's name without CHARGEKEEPER_, in lower case.
"""

import stat
import tomllib
from collections.abc import MutableMapping
from pathlib import Path

from cloud_bridge.errors import SettingError
from cloud_bridge.setting_names import FILE, PREFIX, SETTINGS, check_names

MAX_BYTES = 100_000
SECRETS = frozenset(setting.name for setting in SETTINGS if setting.is_secret)


def add_file(environment: MutableMapping[str, str]) -> None:
    """Add the settings of the file that CHARGEKEEPER_SETTINGS names to the environment, without overriding any. Raises
    SettingError."""
    name = environment.get(FILE)
    if not name:
        return
    for setting, value in _read(Path(name)).items():
        environment.setdefault(setting, value)


def _read(path: Path) -> dict[str, str]:
    """Return the settings of the file as environment variables."""
    try:
        with path.open("rb") as file:
            is_anybodys = bool(stat.S_IMODE(path.stat().st_mode) & stat.S_IROTH)
            text = file.read(MAX_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{FILE}: {path} cannot be read: {error}") from error
    if len(text) > MAX_BYTES:
        raise SettingError(f"{FILE}: {path} is larger than {MAX_BYTES} bytes")
    try:
        rows = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingError(f"{FILE}: {path} is not TOML: {error}") from error
    values = {PREFIX + key.upper(): _as_text(path, key, value) for key, value in rows.items()}
    try:
        check_names(values)
    except SettingError as error:
        raise SettingError(f"{FILE}: {path}: {error}") from error
    if FILE in values:
        raise SettingError(f"{FILE}: {path} names another settings file: only one is possible")
    if is_anybodys and (secret := sorted(SECRETS & values.keys())):
        raise SettingError(f"{FILE}: {path} has {secret[0]} and is readable by everybody: chmod 600 {path}")
    return values


def _as_text(path: Path, key: str, value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    text = ",".join(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value
    if isinstance(text, str | int) and "\0" not in str(text):  # not allowed in an environment
        return str(text)
    raise SettingError(f"{FILE}: {path}: {key} has to be a text, a number, true, false or a list of texts")
