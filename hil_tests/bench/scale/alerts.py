"""Are alerts lost or sent twice, and how long does the upkeep stop, when processes are killed at random?

Two processes ingest, and two do the upkeep. In each round some units report faults, and kill -9 ends one of the four at
a random moment. Every third round it ends the leader.
"""

import random
import statistics
import tempfile
import time
from pathlib import Path

from hil_tests.fixtures.mail_server import mail_server
from hil_tests.fixtures.postgresql import Server
from hil_tests.fixtures.progress import bar
from hil_tests.store.several import LETTER_TAKES_S, Several, units_for

FAULTS = 8
PAUSE_S = 6.0  # at most, between the faults and the kill: alerts are noticed every 5 s and sent every 2 s
TAKEN_OVER_WITHIN_S = 10.0  # the promise
LED_EVERY = 3  # rounds


def alerts(rounds: int, seed: int) -> bool:
    """Print the results. Return True if nothing was lost or doubled, and another process led in time."""
    print(f"seed {seed}, {rounds} rounds of {FAULTS} faults and one kill -9")
    chance, done = random.Random(seed), 0
    server = Server()
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            mail_server(LETTER_TAKES_S) as mail,
            bar("rounds", rounds, lambda: done),
        ):
            several = Several(Path(folder), server, mail, units_for(rounds, FAULTS))
            try:
                for number in range(rounds):
                    several.raise_faults(FAULTS, chance)
                    time.sleep(chance.uniform(0, PAUSE_S))
                    victim = chance.choice(several.names())
                    several.kill((several.leader() or victim) if number % LED_EVERY == 0 else victim)
                    done += 1
                found = several.found()
            finally:
                several.close()
    finally:
        server.close()
    usual_s = statistics.median(several.takeovers_s or [0.0])
    worst_s = max(several.takeovers_s, default=0.0)
    print(f"alerts told {found.told} of {rounds * FAULTS}, lost {len(found.lost)}, doubled {len(found.doubled)}")
    print(f"sent again after a kill between the receiver's answer and our note of it: {len(found.sent_again)}")
    print(
        f"take-overs {len(several.takeovers_s)}, median {usual_s:.1f} s, worst {worst_s:.1f} s "
        f"(promised: {TAKEN_OVER_WITHIN_S:.0f} s)"
    )
    for name, marks in (("lost", found.lost), ("doubled", found.doubled)):
        if marks:
            print(f"{name}: {', '.join(marks)}")
    return found.is_good() and worst_s <= TAKEN_OVER_WITHIN_S
