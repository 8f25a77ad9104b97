"""The good units: each sends a heartbeat or event every EVERY_S seconds, and reconnects when its connection is lost.

Run as `python -m hil_tests.siege.units PORT` by hil_tests/siege/measured.py. A unit's time without acknowledgement begins when
a message is due and ends with its PUBACK; it includes reconnecting.
"""

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from contextlib import suppress

from hil_tests.fixtures.mqtt_unit import CONNACK_OK, connect, publish
from hil_tests.siege.measured import READY, asked_on_stdin

EVERY_S = 5.0
EVENT_EACH = 4  # one of this many messages is an event, which the store keeps forever
ANSWER_WITHIN_S = 15.0  # after this timeout the unit reconnects
RECONNECT_EVERY_S = 0.2
PUBACK_BYTES = 4
LOOK_S = 0.1


class GoodUnit:
    """A unit. Its boot count is the time at which the process started, so that a siege can be repeated on one store."""

    def __init__(self, name: str, secret: str, boot: int) -> None:
        self.name, self._secret, self._boot = name, secret, boot
        self._number = 0
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.waits_s: list[tuple[float, float]] = []  # when due (CLOCK_MONOTONIC), and the wait
        self.counts: Counter[str] = Counter()

    async def live(self, port: int, delay_s: float, over: threading.Event, connected: asyncio.Event) -> None:
        """Send messages until `over`. A message that is then unacknowledged has until its timeout."""
        await self._delivered(port, over)
        self.waits_s.clear()  # exclude the connection before the siege
        connected.set()
        due_s = time.monotonic() + delay_s
        while not over.is_set():
            if (left_s := due_s - time.monotonic()) > 0:
                await asyncio.sleep(min(LOOK_S, left_s))
                continue
            await self._delivered(port, over, due_s)
            due_s = max(due_s + EVERY_S, time.monotonic())
        self._close()

    async def _delivered(self, port: int, over: threading.Event, due_s: float | None = None) -> None:
        """Send the next message until it is acknowledged; after `over`, at most once more."""
        due_s = due_s or time.monotonic()
        self._number += 1
        kind, payload = self._message()
        while True:
            last = over.is_set()
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    if self._writer is None:
                        await self._connect(port)
                    assert self._writer is not None and self._reader is not None
                    self._writer.write(publish(f"cp/{self.name}/{kind}", payload, self._number % 0xFFFF + 1))
                    await self._reader.readexactly(PUBACK_BYTES)
                self.counts[kind] += 1
                break
            except (OSError, EOFError, TimeoutError) as error:
                self.counts[f"reconnect {type(error).__name__}"] += 1
                self._close()
                if last:
                    self.counts["given up"] += 1
                    break
                await asyncio.sleep(RECONNECT_EVERY_S)
        self.waits_s.append((due_s, time.monotonic() - due_s))

    def _message(self) -> tuple[str, bytes]:
        said = {"n": self._number, "b": self._boot, "t": int(time.time())}
        if self._number % EVENT_EACH == 0:
            return "event", json.dumps(said | {"k": "mode", "d": {"to": "smart"}}).encode()
        state = {"s": "C2", "m": "smart", "q": 17, "o": "23415", "a": 32, "w": 7360, "e": 124180 + self._number}
        return "heartbeat", json.dumps(said | state | {"f": [], "x": 24}).encode()

    async def _connect(self, port: int) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._writer.write(connect(self.name, self._secret))
        if (answer := await self._reader.readexactly(len(CONNACK_OK))) != CONNACK_OK:
            raise ConnectionRefusedError(f"CONNACK {answer.hex()}")

    def _close(self) -> None:
        if self._writer is not None:
            with suppress(OSError):
                self._writer.close()
        self._reader = self._writer = None


async def main(port: int) -> None:
    """Print for each unit when its messages were due and how long they waited, in seconds, and what was acknowledged."""
    asked, over = asked_on_stdin()
    boot = int(time.time()) % 1_000_000
    units = [GoodUnit(name, secret, boot) for name, secret in asked]
    connected = [asyncio.Event() for _ in units]
    async with asyncio.TaskGroup() as group:
        for at, (unit, event) in enumerate(zip(units, connected, strict=True)):
            group.create_task(unit.live(port, EVERY_S * at / len(units), over, event))
        for event in connected:
            await event.wait()
        sys.stdout.write(READY)
        sys.stdout.flush()
    print(json.dumps({unit.name: [unit.waits_s, unit.counts] for unit in units}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
