"""What every attacker receives and reports: a count of its actions, and the faults of the bridge."""

import http.client
import os
import random
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from hil_tests.siege.http_client import Answer, LoginFailed
from hil_tests.siege.population import Person, Unit

MAX_FAULTS = 20  # faults reported for one attacker; all are counted
SERVER_ERROR = 500
NICE = 10  # the default is 0, the lowest priority 19


class Target(NamedTuple):
    """The bridge under siege. Attackers know the secrets of `units`; `good` are the names of other units."""

    http_port: int
    mqtt_port: int
    units: dict[str, Unit]
    people: dict[str, Person]
    good: list[str]
    mail_port: int  # the bridge sends letters to this port; the attacker `receivers` listens on it


class Attack:
    """An attacker on its own thread. `random` depends only on the seed and the attacker's name."""

    def __init__(self, name: str, target: Target, seed: int, over: threading.Event) -> None:
        self.name, self.target, self.over = name, target, over
        self.seed = f"{seed}-{name}"
        self.random = random.Random(self.seed)
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []

    def fault(self, what: str) -> None:
        """Record a fault of the bridge."""
        self.counts["FAULTS"] += 1
        if len(self.faults) < MAX_FAULTS and what not in self.faults:
            self.faults.append(what)

    def answered(self, status: int, asked: str) -> None:
        """Count an HTTP answer. `asked` describes the request in the report of a fault."""
        self.counts[str(status)] += 1
        if status >= SERVER_ERROR:
            self.counts["5xx"] += 1
            self.fault(f"{status} for {asked}")

    def ask(self, asked: str, request: Callable[[], Answer]) -> Answer | None:
        """Return the answer and count it. Return None, counted too, if there was none: a crowded server closes connections."""
        try:
            answer = request()
        except (OSError, http.client.HTTPException, LoginFailed) as error:
            self.counts[type(error).__name__] += 1
            return None
        self.answered(answer.status, asked)
        return answer

    def run(self, attacker: Callable[["Attack"], None]) -> None:
        """Attack until `over`. If the attacker itself fails, record a fault, because nothing was attacked.

        In reality, attackers run on other machines. Here they get the processor time that others leave, also where the kernel
        has no autogroups (attackers_apart.py).
        """
        if sys.platform == "linux":  # on other systems, the priority is that of the whole process
            os.nice(NICE)
        try:
            attacker(self)
        except Exception:  # reported with its traceback at the end
            self.fault(f"the attacker itself failed: {traceback.format_exc()}")
