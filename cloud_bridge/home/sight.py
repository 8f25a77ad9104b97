"""What one Home Assistant may see and do now, read from the store: by the access of its token, within the person's own time
with each unit.

The functions run in threads; nothing is cached here.
"""

import hmac
from collections.abc import Collection
from typing import NamedTuple

from cloud_bridge.app_state import AppState
from cloud_bridge.home import entities, topics
from cloud_bridge.home.entities import Device
from cloud_bridge.home.messages import messages
from cloud_bridge.store.access import Asker, Scope, may, token_for
from cloud_bridge.store.commands import newest_command
from cloud_bridge.store.ownership import periods_of
from cloud_bridge.store.page_versions import Version, token_versions, unit_versions
from cloud_bridge.store.tokens import FoundToken, find_token
from cloud_bridge.store.units import visible_units
from cloud_bridge.web.presentation.view import charge_point

MOST_UNITS = 50  # for one login, by id; fleets use the HTTP interface
OURS = 0  # id of the token in the settings, which is in no table


class Sight(NamedTuple):
    """What one token may see at one moment."""

    messages: dict[str, bytes]  # by topic; all are retained
    units: frozenset[str]
    former: frozenset[str]  # units that the person once had


def whose(app_state: AppState, token: str) -> FoundToken | None:
    """Return the token's owner and scopes. Return None if it does not exist, has expired or lacks the scope `read`. Raises
    SQLAlchemyError."""
    ours, now_ms = app_state.settings.api_token, app_state.verified.now_ms()
    if ours is not None and hmac.compare_digest(token.encode(), ours.encode()):
        return FoundToken(OURS, token_for(None, frozenset(Scope)), now_ms)
    with app_state.database.reading() as connection:
        found = find_token(connection, token, now_ms)
    return found if found is not None and may(found.token, Scope.READ) else None


def look(app_state: AppState, asker: Asker) -> Sight:
    """Read everything that the caller may see. Raises SQLAlchemyError."""
    told: dict[str, bytes] = {topics.STATUS: topics.THERE}
    with app_state.database.reading() as connection:
        units = visible_units(connection, asker, MOST_UNITS)
        former = set() if asker.id is None else {one.unit_id for one in periods_of(connection, asker.id)}
        may_order = may(asker, Scope.COMMAND)
        for unit in units:
            point = charge_point(app_state, unit)
            page = f"{app_state.settings.public_address}/charge-points/{unit.id}"
            told |= dict(entities.discovery(Device(unit.id, point.name, unit.protocol, page), may_order))
            told |= messages(point, newest_command(connection, unit.period, point.now_ms))
    ids = frozenset(unit.id for unit in units)
    return Sight(told, ids, frozenset(former - ids))


def versions(
    app_state: AppState, tokens: Collection[str], unit_ids: Collection[str]
) -> tuple[dict[str, Version], dict[str, Version]]:
    """Return the versions of tokens and units, by which changes are detected. Raises SQLAlchemyError."""
    with app_state.database.reading() as connection:
        return (
            token_versions(connection, tokens, app_state.verified.now_ms()),
            unit_versions(connection, unit_ids),
        )
