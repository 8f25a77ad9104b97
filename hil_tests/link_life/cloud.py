"""The cloud of all units: one bridge, whose broker dies with it, and the content of its database."""

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from hil_tests.fixtures.bridge_process import BridgeProcess
from hil_tests.fixtures.ports import free_ports


class Cloud:
    """A bridge with its data in `folder`."""

    def __init__(self, folder: Path) -> None:
        http_port, mqtt_port = free_ports(2)
        self.bridge = BridgeProcess(http_port, mqtt_port, folder)
        self._folder = folder
        self._killing = asyncio.Lock()

    async def kill(self, for_s: float) -> None:
        """Kill bridge and broker (SIGKILL), and start them again after `for_s`. Concurrent calls take turns."""
        async with self._killing:
            await self.bridge.kill()
            await asyncio.sleep(for_s)
            await self.bridge.start()

    def is_taken_for_two(self, unit_id: str) -> bool:
        """Return whether a second unit with this identity was ever noticed."""
        with contextlib.closing(sqlite3.connect(self._folder / "chargekeeper.db")) as database:
            query = "SELECT count(*) FROM duplicate_identities WHERE unit_id = ?"
            return bool(database.execute(query, (unit_id,)).fetchone()[0])

    def told(self, table: str, unit_id: str) -> list[dict[str, Any]]:
        """Return all messages of a unit in a table."""
        with contextlib.closing(sqlite3.connect(self._folder / "chargekeeper.db")) as database:
            rows = database.execute(f"SELECT payload FROM {table} WHERE unit_id = ?", (unit_id,))
            return [json.loads(row[0]) for row in rows]
