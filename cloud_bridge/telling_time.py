"""Tells the time to units that do not know it, or know another: not every mobile network tells it (a unit's heartbeat then
has no `t`), and some tell a wrong one, years ahead or an hour off.

Without it a schedule cannot hold, no command that ends by itself is carried out, and a pause of half an hour lasts an hour
and a half. A unit that was told a time that has turned out to be wrong, because our clock was set since, is told again.
"""

import json
import secrets
from collections import OrderedDict

from cloud_bridge.app_state import AppState

EVERY_S = 1.0  # between two looks
AGAIN_MS = 600_000  # to a unit that still does not know it: its firmware may be one that cannot be told
KEPT = 50_000  # units that were told within AGAIN_MS; of more, some are told again sooner


class TimeTeller:
    """One for each process that takes units in."""

    def __init__(self, app_state: AppState, kept: int = KEPT) -> None:
        self._house = app_state
        self._kept = kept
        self._told_ms: OrderedDict[str, int] = OrderedDict()  # the earliest first

    async def run(self) -> None:
        """For ever."""
        await self._house.duties.every(EVERY_S, "time", self.tell)

    async def tell(self) -> None:
        """Everybody who has shown since the last time that they do not know it."""
        timeless = self._house.live.timeless
        while timeless:
            unit_id = timeless.pop()
            verified_ms = self._house.verified.now_ms()
            if verified_ms - self._told_ms.get(unit_id, verified_ms - AGAIN_MS) < AGAIN_MS:
                continue
            self._told_ms[unit_id] = verified_ms
            self._told_ms.move_to_end(unit_id)
            self._forget(verified_ms)
            self._house.verified.told(unit_id)
            now_ms = self._house.clock.now_ms()
            order = {"id": f"t-{secrets.token_hex(8)}", "do": "time", "t": now_ms // 1000}
            await self._house.broker.command(unit_id, json.dumps(order, separators=(",", ":")).encode())

    def _forget(self, verified_ms: int) -> None:
        """Those who may be told again, and of more than may be kept the earliest."""
        while len(self._told_ms) > self._kept or verified_ms - next(iter(self._told_ms.values())) >= AGAIN_MS:
            self._told_ms.popitem(last=False)
