"""Vehicles with behaviour that users reported to makers of charge points. Each class names its source.

Times that the source does not give are examples. Unplugging a vehicle resets it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hil_tests.sim.pilot import STEADY_LOW_DUTY
from hil_tests.sim.vehicle import STATE_B_OHM, Vehicle

BETWEEN_BANDS_OHM = 1_600  # between the resistors of the states B and C


@dataclass
class Toggles(Vehicle):
    """Change between C and B until it is unplugged. github.com/kortas87/simple-evse/issues/1"""

    closed_s: float = 0.8
    open_s: float = 0.8
    _cycle_s: float = 0

    def _move_s2(self, elapsed_s: float, pwm: bool) -> None:
        super()._move_s2(elapsed_s, pwm)
        self._cycle_s = (self._cycle_s + elapsed_s) % (self.closed_s + self.open_s) if self.plugged else 0
        self.s2_closed = self.s2_closed and self._cycle_s >= self.open_s


@dataclass
class Chatters(Toggles):
    """Change between C and B within 100 to 150 ms. github.com/dzurikmiroslav/esp32-evse/issues/173"""

    closed_s: float = 0.15
    open_s: float = 0.1


@dataclass
class FallsOff(Toggles):
    """Leave C for half a second in each 5 s. github.com/kortas87/simple-evse/issues/1"""

    closed_s: float = 4.5
    open_s: float = 0.5


@dataclass
class PausesToCool(Toggles):
    """Pause for 10 to 60 s when it begins to cool its battery. github.com/CurtRod/SimpleEVSE-WiFi/issues/35"""

    closed_s: float = 240
    open_s: float = 40


@dataclass
class StartsTwice(Vehicle):
    """Request energy, withdraw the request, and request again to stay. github.com/dingo35/SmartEVSE-3.5/issues/40"""

    _asked_for_s: float = 0

    def _move_s2(self, elapsed_s: float, pwm: bool) -> None:
        super()._move_s2(elapsed_s, pwm)
        self._asked_for_s = self._asked_for_s + elapsed_s if self.s2_closed or 0 < self._asked_for_s < 2 else 0
        self.s2_closed = self.s2_closed and not 1 <= self._asked_for_s < 2


@dataclass
class StaysInC(Vehicle):
    """Be in C from plug-in on, with and without an offer: simplified charging, or a vehicle without a working S2.
    github.com/EVerest/EVerest/pull/650, github.com/dzurikmiroslav/esp32-evse/issues/71"""

    closes_s2_without_pwm: bool = True


@dataclass
class AsksForVentilation(Vehicle):
    """Go from B straight to D. github.com/dzurikmiroslav/esp32-evse/issues/111"""

    needs_ventilation: bool = True


@dataclass
class Sleeps(Vehicle):
    """Fall asleep without an offer, and miss the next offer. It wakes if an offer is withdrawn and made again, as
    EVerest's EvseManager does ("legacy wake-up"). github.com/evcc-io/evcc/pull/2265"""

    asleep_after_s: float = 60
    asleep: bool = False
    _offered: bool = False

    def step(self, elapsed_s: float, duty_u16: int, voltage_mv: int) -> None:
        if not self.plugged:
            self.asleep = False
        elif self.asleep:
            self._hear(duty_u16)
        elif self._pwm_gone_for_s > self.asleep_after_s:
            self.asleep, self._offered = True, False
        super().step(elapsed_s, duty_u16, voltage_mv)

    def _hear(self, duty_u16: int) -> None:
        """Check the pilot for what wakes the sleeping vehicle."""
        if self._pwm_for_s > 1:
            self._offered = True
        elif self._offered and self._pwm_gone_for_s > 1:
            self.asleep = False

    def _move_s2(self, elapsed_s: float, pwm: bool) -> None:
        super()._move_s2(elapsed_s, pwm)
        self.s2_closed = self.s2_closed and not self.asleep


@dataclass
class SleepsUntilPluggedIn(Sleeps):
    """Wake only if the pilot disappears, as at a new plug-in: state F, or no pilot.
    github.com/OpenEVSE/openevse_esp32_firmware/issues/83 and 333"""

    def _hear(self, duty_u16: int) -> None:
        if duty_u16 == STEADY_LOW_DUTY:
            self.asleep = False


@dataclass
class SleepsForGood(Sleeps):
    """Wake only when a person goes to the car. github.com/evcc-io/evcc/issues/8143"""

    def _hear(self, duty_u16: int) -> None:
        return


@dataclass
class GivesUp(Vehicle):
    """Request no more energy after ten interrupted charges. github.com/evcc-io/evcc/pull/14434"""

    interruptions: int = 0

    def step(self, elapsed_s: float, duty_u16: int, voltage_mv: int) -> None:
        was_live = self._live_for_s > 0
        super().step(elapsed_s, duty_u16, voltage_mv)
        if not self.plugged:
            self.interruptions = 0
        elif was_live and not self._live_for_s:
            self.interruptions += 1
        self.wants_charge = self.interruptions < 10


@dataclass
class NeedsEightAmps(Vehicle):
    """Try to charge with less than 8 A, stop after a few seconds, and try again. github.com/steff393/wbec/issues/28,
    github.com/dingo35/SmartEVSE-3.5/issues/335"""

    _trying_for_s: float = 0
    _permits_too_little: bool = False

    def step(self, elapsed_s: float, duty_u16: int, voltage_mv: int) -> None:
        self._permits_too_little = 0 < self.permitted_ma(duty_u16) < 8_000
        super().step(elapsed_s, duty_u16, voltage_mv)

    def _move_s2(self, elapsed_s: float, pwm: bool) -> None:
        super()._move_s2(elapsed_s, pwm)
        self._trying_for_s = (self._trying_for_s + elapsed_s) % 15 if self._permits_too_little else 0
        self.s2_closed = self.s2_closed and self._trying_for_s < 5


@dataclass
class StopsAtSteps(Vehicle):
    """Stop for a minute when the permitted current falls by more than 3 A at once. github.com/evcc-io/docs/issues/349"""

    _permitted_before_ma: int = 0
    _stopped_for_s: float = 60

    def step(self, elapsed_s: float, duty_u16: int, voltage_mv: int) -> None:
        permitted_ma = self.permitted_ma(duty_u16)
        if 0 < permitted_ma < self._permitted_before_ma - 3_000:
            self._stopped_for_s = 0
        self._permitted_before_ma = permitted_ma
        super().step(elapsed_s, duty_u16, voltage_mv)

    def _move_s2(self, elapsed_s: float, pwm: bool) -> None:
        super()._move_s2(elapsed_s, pwm)
        self._stopped_for_s += elapsed_s
        self.s2_closed = self.s2_closed and self._stopped_for_s >= 60


@dataclass
class IgnoresChanges(Vehicle):
    """Read the pilot only once, when a charge begins. github.com/serkri/SmartEVSE-3/issues/154"""

    _read_ma: int = 0

    def _draw(self, elapsed_s: float, permitted_ma: int, voltage_mv: int) -> None:
        self._read_ma = permitted_ma if not self._live_for_s else self._read_ma
        super()._draw(elapsed_s, self._read_ma, voltage_mv)


@dataclass
class StartsLate(Vehicle):
    """Draw nothing for 40 s after the contactor has closed. github.com/SmartEVSE/SmartEVSE-3/issues/19"""

    charger_starts_after_s: float = 40


@dataclass
class Overshoots(Vehicle):
    """Draw too much for the first 2 s. github.com/SmartEVSE/SmartEVSE-3/issues/19"""

    def _draw(self, elapsed_s: float, permitted_ma: int, voltage_mv: int) -> None:
        begins = self._live_for_s < self.charger_starts_after_s + 2
        super()._draw(elapsed_s, permitted_ma * 18 // 10 if begins else permitted_ma, voltage_mv)


@dataclass
class TakesATenthMore(Vehicle):
    """Draw up to 10 % more than is offered. github.com/evcc-io/docs/issues/349"""

    maximum_ma: int = 36_000

    def _draw(self, elapsed_s: float, permitted_ma: int, voltage_mv: int) -> None:
        super()._draw(elapsed_s, permitted_ma * 109 // 100, voltage_mv)


@dataclass
class StandsBy(Vehicle):
    """Stay in C and take only 1.3 A for its own systems. github.com/evcc-io/evcc/issues/14210"""

    maximum_ma: int = 1_300


@dataclass
class SlipsOff(Vehicle):
    """Lose the pilot for 2 s at the plug, soon after plug-in. github.com/EVerest/EVerest/pull/2594"""

    _plugged_for_s: float = 0

    def step(self, elapsed_s: float, duty_u16: int, voltage_mv: int) -> None:
        self._plugged_for_s = self._plugged_for_s + elapsed_s if self.plugged else 0
        super().step(elapsed_s, duty_u16, voltage_mv)

    def load_ohm(self) -> int | None:
        return None if 10 <= self._plugged_for_s < 12 else super().load_ohm()


@dataclass
class LosesItsDiode(Vehicle):
    """Miss its diode for 40 ms in each 10 s. github.com/OpenEVSE/OpenEVSE_PLUS/issues/13"""

    _cycle_s: float = 0

    def step(self, elapsed_s: float, duty_u16: int, voltage_mv: int) -> None:
        self._cycle_s = (self._cycle_s + elapsed_s) % 10
        self.diode = self._cycle_s >= 0.04
        super().step(elapsed_s, duty_u16, voltage_mv)


@dataclass
class DisturbsThePilot(Vehicle):
    """Put the pilot between two states at one reading in thirty, by its inverter. github.com/EVerest/EVerest/issues/668"""

    _looks: int = 0

    def step(self, elapsed_s: float, duty_u16: int, voltage_mv: int) -> None:
        self._looks += 1
        super().step(elapsed_s, duty_u16, voltage_mv)

    def load_ohm(self) -> int | None:
        return BETWEEN_BANDS_OHM if self.plugged and self._looks % 30 == 0 else super().load_ohm()


@dataclass
class DislikesF(Vehicle):
    """Stay in a permanent fault after state F, until it is unplugged: older hybrids. github.com/EVerest/EVerest/pull/993"""

    _is_faulted: bool = False

    def step(self, elapsed_s: float, duty_u16: int, voltage_mv: int) -> None:
        self._is_faulted = self.plugged and (self._is_faulted or duty_u16 == STEADY_LOW_DUTY)
        super().step(elapsed_s, duty_u16, voltage_mv)

    def load_ohm(self) -> int | None:
        return STATE_B_OHM if self._is_faulted else super().load_ohm()

    def _move_s2(self, elapsed_s: float, pwm: bool) -> None:
        super()._move_s2(elapsed_s, pwm)
        self.s2_closed = self.s2_closed and not self._is_faulted


def every_manner() -> Iterator[type[Vehicle]]:
    """Yield all vehicle classes of this module, in source order."""
    return (kind for kind in globals().values() if isinstance(kind, type) and kind.__module__ == __name__)
