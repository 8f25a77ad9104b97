"""Does a siege of ten seconds find no fault, and does every attacker attack? `make siege` also checks the times."""

import random
from pathlib import Path

from hil_tests.siege.siege import ATTACKERS, Plan, besiege

SECONDS = 10.0
UNITS, READERS = 10, 2
# What each attacker must have done at least once.
DONE = {
    "sockets": ("http opened", "mqtt opened", "drips"),
    "requests": ("half", "broken", "unread"),
    "guesses": ("passwords", "tokens", "unit secrets", "claim codes"),
    "poison": ("messages", "acknowledged"),
    "forms": ("pages", "submissions"),
    "receivers": ("email accepted", "faults raised"),
}


def test_a_short_siege_breaks_nothing(tmp_path: Path) -> None:
    """Repeat with a minute if ten seconds were too short for an attacker to begin, as on a busy machine."""
    seed = random.randrange(10**6)
    idle: list[tuple[str, str]] = []
    for seconds in (SECONDS, 6 * SECONDS):
        print(
            f"\npython -m hil_tests.siege --seed {seed} --minutes {seconds / 60:.2f} --units {UNITS} --readers {READERS}"
        )
        outcome = besiege(tmp_path / f"{seconds:.0f}", Plan(seconds, seed, UNITS, READERS, calm_s=0))
        print(*outcome.details, *outcome.figures, sep="\n")
        found = [fault for attack in outcome.attacks for fault in attack.faults] + outcome.log_faults
        assert found == []
        assert [str(figure) for figure in outcome.figures if figure.is_broken and not figure.is_timed] == []
        assert set(DONE) == set(ATTACKERS)
        idle = [(one.name, what) for one in outcome.attacks for what in DONE[one.name] if not one.counts[what]]
        if not idle:
            break
    assert idle == []
