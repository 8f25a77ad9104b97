"""A unit that publishes while the store is in trouble, and records what was acknowledged."""

import json
import threading
from contextlib import suppress

from hil_tests.fixtures.cloud_fixture import CloudFixture

WITHIN_S = 120.0


class Speaker:
    """A unit that sends numbered events one after another, and reconnects whenever it is disconnected."""

    def __init__(self, cloud: CloudFixture, unit: tuple[str, str]) -> None:
        self.acknowledged: set[int] = set()
        self._cloud, self._unit = cloud, unit
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._speak)
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join(WITHIN_S)

    def _speak(self) -> None:
        number = 0
        while not self._end.is_set():
            with suppress(OSError):
                connection = self._cloud.connect(self._unit)
                while not self._end.wait(0.01):
                    number += 1
                    connection.publish("event", json.dumps({"b": 1, "n": number, "k": "fault_raised"}).encode())
                    self.acknowledged.add(number)
            self._end.wait(0.1)
