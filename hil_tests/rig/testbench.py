"""The test bench: the far ends of a unit's two serial lines, and the log.

The modem on the unit's modem line is simulated, with its mobile network. The client of the service console polls the
unit's status. Every unit, virtual or real, gets the same test bench.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from hil_tests.rig.console import Console, ConsoleError, ConsoleSilent, Losses
from hil_tests.rig.contract import NetworkReading, Observation, Reading
from hil_tests.sim.modem.radio import CSQ_UNKNOWN
from hil_tests.sim.modem.simcom import Modem
from hil_tests.sim.modem.world_file import scene

POLL_STATUS_S = 0.3
LOG_LINES_MAX = 400


class TestBench:
    """The test bench of one unit. `alarm` is called with what a person should see at once, such as a firmware that
    stopped by itself. `model` is the modem's, from personality.py."""

    __test__ = False  # pytest would collect it by its name

    def __init__(self, seed: int = 0, alarm: Callable[[str], None] = lambda _: None, model: str = "SIM800L") -> None:
        self._alarm = alarm
        around = scene({"model": model}, seed)
        self.world = around.world
        self.modem = Modem(self.world, around.personality)
        self.console: Console | None = None  # None while the unit is off
        self.losses = Losses()  # of the console's line, since the start
        self.status: dict[str, str] = {}  # the last answer; empty while the unit does not answer
        self.log_lines: deque[str] = deque(maxlen=LOG_LINES_MAX)
        self._started_s = time.monotonic()

    def log(self, what: str) -> None:
        """Add a line to the log."""
        self.log_lines.append(f"{time.monotonic() - self._started_s:9.3f} {what}")

    def alert(self, what: str) -> None:
        """Add a line to the log and call the alarm."""
        self.log(what)
        self._alarm(what)

    def network(self, up: bool | None = None, csq: int | None = None, plmn: str | None = None) -> None:
        """Switch the mobile network on or off, or set its signal. `plmn` limits this to one network.

        Raises ValueError for a CSQ outside 0..31, KeyError for a network that is not in range.
        """
        if plmn is not None:
            self._one_network(plmn, up, csq)
            return
        if csq is not None:
            self.world.set_csq(csq)
            self.log(f"signal set to CSQ {csq}")
        if up is not None and up != self.world.coverage:
            self.world.set_coverage(up)
            self.log(f"mobile network {'up' if up else 'cut'}")

    def _one_network(self, plmn: str, up: bool | None, csq: int | None) -> None:
        if csq is not None:
            self.world.set_signal(plmn, csq)
            self.log(f"signal of {plmn} set to CSQ {csq}")
        if up is not None:
            self.world.set_on_air(plmn, up)
            self.log(f"mast of {plmn} {'on' if up else 'off'}")

    def disturb_modem(self, how: str) -> None:
        """Disturb the modem: "garbage" on its line, another "speed" on it, "hang", "brown_out" or "drop_pdp"."""
        self.log(f"modem: {how}")
        disturbances = {
            "garbage": self.modem.garbage,
            "speed": self.modem.lose_speed,
            "hang": self.modem.hang,
            "brown_out": self.modem.brown_out,
            "drop_pdp": self.modem.drop_pdp,
        }
        disturbances[how]()

    async def ask(self, command: str, within_s: float = 3) -> list[str]:
        """Send a command to the service console. Raises ConsoleError, or ConsoleSilent (also if the unit is off)."""
        if self.console is None:
            raise ConsoleSilent("the unit is off")
        return await self.console.ask(command, within_s)

    async def poll_status(self) -> None:
        """Poll the unit's status until cancelled."""
        while True:
            await asyncio.sleep(POLL_STATUS_S)
            status: dict[str, str] = {}
            if self.console is not None:
                with contextlib.suppress(ConsoleError, ConsoleSilent):
                    status = await self.console.status()
            self.status = status

    def watch_over(self, task: asyncio.Task[Any]) -> None:
        """Report an error of the rig: without this it would look like a unit that does nothing."""
        if not task.cancelled() and (error := task.exception()):
            self.alert(f"the rig itself failed: {error!r}")

    def observe(self, reading: Reading) -> Observation:
        """Combine the instruments' reading with the state of the modem, the network and the unit."""
        plmn = self.modem.plmn
        operator = self.world.find(plmn) if plmn else None
        strongest_csq = max(self.world.csq(heard.plmn) for heard in self.world.operators)
        return Observation(
            **vars(reading),
            csq=self.world.csq(plmn) if plmn and self.world.coverage else CSQ_UNKNOWN,
            operator=plmn,
            operator_name=operator.long_name if operator else None,
            network=NetworkReading(self.world.coverage, strongest_csq),
            unit=self.status,
        )

    def full_log(self, **more: list[str]) -> str:
        """Return the log, further logs by title, and the modem's dialogue, for the message of a failing test."""
        sections = {
            "the rig": list(self.log_lines),
            **more,
            f"the console ({self.losses})": [],
            "the console's remarks": list(self.console.remarks)[-60:] if self.console else [],
            "the modem's line": [self.modem.transcript.tail(120)],
        }
        return "\n".join(line for title, lines in sections.items() for line in (f"--- {title}", *lines))
