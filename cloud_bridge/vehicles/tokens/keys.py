"""The vault's keys: in a file in the data folder that only its owner may read, or in the environment.

Each key has an id, and a sealed value names its key. A new key can therefore be introduced while old keys still decrypt older
values. The file is checked for changes before every use, so a key that the command line has just added is used at once.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from cloud_bridge.errors import BridgeError, SettingError
from cloud_bridge.store.private_files import make_private_folder

VARIABLE = "CHARGEKEEPER_VEHICLE_KEYS"  # "id:base64" separated by commas; the first key encrypts
FILE_NAME = "vehicle-keys.json"
KEY_BYTES = 32  # AES-256


class KeyGone(BridgeError):
    """A key that stored values are encrypted with is missing."""


class Keys(NamedTuple):
    """The keys by id. `current` is the id of the key that encrypts."""

    current: str
    keys: dict[str, bytes]

    def __repr__(self) -> str:
        return f"Keys({', '.join(self.keys)})"


class KeyFile:
    """The keys in a file, which is created with a first key if it does not exist. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._lock = Lock()
        self._seen: tuple[int, int] | None = None
        self._keys = Keys("", {})

    def keys(self) -> Keys:
        """Return the present keys of the file. Raises KeyGone if it can be neither read nor created."""
        with self._lock:
            if not self._path.exists():
                try:
                    make_private_folder(self._path.parent)
                    self._write(_with_new(Keys("", {})), only_if_absent=True)
                except OSError as error:
                    raise KeyGone(f"cannot write {self._path}: {error.strerror}") from error
            status = self._path.stat()
            if self._seen != (status.st_mtime_ns, status.st_ino):
                self._keys, self._seen = _read(self._path), (status.st_mtime_ns, status.st_ino)
            return self._keys

    def add(self) -> str:
        """Add a key that encrypts from now on. Return its id. Raises KeyGone."""
        keys = _with_new(self.keys())
        with self._lock:
            self._write(keys)
        return keys.current

    def drop(self, unused: set[str]) -> None:
        """Delete keys that no stored value uses, except the current one. Raises KeyGone."""
        now = self.keys()
        remaining = {key_id: key for key_id, key in now.keys.items() if key_id not in unused or key_id == now.current}
        with self._lock:
            self._write(Keys(now.current, remaining))

    def _write(self, keys: Keys, only_if_absent: bool = False) -> None:
        """Replace the file atomically: a crash leaves either the old or the new file."""
        content = {
            "current": keys.current,
            "keys": {name: base64.b64encode(key).decode() for name, key in keys.keys.items()},
        }
        fresh = self._path.with_name(f".{FILE_NAME}.{secrets.token_hex(4)}")
        with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        try:
            if only_if_absent:  # two processes may start at once; the first one's key is used
                os.link(fresh, self._path)
            else:
                os.replace(fresh, self._path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink(missing_ok=True)


class KeysOfEnvironment:
    """Keys for operators with a secret store of their own. To rotate, put the new key first, and run `rotate-key`."""

    def __init__(self, value: str) -> None:
        keys: dict[str, bytes] = {}
        for part in value.split(","):
            name, _, encoded = part.strip().partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except ValueError:
                key = b""
            if not name or len(key) != KEY_BYTES:
                raise SettingError(f'{VARIABLE} is not "id:base64,id:base64": each key is {KEY_BYTES} bytes')
            keys[name] = key
        self._keys = Keys(next(iter(keys)), keys)

    def keys(self) -> Keys:
        return self._keys


KeySource = KeyFile | KeysOfEnvironment


def key_source(folder: Path, environment: Mapping[str, str]) -> KeySource:
    """Return the environment's keys if there are any, else those of the file. Raises SettingError."""
    value = environment.get(VARIABLE)
    return KeysOfEnvironment(value) if value else KeyFile(folder)


def _with_new(keys: Keys) -> Keys:
    name = secrets.token_hex(4)
    return Keys(name, keys.keys | {name: secrets.token_bytes(KEY_BYTES)})


def _read(path: Path) -> Keys:
    try:
        content = json.loads(path.read_text())
        keys = {str(name): base64.b64decode(key, validate=True) for name, key in content["keys"].items()}
        current = str(content["current"])
        keys[current]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyGone(f"cannot use {path}: put the file back, or every car must be connected again") from error
    return Keys(current, keys)
