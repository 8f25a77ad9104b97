"""The microcontroller of a virtual unit: one MicroPython process running the firmware.

Killing the process is a loss of power or a reset. When it ends by itself it is restarted at once, as on real hardware.
The number of restarts is limited, so that a crash loop is seen.
"""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hil_tests.fixtures.children import die_with_parent
from hil_tests.rig import image
from hil_tests.rig.waits import Waits

BOOT = Path(__file__).with_name("boot.py")
ASKED_FOR_RESET = 3  # exit code: the firmware requested a reset
RESTARTS_ALLOWED = 5
RESTARTS_WITHIN_S = 60
WATCHDOG_S = 8
YEAR_2000_S = 946_684_800
STOPS_WITHIN_MS = 1000  # for a process that has announced a stall
STALL = "stall "  # MS WHY: the process stops itself, and is continued after MS
OUTPUT_LINES_KEPT = 500
LAST_WORDS = 8  # lines of its output, reported with its end


class FirmwareDied(Exception):
    """The firmware has stopped and is not restarted. The text says why, with its last output."""


class Program(NamedTuple):
    """What the processor runs: a module of the image or a file, and its heap."""

    module: str
    heap: str
    manners: tuple[str, ...] = ()  # of its port, see manners.py
    image: Path | None = None  # None: that of this tree


# The heap holds what the code leaves in memory, its working memory, and TLS. A board with 110 kB of heap has about 48
# kB free when the unit is set up (hil_tests/cortex_m/figures.py). A rig whose program is loaded from files into 64-bit
# words takes 180 kB for the same unit, with 80 kB free, since a 32-bit word takes 0.58 of it.
FIRMWARE = Program("firmware.main", "heapsize=128wK")


class Processor:
    """Run the firmware while it has power. `before_start` creates its wires; `after_stop` resets its pins."""

    def __init__(
        self,
        folder: Path,
        before_start: Callable[[], None],
        after_stop: Callable[[], None],
        alert: Callable[[str], None],
        program: Program = FIRMWARE,
    ) -> None:
        self._folder, self._program = folder, program
        self._clock = folder / "clock"
        self._before_start, self._after_stop, self._alert = before_start, after_stop, alert
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._image = program.image  # flashed once: later edits do not reach this unit
        self._restarts: deque[float] = deque(maxlen=RESTARTS_ALLOWED)
        self._fed = (0, 0.0)
        self._waits = Waits()
        self._died: str | None = None  # why it is not restarted
        self.stalls: Counter[str] = Counter()  # announced by the program, counted by reason
        self.output: deque[str] = deque(maxlen=OUTPUT_LINES_KEPT)

    def power_on(self, cause: str) -> None:
        """Start the firmware. `cause` is the reset cause that it reads."""
        self._restarts.clear()
        self._died = None
        self._task = asyncio.create_task(self._run(cause))
        self._task.add_done_callback(self._ended)

    async def power_off(self) -> None:
        """Stop the firmware at any point of its work."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait({self._task})
        self._task = None

    def freeze(self) -> None:
        """Stop all threads of the firmware until `thaw`. Does nothing without power."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the firmware continue."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    def longest_wait_s(self) -> float:
        """Return Waits.longest_s of the firmware's process, or 0 without power."""
        if self._process is None or self._process.returncode is not None:
            return 0.0
        return self._waits.longest_s(self._process.pid, time.monotonic())

    def feed(self, count: int) -> None:
        """Feed the watchdog: once `count` is above 0, it must change within `WATCHDOG_S`."""
        if count != self._fed[0]:
            self._fed = (count, asyncio.get_running_loop().time())

    @property
    def died(self) -> str | None:
        """Why the firmware is not restarted. None while it runs or has no supply."""
        return self._died

    def check(self) -> None:
        """Raise FirmwareDied if the firmware has stopped and is not restarted."""
        if self._died is not None:
            raise FirmwareDied("\n".join([self._died, *(f"    {line}" for line in list(self.output)[-LAST_WORDS:])]))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._died = f"the firmware cannot be started: {error}"
            self._alert(self._died)

    async def _run(self, cause: str) -> None:
        while True:
            self._fed = (0, 0.0)
            self._before_start()
            try:
                code = await self._run_once(cause)
            finally:
                self._after_stop()
            cause = "soft" if code == ASKED_FOR_RESET else "watchdog"
            if code != ASKED_FOR_RESET:
                self._alert(f"the firmware stopped with exit code {code}; its last words:")
                for line in list(self.output)[-LAST_WORDS:]:
                    self._alert("    " + line)
            now_s = asyncio.get_running_loop().time()
            if len(self._restarts) == RESTARTS_ALLOWED and now_s - self._restarts[0] < RESTARTS_WITHIN_S:
                self._died = (
                    f"the firmware stopped {RESTARTS_ALLOWED + 1} times in {RESTARTS_WITHIN_S} s; "
                    "it stays off until the mains are switched off and on"
                )
                self._alert(self._died)
                return
            self._restarts.append(now_s)
            if code != ASKED_FOR_RESET:
                self._alert("it is started again")

    async def _run_once(self, cause: str) -> int:
        search = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
        own_clock = "clock_2000" in self._program.manners
        name = "micropython-with-clock" if own_clock else "micropython"
        command = shutil.which(name, path=search)
        if command is None:
            raise FileNotFoundError(f"there is no {name}; `make .venv` fetches it")
        if own_clock and cause in ("power_on", "brown_out"):
            self._clock.write_text(f"{YEAR_2000_S - int(time.time()):+d}\n")
        if self._image is None:
            self._image = await asyncio.to_thread(image.build, image.chosen())
        process = await asyncio.create_subprocess_exec(
            command,
            "-X",
            self._program.heap,
            str(BOOT),
            str(self._image),
            self._program.module,
            str(self._folder),
            cause,
            *([",".join(self._program.manners)] if self._program.manners else []),
            env={**os.environ, **self._clock_settings()} if own_clock else None,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the parent alone
            preexec_fn=die_with_parent,
        )
        self._process = process
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._keep_output(process))
                watching = tasks.create_task(self._watchdog(process))
                code = await process.wait()
                watching.cancel()
                await reading
            return code
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _keep_output(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async with asyncio.TaskGroup() as stalls:
            while line := await process.stdout.readline():
                words = line.decode("utf-8", "replace").rstrip()
                if words.startswith(STALL) and self._program.manners:
                    _, ms, why = words.split(" ", 2)
                    self.stalls[why] += 1
                    stalls.create_task(self._end_stall(process, int(ms) / 1000))
                else:
                    self.output.append(words)

    async def _end_stall(self, process: asyncio.subprocess.Process, seconds: float) -> None:
        """Continue a process that stops itself: only after it has stopped, or it would stay stopped."""
        await asyncio.sleep(seconds)
        for _ in range(STOPS_WITHIN_MS):
            if process.returncode is not None or _is_stopped(process.pid):
                break
            await asyncio.sleep(0.001)
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)

    def _clock_settings(self) -> dict[str, str]:
        """Return libfaketime's settings: read the wall clock from a file at each call; keep the computer's monotonic clock."""
        settings = {"FAKETIME_TIMESTAMP_FILE": str(self._clock)}
        return settings | dict.fromkeys(("FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"), "1")

    async def _watchdog(self, process: asyncio.subprocess.Process) -> None:
        while True:
            await asyncio.sleep(0.1)
            count, since_s = self._fed
            if count > 0 and asyncio.get_running_loop().time() - since_s > WATCHDOG_S:
                self._alert(f"the watchdog was not fed for {WATCHDOG_S} s")
                process.kill()
                return


def _is_stopped(pid: int) -> bool:
    """Whether SIGSTOP has stopped the process (proc(5), the field after the name)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False  # the process has ended
