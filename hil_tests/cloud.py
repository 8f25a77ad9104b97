"""What a program sees of the cloud side: its HTTP API."""

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

LOOK_EVERY_S = 0.1
ANSWER_WITHIN_S = 5


class Cloud:
    """One charge point as the HTTP API shows it. `time_scale` is its rig's."""

    def __init__(self, address: str, token: str, unit_id: str, time_scale: float = 1) -> None:
        self._url = f"{address}/api/charge-points/{unit_id}"
        self._token, self._time_scale = token, time_scale

    def look(self) -> dict[str, Any]:
        """Looks once."""
        request = urllib.request.Request(self._url, headers={"Authorization": f"Bearer {self._token}"})
        with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as reply:
            seen: dict[str, Any] = json.load(reply)
        return seen

    def wait_for(self, predicate: Callable[[dict[str, Any]], bool], within_s: float) -> dict[str, Any]:
        """Looks until the predicate holds; fails with what was seen last if it does not in time."""
        within_s *= self._time_scale
        deadline_s = time.monotonic() + within_s
        while not predicate(seen := self.look()):
            if time.monotonic() > deadline_s:
                raise AssertionError(f"not within {within_s} s; the cloud saw last: {seen}")
            time.sleep(LOOK_EVERY_S)
        return seen
