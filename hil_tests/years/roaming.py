"""Watches the dealings with networks: it moves when that would help, and neither looks nor moves more often than it may."""

from typing import Any

from hil_tests.sim.modem.radio import ACCEPT
from hil_tests.years.circumstances import Circumstances
from hil_tests.years.faults import CLOUD, FLASH, HOUR, NETWORK, SUPPLY, TIME
from hil_tests.years.mission import ROAMS

DAY_S = 86_400
POOR_CSQ = 10  # below the 14 of the installation check, so that what is measured of it is
CLEARLY_BETTER = 18  # CSQ: more than all deductions for what a network did before
MOVES_WITHIN_S = 3 * HOUR  # poor for 17 minutes, and two scans an hour apart
SCANS_A_DAY, SWITCHES_A_DAY = 4, 3


class Roaming:
    """`helps_since_s`: since when another network would be better, and nothing keeps it from moving there."""

    def __init__(self, watch: Circumstances) -> None:
        self._watch, self._world = watch, watch.world
        self.helps_since_s: float | None = None
        self._done: dict[tuple[Any, Any], tuple[str, float]] = {}  # by number: what, and when

    def told(self, said: dict[str, Any]) -> None:
        """An event of it."""
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
            self._watch.break_(ROAMS, f"{self._signals()}, and it has been on {plmn} for {MOVES_WITHIN_S} s")
            self.helps_since_s = now_s

    def _would_help(self) -> bool:
        """A session keeps it where it is, and so may its budgets."""
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
        """Only a clock that was right all through says what a day is."""
        if TIME in self._watch.touched_s or self._watch.lasting[TIME]:
            return
        for what, most in (("survey", SCANS_A_DAY), ("switch", SWITCHES_A_DAY)):
            times = [at_s for done, at_s in self._done.values() if done == what]
            for at in times:
                if sum(at <= other < at + DAY_S for other in times) > most:
                    self._watch.break_(ROAMS, f"more than {most} times a {what} in the day from {at}")
                    break
