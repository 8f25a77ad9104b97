"""What every attacker is given, and what it reports: a count of what it did, and what the bridge should not have done."""

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

MAX_FAULTS = 20  # reported of one attacker; all are counted
SERVER_ERROR = 500
NICE = 10  # 0 is everybody's, 19 the last


class Target(NamedTuple):
    """The bridge under siege. The attackers own `units` of theirs; `good` are names of units that they do not own."""

    http_port: int
    mqtt_port: int
    units: dict[str, Unit]
    people: dict[str, Person]
    good: list[str]
    mail_port: int  # where the bridge delivers letters: the attacker `receivers` listens there


class Attack:
    """One attacker at work, on a thread of its own. `random` depends on the seed and the attacker's name alone."""

    def __init__(self, name: str, target: Target, seed: int, over: threading.Event) -> None:
        self.name, self.target, self.over = name, target, over
        self.seed = f"{seed}-{name}"
        self.random = random.Random(self.seed)
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []

    def fault(self, what: str) -> None:
        """The bridge did what it must not do."""
        self.counts["FAULTS"] += 1
        if len(self.faults) < MAX_FAULTS and what not in self.faults:
            self.faults.append(what)

    def answered(self, status: int, asked: str) -> None:
        """Counts an answer of HTTP; `asked` says what was asked, for a fault."""
        self.counts[str(status)] += 1
        if status >= SERVER_ERROR:
            self.counts["5xx"] += 1
            self.fault(f"{status} for {asked}")

    def ask(self, asked: str, request: Callable[[], Answer]) -> Answer | None:
        """The answer, counted; None when there was none, which is counted too: a crowded server closes connections."""
        try:
            answer = request()
        except (OSError, http.client.HTTPException, LoginFailed) as error:
            self.counts[type(error).__name__] += 1
            return None
        self.answered(answer.status, asked)
        return answer

    def run(self, attacker: Callable[["Attack"], None]) -> None:
        """Goes on until `over`. An attacker that fails has attacked nothing, which is a fault of the siege.

        In life attackers are on machines of their own: here they take what processor time the others leave, also where the
        kernel knows no groups (attackers_apart.py).
        """
        if sys.platform == "linux":  # elsewhere priorities are those of whole processes
            os.nice(NICE)
        try:
            attacker(self)
        except Exception:  # of a thread: reported with its traceback at the end
            self.fault(f"the attacker itself failed: {traceback.format_exc()}")
