"""The cloud of all units of a link life: one bridge, whose broker dies with it, and what its database says at the end."""

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from hil_tests.fixtures.bridge_process import BridgeProcess
from hil_tests.fixtures.ports import free_ports


class Cloud:
    """In `folder`."""

    def __init__(self, folder: Path) -> None:
        http_port, mqtt_port = free_ports(2)
        self.bridge = BridgeProcess(http_port, mqtt_port, folder)
        self._folder = folder
        self._killing = asyncio.Lock()

    async def kill(self, for_s: float) -> None:
        """kill -9 of bridge and broker; they are back after a while. One at a time."""
        async with self._killing:
            await self.bridge.kill()
            await asyncio.sleep(for_s)
            await self.bridge.start()

    def is_taken_for_two(self, unit_id: str) -> bool:
        """Whether a second unit with its identity was ever noticed."""
        with contextlib.closing(sqlite3.connect(self._folder / "chargekeeper.db")) as database:
            query = "SELECT count(*) FROM duplicate_identities WHERE unit_id = ?"
            return bool(database.execute(query, (unit_id,)).fetchone()[0])

    def told(self, table: str, unit_id: str) -> list[dict[str, Any]]:
        """Every message of a unit in a table."""
        with contextlib.closing(sqlite3.connect(self._folder / "chargekeeper.db")) as database:
            rows = database.execute(f"SELECT payload FROM {table} WHERE unit_id = ?", (unit_id,))
            return [json.loads(row[0]) for row in rows]
