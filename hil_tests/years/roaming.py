"""Checks of roaming: the unit switches networks when that helps, and keeps its budgets of scans and switches."""

from typing import Any

from hil_tests.sim.modem.radio import ACCEPT
from hil_tests.years.circumstances import Circumstances
from hil_tests.years.faults import CLOUD, FLASH, HOUR, NETWORK, SUPPLY, TIME
from hil_tests.years.mission import ROAMS

DAY_S = 86_400
POOR_CSQ = 10  # well below the threshold of 14, so that the measured signal is below it too
CLEARLY_BETTER = 18  # CSQ: more than all deductions for a network's history
MOVES_WITHIN_S = 3 * HOUR  # 17 minutes of poor signal, and two scans an hour apart
SCANS_A_DAY, SWITCHES_A_DAY = 4, 3


class Roaming:
    """`helps_since_s`: since when a switch to another network would help and nothing prevents it, or None."""

    def __init__(self, watch: Circumstances) -> None:
        self._watch, self._world = watch, watch.world
        self.helps_since_s: float | None = None
        self._done: dict[tuple[Any, Any], tuple[str, float]] = {}  # by number: what, and when (s, UTC)

    def told(self, said: dict[str, Any]) -> None:
        """Record a scan or a switch that the unit reports."""
        if said.get("k") == "network" and said["d"].get("do") in ("survey", "switch") and said.get("t"):
            self._done[said.get("b"), said.get("n")] = said["d"]["do"], said["t"]

    def look(self) -> None:
        now_s = self._world.loop.time()
        if not self._would_help():
            self.helps_since_s = None
        elif self.helps_since_s is None:
            self.helps_since_s = now_s
        elif now_s - self.helps_since_s > MOVES_WITHIN_S:
            plmn = self._world.hardware.modem.plmn
            self._watch.break_(ROAMS, f"{self._signals()}, but the unit stayed on {plmn} for {MOVES_WITHIN_S} s")
            self.helps_since_s = now_s

    def _would_help(self) -> bool:
        """Return whether a switch would help and is allowed. A session prevents it, and so may the budgets."""
        radio, plmn, watch = self._world.radio, self._world.hardware.modem.plmn, self._watch
        if plmn is None or radio.csq(plmn) > POOR_CSQ or self._world.hardware.board.contact_closed:
            return False
        if watch.well_for_s(NETWORK, CLOUD, SUPPLY, FLASH) < DAY_S:
            return False
        today_s = self._world.time.epoch_s + self._world.loop.time() - DAY_S - MOVES_WITHIN_S
        lately = [what for what, at_s in self._done.values() if at_s > today_s]
        if lately.count("survey") >= SCANS_A_DAY or lately.count("switch") >= SWITCHES_A_DAY:
            return False
        return any(
            radio.csq(one.plmn) >= radio.csq(plmn) + CLEARLY_BETTER and radio._serves[one.plmn] == ACCEPT
            for one in radio.heard()
        )

    def _signals(self) -> str:
        return ", ".join(f"{one.plmn} has CSQ {self._world.radio.csq(one.plmn)}" for one in self._world.radio.heard())

    def end(self) -> None:
        """Check the daily budgets. This needs a unit whose clock was right throughout."""
        if TIME in self._watch.touched_s or self._watch.lasting[TIME]:
            return
        for what, most in (("survey", SCANS_A_DAY), ("switch", SWITCHES_A_DAY)):
            times = [at_s for done, at_s in self._done.values() if done == what]
            for at in times:
                if sum(at <= other < at + DAY_S for other in times) > most:
                    self._watch.break_(ROAMS, f"more than {most} {what} events in the 24 h from {at}")
                    break
