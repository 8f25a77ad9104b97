"""The cloud side of `make run`: the bridge as a child process that is restarted when it ends, and its skipped time."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from hil_tests.demo.installation import Installation
from hil_tests.fixtures.authenticator import STEP_S, code_of
from hil_tests.fixtures.bridge_process import BridgeFailed, BridgeProcess
from hil_tests.fixtures.passed_time import minutes_pass

RESTARTS_ALLOWED = 5
RESTARTS_WITHIN_S = 60
STARTING, RUNNING, STOPPED = "starting", "running", "stopped"


class Cloud:
    """The cloud side. `alarm` is called with what a person should see at once. Use it on one event loop."""

    def __init__(self, bridge: BridgeProcess, installation: Installation, alarm: Callable[[str], None]) -> None:
        self.bridge = bridge
        self._installation, self._alarm = installation, alarm
        self._changing = asyncio.Lock()  # held while its process is started or stopped
        self._restarts: deque[float] = deque(maxlen=RESTARTS_ALLOWED)
        self._state, self._trouble = STARTING, ""
        self._skipped_minutes = 0

    @property
    def is_sqlite(self) -> bool:
        """Whether its database is the data folder's own, which the demo may write to."""
        return not self.bridge.environment.get("CHARGEKEEPER_DATABASE")

    def view(self) -> dict[str, Any]:
        """Return what the panel shows."""
        key, now_s = self._installation.operator_key, time.time()
        code = None if key is None else {"code": code_of(key, now_s), "for_s": STEP_S - int(now_s) % STEP_S}
        return {
            "address": self.bridge.address,
            "state": self._state,
            "trouble": self._trouble,
            "skipped_minutes": self._skipped_minutes,
            "operator_code": code,
        }

    async def start(self) -> None:
        """Start the bridge. Raises BridgeFailed."""
        async with self._changing:
            await self._start()

    async def watch(self) -> None:
        """Restart the bridge whenever it ends by itself. Return when it has ended too often."""
        while True:
            last_words = await self.bridge.ended()
            async with self._changing:
                if self.bridge.running:  # a skip of time restarted it
                    continue
                now_s = asyncio.get_running_loop().time()
                if len(self._restarts) == RESTARTS_ALLOWED and now_s - self._restarts[0] < RESTARTS_WITHIN_S:
                    self._stopped(f"it ended {RESTARTS_ALLOWED + 1} times in {RESTARTS_WITHIN_S} s; {last_words}")
                    return
                self._restarts.append(now_s)
                self._alarm(
                    f"the cloud side stopped, {last_words}\nThe unit keeps charging. The cloud side is restarted …"
                )
                try:
                    await self._start()
                except BridgeFailed as failure:
                    self._stopped(str(failure))
                    return
                self._alarm("The cloud side runs again.")

    async def skip(self, minutes: int) -> None:
        """Let `minutes` pass for the cloud. Raises BridgeFailed, also while the bridge does not run."""
        if not self.is_sqlite:
            raise BridgeFailed(
                "time can be skipped with the data folder's own database only, not with CHARGEKEEPER_DATABASE"
            )
        async with self._changing:
            if not self.bridge.running:
                raise BridgeFailed("the cloud side does not run")
            self._state = STARTING
            await self.bridge.stop()
            try:
                await asyncio.to_thread(minutes_pass, self.bridge.log.with_name("chargekeeper.db"), minutes)
            finally:
                await self._start()
            self._skipped_minutes += minutes

    async def stop(self) -> None:
        """Stop the bridge."""
        async with self._changing:
            await self.bridge.stop()

    async def _start(self) -> None:
        self._state, self._trouble = STARTING, ""
        try:
            await self.bridge.start()
        except BridgeFailed as failure:
            self._state, self._trouble = STOPPED, str(failure)
            raise
        self._state = RUNNING

    def _stopped(self, why: str) -> None:
        self._state, self._trouble = STOPPED, why
        self._alarm(
            f"The cloud side is not restarted: {why}\nThe unit keeps charging. "
            f"End this with Ctrl-C, and start it again. The log is {self.bridge.log}"
        )
