"""Sends orders of roll-outs to the units (store/roll_out_orders.py): to take a release, or to give it up.

Runs where the way to the units is, and goes by the store alone. What was sent and not noted, because the process was killed,
is sent again: a unit takes an order that it has already.
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
    """One for all units, in the process that has the way to them."""

    def __init__(self, app_state: AppState) -> None:
        self._app_state = app_state

    async def run(self, duties: Duties) -> None:
        """For ever."""
        await duties.every(EVERY_S, "update_orders", self.send)

    async def send(self) -> None:
        """The next orders that are due. One that cannot reach its unit now is due again in the next turn. Raises
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
    """As cp/<id>/command has it."""
    command = {
        "id": f"{WITHDRAWAL if order.is_withdrawn else ORDER}-{order.name}-{secrets.token_hex(4)}",
        "do": "update",
        "v": "" if order.is_withdrawn else order.version,
        "h": order.name,
        "m": order.manifest_bytes,
        "r": order.is_required,
    }
    return json.dumps(command, separators=(",", ":")).encode()
