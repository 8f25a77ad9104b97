"""The kinds of providers. Each registers itself when its file in this folder is imported.

A new kind is one new file here that ends with `registry.add(...)`; nothing else names it. The model is evcc's `registry.Add`
(https://github.com/evcc-io/evcc, vehicle/registry.go).
"""

import pkgutil
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import httpx2

from cloud_bridge.vehicles import providers
from cloud_bridge.vehicles.providers.provider import Provider
from cloud_bridge.vehicles.providers.section import Section

Make = Callable[[Section, httpx2.BaseTransport], Provider]  # raises ValueError for unusable settings


class Kind(NamedTuple):
    """The meaning of `kind = "..."` in vehicles.toml."""

    make: Make
    defaults: Mapping[str, Any]  # for the keys of its section


_kinds: dict[str, Kind] = {}


def add(kind: str, make: Make, defaults: Mapping[str, Any]) -> None:
    """Register a kind. Raises ValueError if another file has registered it."""
    if kind in _kinds:
        raise ValueError(f"the provider kind {kind!r} is registered twice")
    _kinds[kind] = Kind(make, defaults)


def kinds() -> Mapping[str, Kind]:
    """Return all kinds in alphabetical order. Imports every module of this folder, once."""
    for module in pkgutil.iter_modules(providers.__path__):
        import_module(f"{providers.__name__}.{module.name}")
    return dict(sorted(_kinds.items()))
