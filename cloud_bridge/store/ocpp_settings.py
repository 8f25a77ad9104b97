"""The settings of OCPP chargers: the value that we have set, the charger's answer, and the value that it reports. Only
units have rows, one for each setting."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from cloud_bridge.ocpp_settings import Answered, Setting, Told, Tried
from cloud_bridge.store.readable import Rows, readable
from cloud_bridge.store.tables import ocpp_settings, units
from cloud_bridge.store.upsert import replace

_COLUMNS = [ocpp_settings.c[name] for name in Setting._fields]
_ANSWERS = {one.value: one for one in Answered}


def record_settings(connection: Connection, settings: Sequence[tuple[str, Tried | Told]]) -> None:
    """Store settings by unit id. Ids that are not units are left out."""
    asked = sorted({unit_id for unit_id, _ in settings})
    known = set(connection.execute(select(units.c.id).where(units.c.id.in_(asked))).scalars())
    of_units = sorted((one for one in settings if one[0] in known), key=lambda one: (one[0], one[1].name))
    for kind in (Tried, Told):
        rows = [{"unit_id": unit_id, **one._asdict()} for unit_id, one in of_units if isinstance(one, kind)]
        replace(connection, ocpp_settings, rows)


@cache
def _of_one() -> Select[Any]:
    return select(*_COLUMNS).where(ocpp_settings.c.unit_id == bindparam("unit")).order_by(ocpp_settings.c.name)


def settings_of(connection: Connection, unit_id: str) -> Rows[Setting]:
    """Return the settings of a unit, sorted by name."""
    found = readable(_COLUMNS, connection.execute(_of_one(), {"unit": unit_id}))
    rows = (Setting(row.name, row.wanted, _ANSWERS.get(row.answered), row.value) for row in found)
    return Rows(rows, found.unreadable)
