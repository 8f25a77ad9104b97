"""One section `[provider.NAME]` of vehicles.toml: typed access to its keys, with the defaults of its kind.

Every method raises ValueError with a text that names the provider and the key.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Section(NamedTuple):
    """The settings of one provider."""

    name: str  # in the settings and in addresses: a-z, 0-9, hyphen
    values: Mapping[str, Any]

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string, or a number as text. Without a default, the key is required."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"{self.name}: {key} is {value!r}, not a text")
        return str(value)

    def optional_text(self, key: str) -> str | None:
        """Return a text, or None if the key is absent."""
        return self.text(key) if key in self.values else None

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise ValueError(f"{self.name}: {key} is {value!r}, not true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a required list of strings."""
        value = self.values.get(key)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{self.name}: {key} is {value!r}, not a list of texts")
        return tuple(value)

    def url(self, key: str) -> str:
        """Return a required address."""
        return checked_url(f"{self.name}: {key}", self.values.get(key))

    def optional_url(self, key: str) -> str | None:
        """Return an address, or None if the key is absent."""
        return self.url(key) if key in self.values else None

    def urls(self, key: str) -> tuple[str, ...]:
        """Return a required list of at least one address."""
        found = tuple(checked_url(f"{self.name}: {key}", url) for url in self.texts(key))
        if not found:
            raise ValueError(f"{self.name}: {key} is empty")
        return found


def checked_url(key: str, value: Any) -> str:
    """Return the address if tokens may be sent to it: over TLS, or on this machine. Raises ValueError with the key."""
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or not parts.hostname:
        raise ValueError(f"{key} is {value!r}, not an address")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError(f"{key} must begin with https://")
    return str(value)
