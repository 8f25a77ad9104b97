"""Tells the time to units that do not know it, or know another: not every mobile network tells it (a unit's heartbeat then
has no `t`), and some tell a wrong one, years ahead or an hour off.

Without it a schedule cannot hold, no command that ends by itself is carried out, and a pause of half an hour lasts an hour
and a half. A unit that was told a time that has turned out to be wrong, because our clock was set since, is told again.
"""

import json
import secrets

from cloud_bridge.app_state import AppState
from cloud_bridge.lately import Lately

EVERY_S = 1.0  # between two looks
AGAIN_MS = 600_000  # to a unit that still does not know it: its firmware may be one that cannot be told


class TimeTeller:
    """One for each process that takes units in."""

    def __init__(self, app_state: AppState) -> None:
        self._house = app_state
        self._told = Lately(AGAIN_MS)

    async def run(self) -> None:
        """For ever."""
        await self._house.duties.every(EVERY_S, "time", self.tell)

    async def tell(self) -> None:
        """Everybody who has shown since the last time that they do not know it."""
        timeless = self._house.live.timeless
        while timeless:
            unit_id = timeless.pop()
            verified_ms = self._house.verified.now_ms()
            if self._told.has(unit_id, verified_ms):
                continue
            self._told.add(unit_id, verified_ms)
            self._house.verified.told(unit_id)
            now_ms = self._house.clock.now_ms()
            order = {"id": f"t-{secrets.token_hex(8)}", "do": "time", "t": now_ms // 1000}
            await self._house.broker.command(unit_id, json.dumps(order, separators=(",", ":")).encode())
