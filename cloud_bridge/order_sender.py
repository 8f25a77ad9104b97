"""Send roll-out commands to units (store/roll_out_orders.py): to install a release, or to abandon it.

It runs in the process that is connected to the units, and keeps its state in the store only. If the process is killed
between sending and storing that, the command is sent again; a unit accepts a command that it has received before.
"""

import asyncio
import json
import secrets

from cloud_bridge.app_state import AppState
from cloud_bridge.duties import Duties
from cloud_bridge.store.roll_out_orders import Order, due, mark_sent
from cloud_bridge.store.roll_out_reports import ORDER, WITHDRAWAL

EVERY_S = 5.0  # between two turns
AT_ONCE = 50  # orders in a turn


class OrderSender:
    """Sends the commands to all units, from the process that is connected to them."""

    def __init__(self, app_state: AppState) -> None:
        self._app_state = app_state

    async def run(self, duties: Duties) -> None:
        """Run until cancelled."""
        await duties.every(EVERY_S, "update_orders", self.send)

    async def send(self) -> None:
        """Send the next commands that are due. A command whose unit cannot be reached now stays due. Raises
        SQLAlchemyError."""
        now_ms = self._app_state.clock.now_ms()
        orders = await asyncio.to_thread(self._due, now_ms)
        sent = [order for order in orders if await self._app_state.broker.command(order.unit_id, payload_of(order))]
        if sent:
            await asyncio.to_thread(self._mark_sent, sent, now_ms)

    def _due(self, now_ms: int) -> list[Order]:
        with self._app_state.database.reading() as connection:
            return due(connection, now_ms, AT_ONCE)

    def _mark_sent(self, sent: list[Order], now_ms: int) -> None:
        with self._app_state.database.writing() as connection:
            mark_sent(connection, sent, now_ms)


def payload_of(order: Order) -> bytes:
    """Return the JSON payload for cp/<id>/command."""
    command = {
        "id": f"{WITHDRAWAL if order.is_withdrawn else ORDER}-{order.name}-{secrets.token_hex(4)}",
        "do": "update",
        "v": "" if order.is_withdrawn else order.version,
        "h": order.name,
        "m": order.manifest_bytes,
        "r": order.is_required,
    }
    return json.dumps(command, separators=(",", ":")).encode()
