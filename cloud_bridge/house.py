"""What the pages and the interface are given: the parts of the running bridge that they read."""

from dataclasses import dataclass

from cloud_bridge.clock import Clock
from cloud_bridge.contact import Ledger
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.embedded import EmbeddedBroker
from cloud_bridge.live import Live
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import Database
from cloud_bridge.store.recorder import Recorder
from cloud_bridge.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class House:
    """Made by the composition root; tests make one with their own clock."""

    settings: Settings
    clock: Clock
    database: Database
    recorder: Recorder
    live: Live
    ledger: Ledger
    counters: Counters
    broker: EmbeddedBroker
    upkeep: Upkeep
