"""What the pages and the interface are given: the parts of the running bridge that they read."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from cloud_bridge.alerts.letters import Letters
from cloud_bridge.alerts.push_key import PushKey
from cloud_bridge.clock import Clock
from cloud_bridge.contact import UptimeLedger
from cloud_bridge.counters import Counters
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.ocpp.door import OcppDoor
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.ingest.update_pieces import UpdatePieces
from cloud_bridge.live import Live
from cloud_bridge.passwords import PasswordTurns
from cloud_bridge.second_factor import SecondFactors
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import Database
from cloud_bridge.store.leadership import Leadership
from cloud_bridge.store.recorder import Recorder
from cloud_bridge.store.shard_lock import ShardLock
from cloud_bridge.store.standby import Standby
from cloud_bridge.unit_reports import UnitReports
from cloud_bridge.upkeep import Upkeep
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.verified_time import VerifiedTime


class Broker(Protocol):
    """The way to the units, wherever their broker is."""

    @property
    def connections(self) -> int:
        """How many units are connected; 0 where only their broker knows."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why it takes in nothing yet; None: it does, or has nothing to take in."""
        ...

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Publish on cp/<id>/command. False: it cannot reach the unit now."""
        ...

    async def pieces(self, unit_id: str, payloads: list[bytes]) -> bool:
        """Publish these on cp/<id>/piece with QoS 0, as close together as may be. False: they cannot reach the unit now."""
        ...

    async def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class AppState:
    """Made by the composition root; tests make one with their own clock."""

    settings: Settings
    clock: Clock
    database: Database
    recorder: Recorder
    live: Live
    ledger: UptimeLedger
    counters: Counters
    broker: Broker
    upkeep: Upkeep
    unknown_clients: UnknownClients
    accounts: Accounts
    passwords: PasswordTurns
    loop: asyncio.AbstractEventLoop  # the broker's; pages run on threads beside it
    security_log: SecurityLog
    duties: Duties
    verified: VerifiedTime  # by which sessions and codes end, and guesses come back
    second_factors: SecondFactors
    letters: Letters  # about accounts
    unit_reports: UnitReports
    shard_lock: ShardLock
    standby: Standby | None  # which pages read
    push_key: PushKey  # of Web Push; its file is made when it is first used
    leadership: Leadership  # whether this process does the upkeep
    pieces: UpdatePieces  # of updates, for the units that this process hears
    ocpp: OcppDoor | None = None  # for chargers of other makers

    @property
    def connections(self) -> int:
        """Of units that are open, by all doors; 0 where only their broker knows."""
        return self.broker.connections + (0 if self.ocpp is None else self.ocpp.connections)

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Give it to the unit by whichever way it is connected. False: it cannot be reached now."""
        if self.ocpp is not None and self.ocpp.is_connected(unit_id):
            return self.ocpp.command(unit_id, payload)
        return await self.broker.command(unit_id, payload)
