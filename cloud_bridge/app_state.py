"""The application state: the parts of the running bridge that pages and the HTTP interface use."""

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
    """The connection to the units, whether their broker is embedded, outside or a cluster."""

    @property
    def connections(self) -> int:
        """The number of connected units; 0 if only the outside broker knows it."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why messages are not received yet; None if they are, or if this process receives none."""
        ...

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Publish on cp/<id>/command. Return False if the unit cannot be reached now."""
        ...

    async def pieces(self, unit_id: str, payloads: list[bytes]) -> bool:
        """Publish the payloads on cp/<id>/piece with QoS 0, back to back. Return False if the unit cannot be reached
        now."""
        ...

    async def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class AppState:
    """Created by the composition root (roles/opening.py); tests create one with their own clock."""

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
    loop: asyncio.AbstractEventLoop  # the one that the broker runs on; pages run on threads
    security_log: SecurityLog
    duties: Duties
    verified: VerifiedTime  # expiry of sessions and codes, and the refill of login attempts, go by this time
    second_factors: SecondFactors
    letters: Letters  # e-mail about accounts
    unit_reports: UnitReports
    shard_lock: ShardLock
    standby: Standby | None  # the PostgreSQL standby that pages read from; None if there is none
    push_key: PushKey  # the key pair of Web Push; its file is created on first use
    leadership: Leadership  # whether this process does the upkeep
    pieces: UpdatePieces  # firmware updates for the units whose messages this process receives
    ocpp: OcppDoor | None = None  # the server for chargers of other makers; None if it is off

    @property
    def connections(self) -> int:
        """The number of connected units, by MQTT and OCPP; those behind an outside broker are not known and count 0."""
        return self.broker.connections + (0 if self.ocpp is None else self.ocpp.connections)

    async def command(self, unit_id: str, payload: bytes) -> bool:
        """Send a command over OCPP if the unit is connected by it, else over MQTT. Return False if it cannot be reached
        now."""
        if self.ocpp is not None and self.ocpp.is_connected(unit_id):
            return self.ocpp.command(unit_id, payload)
        return await self.broker.command(unit_id, payload)
