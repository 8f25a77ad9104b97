"""The tariffs that people can choose from: great_britain.toml, read once and validated."""

import re
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from cloud_bridge.store.sites import Tariff
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

GREAT_BRITAIN = Path(__file__).with_name("great_britain.toml")
ANY_SUPPLIER = N_("Any supplier")  # the only one that is not a name
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


class Preset(NamedTuple):
    """One tariff of a supplier. Rates in the file are in pence per kWh, those in `tariff` in hundredths of a penny."""

    id: str
    supplier: str
    name: str
    tariff: Tariff
    source: str
    as_of: date
    is_verified: bool
    note: str

    @property
    def title(self) -> str:
        return f"{_(self.supplier)}, {self.name}"


@cache
def presets() -> dict[str, Preset]:
    """Return the tariffs by id, in the order of the file. Raises ValueError or KeyError if the file does not have the format
    that its head describes."""
    with GREAT_BRITAIN.open("rb") as file:
        found = [_preset(entry) for entry in tomllib.load(file)["tariff"]]
    return {preset.id: preset for preset in found}


def _preset(entry: dict[str, Any]) -> Preset:
    begin = end = 0
    if "off_peak" in entry:
        match = _HOURS.fullmatch(entry["off_peak"])
        if match is None:
            raise ValueError(f"{entry['id']}: off_peak is HH:MM-HH:MM")
        begin, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    off_peak_rate = round(entry["off_peak_rate"] * 100) if "off_peak" in entry else None
    tariff = Tariff(round(entry["rate"] * 100), off_peak_rate, begin, end)
    known = (entry["source"], entry["as_of"], entry["verified"], entry.get("note", ""))
    return Preset(entry["id"], entry["supplier"], entry["name"], tariff, *known)
