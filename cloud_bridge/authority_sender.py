"""Command units to trust the next certificate authority (`python -m cloud_bridge tls order`), and later to drop the old
one.

The order stays in the store, so a unit that is offline receives the command when it is back. The command is repeated to
a unit that has not confirmed it, because the command or the answer may be lost, and a unit that refused it may accept
it later.
"""

import asyncio
import json
import secrets

from cloud_bridge.app_state import AppState
from cloud_bridge.durations import DAY_MS
from cloud_bridge.duties import Duties
from cloud_bridge.lately import Lately
from cloud_bridge.store.authorities import ORDER_PREFIX, Authority, Progress, lacking, ordered

EVERY_S = 5.0  # between two turns
AT_ONCE = 50  # units in a turn
HEARD_MS = 2 * 3_600_000  # a unit without contact for longer counts as offline, and is sent nothing
AGAIN_MS = DAY_MS // 4  # before the command is repeated; each one costs 1 kB of GPRS
SENT_MAX = int(AT_ONCE * AGAIN_MS / EVERY_S / 1000)  # units that can be sent a command within AGAIN_MS, 30 MB


class AuthoritySender:
    """Sends the command to all units, a few in each turn."""

    def __init__(self, app_state: AppState) -> None:
        self._app_state = app_state
        self._wanted: Authority | None = None  # the order that `_sent` and `_after` belong to
        self._sent = Lately(AGAIN_MS, SENT_MAX)
        self._after = ""  # the id of the last unit of the previous turn

    async def run(self, duties: Duties) -> None:
        """Run until cancelled."""
        await duties.every(EVERY_S, "authority", self.send)

    async def send(self) -> None:
        """Send the command to the next units that have not carried it out. Raises SQLAlchemyError."""
        wanted = await asyncio.to_thread(self._ordered)
        if wanted != self._wanted:  # a different order, or the same one given again
            self._wanted, self._after = wanted, ""
            self._sent.clear()
        if wanted is None:
            return
        units = await asyncio.to_thread(self._lacking, wanted)
        self._after = units[-1].unit_id if len(units) == AT_ONCE else ""
        now_ms = self._app_state.verified.now_ms()
        for unit in units:
            if self._sent.has(unit.unit_id, now_ms):
                continue
            payload = json.dumps(_order(wanted, unit), separators=(",", ":")).encode()
            if await self._app_state.broker.command(unit.unit_id, payload):
                self._sent.add(unit.unit_id, now_ms)

    def _ordered(self) -> Authority | None:
        with self._app_state.database.reading() as connection:
            return ordered(connection)

    def _lacking(self, wanted: Authority) -> list[Progress]:
        heard_since_ms = self._app_state.clock.now_ms() - HEARD_MS
        with self._app_state.database.reading() as connection:
            return lacking(connection, wanted, heard_since_ms, self._after, AT_ONCE)


def _order(wanted: Authority, unit: Progress) -> dict[str, str]:
    command_id = f"a-{wanted.sha256[:ORDER_PREFIX]}-{secrets.token_hex(4)}"
    if unit.trusts is not None and unit.trusts.startswith(wanted.sha256):
        return {"id": command_id, "do": "authority_only", "sha256": wanted.sha256}
    return {"id": command_id, "do": "authority", "der": wanted.der}
