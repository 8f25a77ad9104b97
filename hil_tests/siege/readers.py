"""The readers: people with a session who each load a page every EVERY_S seconds, over a persistent connection.

Run as `python -m hil_tests.siege.readers PORT` by hil_tests/siege/measured.py.
"""

import http.client
import json
import sys
import threading
import time
from collections import Counter

from hil_tests.siege.http_client import HttpClient
from hil_tests.siege.measured import READY, asked_on_stdin

EVERY_S = 1.0
PAGES = (
    "/",
    "/charge-points/{}",
    "/charge-points/{}/charging",
    "/charge-points/{}/history",
    "/support",
    "/account/units",
)


class Reader:
    """A person who owns the unit."""

    def __init__(self, port: int, name: str, password: str, unit: str) -> None:
        self._client = HttpClient(port, keep_alive=True)
        self._client.must_log_in(name, password)
        self._paths = [path.format(unit) for path in PAGES]
        self.times_s: list[tuple[float, float]] = []  # start of each request (CLOCK_MONOTONIC), and its duration
        self.counts: Counter[str] = Counter()

    def read(self, delay_s: float, over: threading.Event) -> None:
        """Read until `over`. If the server has closed the persistent connection, repeat the request on a new one, as
        browsers do."""
        due_s, count = time.monotonic() + delay_s, 0
        while not over.wait(max(0.0, due_s - time.monotonic())):
            path = self._paths[count % len(self._paths)]
            started_s = time.monotonic()
            try:
                try:
                    status = self._client.get(path).status
                except (ConnectionError, http.client.RemoteDisconnected):
                    self.counts["reconnect"] += 1
                    status = self._client.get(path).status
                self.counts[str(status)] += 1
            except (OSError, http.client.HTTPException) as error:
                self.counts[type(error).__name__] += 1
            self.times_s.append((started_s, time.monotonic() - started_s))
            due_s, count = max(due_s + EVERY_S, time.monotonic()), count + 1


def main(port: int) -> None:
    """Print start and duration of each request, in seconds, and the statuses."""
    asked, over = asked_on_stdin()
    readers = [Reader(port, *one) for one in asked]
    threads = [
        threading.Thread(target=reader.read, args=(EVERY_S * at / len(readers), over))
        for at, reader in enumerate(readers)
    ]
    sys.stdout.write(READY)
    sys.stdout.flush()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts: Counter[str] = Counter()
    for reader in readers:
        counts.update(reader.counts)
    print(json.dumps({"times_s": [one for reader in readers for one in reader.times_s], "counts": counts}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
