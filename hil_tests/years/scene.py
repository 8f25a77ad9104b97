"""The interface of the world for faults and promises."""

from typing import Any, Protocol

from hil_tests.sim.modem.radio import World as Radio
from hil_tests.years.bridge import Bridge
from hil_tests.years.broker import Broker
from hil_tests.years.doors import Time
from hil_tests.years.flash import Flash
from hil_tests.years.hardware import Hardware
from hil_tests.years.owners import Owners
from hil_tests.years.processor import Processor
from hil_tests.years.virtual_loop import VirtualLoop


class Scene(Protocol):
    """Implemented by world.World."""

    loop: VirtualLoop
    time: Time
    radio: Radio
    flash: Flash
    hardware: Hardware
    processor: Processor
    bridge: Bridge
    broker: Broker
    owners: Owners
    failures: list[str]
    unit_id: str
    commands: int
    lose_one_in: int
    car_is_plain: bool

    def order(self, said: dict[str, Any]) -> None: ...
    def say_on_line(self, line: bytes) -> None: ...
    def enclosure_opened(self) -> None: ...
    def button_pressed(self) -> None: ...
