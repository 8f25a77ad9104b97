"""Send the time to units that do not know it or have a wrong one. Not every mobile network provides the time (a unit's
heartbeat then has no `t`), and some provide a wrong one, years ahead or an hour off.

Without the right time a unit cannot follow its schedule and carries out no command that expires, and with a clock an
hour off a pause of half an hour lasts an hour and a half. If our clock has been set since a unit received the time, it
is sent again.
"""

import json
import secrets

from cloud_bridge.app_state import AppState
from cloud_bridge.lately import Lately

EVERY_S = 1.0  # between two turns
AGAIN_MS = 600_000  # between two time commands to one unit: its firmware may not support the command


class TimeTeller:
    """Sends the time to the units of this process. Each process that receives units' messages has one."""

    def __init__(self, app_state: AppState) -> None:
        self._house = app_state
        self._told = Lately(AGAIN_MS)

    async def run(self) -> None:
        """Run until cancelled."""
        await self._house.duties.every(EVERY_S, "time", self.tell)

    async def tell(self) -> None:
        """Send the time to all units that have shown since the last turn that theirs is unknown or wrong."""
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
