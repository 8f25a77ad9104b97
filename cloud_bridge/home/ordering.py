"""Commands from Home Assistant to a charge point, with the same access rights and rates as over HTTP."""

import asyncio
import logging
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge import commands
from cloud_bridge.app_state import AppState
from cloud_bridge.home import sight
from cloud_bridge.home.orders import NoOrder, holds_ms, read_order
from cloud_bridge.store.access import Scope, may
from cloud_bridge.store.error_text import reason_of
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.units import visible_unit
from cloud_bridge.web.api.command_schema import ORDER
from cloud_bridge.web.security.rates import NOBODY, ORDERS, Rates

_log = logging.getLogger(__name__)


class Ordered(NamedTuple):
    """A command as it was published."""

    unit_id: str
    name: str
    payload: bytes


class Ordering:
    """The commands of all connections of this process."""

    def __init__(self, app_state: AppState) -> None:
        self._app_state = app_state
        self._rates = Rates()

    async def carry_out(self, token: str, network: str, ordered: Ordered) -> str | None:
        """Send a command. Returns when the charge point's broker has received it, or when it is known that it has not; then
        returns the reason in words. Returns None if the charge point's answer will be in the store."""
        try:
            return await asyncio.to_thread(self._carry_out, token, network, ordered)
        except SQLAlchemyError as error:
            _log.warning("a command from Home Assistant was not sent: %s", reason_of(error))
            return f"{ordered.name}: not given, try again"

    def _carry_out(self, token: str, network: str, ordered: Ordered) -> str | None:
        app_state, now_ms = self._app_state, self._app_state.clock.now_ms()
        found = sight.whose(app_state, token)
        if found is None or not may(found.token, Scope.COMMAND):
            return f"{ordered.name}: not given, the token may not order"
        if self._rates.use(NOBODY if found.token.id is None else found.token.id, ORDERS, app_state.verified.now_ms()):
            return f"{ordered.name}: not given, too many orders"
        with app_state.database.reading() as connection:
            unit = visible_unit(connection, found.token, ordered.unit_id)
        if unit is None:  # it has just changed hands
            return None
        try:
            order = read_order(ordered.name, ordered.payload)
            held_ms = holds_ms(order, now_ms)
        except NoOrder as error:
            return f"{ordered.name}: not given, {error}"
        do = ORDER.get(order.do, order.do)
        if not commands.is_possible(unit.protocol, do, order.arguments()):
            return f"{ordered.name}: not given, this charger cannot do this"
        app_state.security_log.note(Kind.COMMAND, network, found.token.id, f"{do} to {unit.id}")
        commands.give(app_state, unit.id, found.token.id, do, order.arguments(), held_ms)
        return None
