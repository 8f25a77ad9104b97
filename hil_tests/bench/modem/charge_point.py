"""The firmware's whole uplink on a simulated modem in virtual time, with stubs for the rest of the unit."""

import contextlib
import tempfile
from collections import namedtuple
from collections.abc import Callable
from typing import Any

from firmware.charging.control_state import Setup
from firmware.link.bearer import Bearer
from firmware.link.cloud_messages import CloudMessages
from firmware.link.uplink import Uplink
from firmware.storage.boots import Boot
from hil_tests.bench.modem.broker import Broker
from hil_tests.bench.modem.virtual_time import Clock, Enough, Port, VirtualLoop
from hil_tests.sim.modem.line_speed import LineSpeed
from hil_tests.sim.modem.noise import Noise
from hil_tests.sim.modem.simcom import Modem
from hil_tests.sim.modem.world_file import Scene

HEARTBEAT_S = 60

_Ruling = namedtuple("_Ruling", "amps source why ends_s")
_Report = namedtuple("_Report", "state phase mode contactor amps power_w total_wh faults ruling")


class ChargePoint:
    """A unit that only communicates. `events` is what it noted: (virtual seconds, kind, details)."""

    def __init__(self, scene: Scene) -> None:
        self.loop = VirtualLoop()
        self.clock = Clock(self.loop, self._watch)
        self.broker = Broker()
        self.loop.run_until_complete(self.broker.start())
        self.modem = self.loop.inside(Modem, scene.world, scene.personality, scene.memory)
        self.port = Port(self.clock, lambda chunk: self.modem.receive(speed.heard(chunk)))
        speed = LineSpeed(lambda: self.modem.memory.baud, lambda: self.port.baud, scene.world.random)
        self.noise = Noise(
            lambda chunk: self.port.receive(speed.heard(chunk)), scene.world.random, scene.urc_one_in, scene.lose_one_in
        )
        self.modem.wire(self.noise.write)
        self.events: list[tuple[float, str, dict[str, Any]]] = []
        self._folder = tempfile.TemporaryDirectory()
        self._enough: Callable[[], bool] = lambda: False
        self._until_s = 0.0
        self.uplink = self._uplink()

    def run(self, limit_s: float, enough: Callable[[], bool] = lambda: False) -> bool:
        """Run until `enough()`, or for `limit_s` at most. Return whether `enough()` holds. It cannot run again after that."""
        self._until_s = self.loop.time() + limit_s
        self._enough = enough
        with contextlib.suppress(Enough):
            self.uplink.run()
        return enough()

    def close(self) -> None:
        """Stop everything."""
        self.loop.inside(self.modem.close)
        self.loop.inside(self.broker.close)
        self.loop.finish()
        self._folder.cleanup()

    # What the uplink uses of the rest of the unit

    def _watch(self) -> None:
        if self._enough() or self.loop.time() >= self._until_s:
            raise Enough

    def _uplink(self) -> Any:
        board: Any = _Board(self)
        clock: Any = self.clock
        exchange: Any = _Exchange()
        journal: Any = _Journal(self)
        health: Any = _Health()
        wall_clock: Any = _WallClock()
        settings: Any = _Settings(self.broker.port)
        no_tls: Any = _NoTls()
        bearer = Bearer(board, clock, journal, lambda _time_s, _source: None)
        cloud = CloudMessages(exchange, journal, health, wall_clock, lambda _payload: None)
        return Uplink(bearer, settings, no_tls, exchange, cloud)

    def supply(self, on: bool) -> None:
        """Set the modem's supply pin."""
        self.loop.inside(self.modem.supply, on)

    def key(self, pressed: bool) -> None:
        """Set the modem's PWRKEY."""
        self.loop.inside(self.modem.key, pressed)

    @property
    def folder(self) -> str:
        """The folder of its flash."""
        return self._folder.name


class _Board:
    modem_family: str | None = None  # None: detect the modem
    has_guard = True

    def __init__(self, unit: ChargePoint) -> None:
        self.modem_port = unit.port
        self.modem_power = unit
        self.flash = unit.folder


class _WallClock:
    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


class _Settings:
    def __init__(self, port: int) -> None:
        self._values = {
            "id": "CK-bench",
            "secret": "secret",
            "broker": "127.0.0.1",
            "port": port,
            "apn": "internet",
            "plain_mqtt": True,
            "heartbeat_idle_s": HEARTBEAT_S,
            "heartbeat_charging_s": HEARTBEAT_S,
        }

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def provisioned(self) -> bool:
        return True


class _Exchange:
    def __init__(self) -> None:
        self.link_proven = False
        self.turns = self.delay_s = 0
        self.claims: tuple[object, ...] = ()
        self.setup = Setup(32, True, False, 0, True)
        self.report = _Report("A1", "idle", "smart", False, 0, 0, 0, (), _Ruling(32, "installer", "", None))

    def take_worst_ms(self) -> int:
        return 0


class _NoTls:
    tls_version = "1.3"
    verified = None


class _Health:
    cause = "soft"
    boot = Boot(1, 0, False)

    failed_parts: tuple[str, ...] = ()
    installer_lock = settings = None

    def flash_fails(self) -> bool:
        return False


class _Journal:
    def __init__(self, unit: ChargePoint) -> None:
        self._unit = unit
        self.boot = 1
        self._sequence = 0

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def dropped(self) -> int:
        return 0

    def oldest(self) -> None:
        return None

    def note(self, kind: str, details: dict[str, Any], _at_ms: int | None = None) -> None:
        self._unit.events.append((self._unit.loop.time(), kind, details))
