"""The interfaces that the hardware needs: of the processor, of the checks, and of the world."""

from typing import Any, Protocol

from hil_tests.years.doors import Strand


class Computer(Protocol):
    """The microcontroller (processor.py)."""

    main: Strand | None

    def start(self, cause: str) -> None: ...
    def stop(self) -> None: ...
    def disturb(self) -> None: ...
    def main_was_active(self) -> None: ...
    def control_changed(self) -> None: ...
    def new_rest(self) -> Any: ...
    def look_at_car(self) -> None: ...


class Onlooker(Protocol):
    """The checks of the promises (promises.py)."""

    def pins(self) -> None: ...
    def must_open(self, why: str) -> None: ...


class Surroundings(Protocol):
    """The world (world.py)."""

    car_is_plain: bool
    lose_one_in: int  # loses one in so many bytes from the modem; 0: none

    @property
    def onlooker(self) -> Onlooker | None: ...
