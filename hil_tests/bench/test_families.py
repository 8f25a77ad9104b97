"""Does the whole product make contact, leave a weak network and recover from a hang with modems of other families?

A sample of `python -m hil_tests.bench families` with short waits: one modem of each of the two makers. Only the
benchmark requires an uninterrupted charge: if a busy machine gives a unit no processor for a second, its guard opens
the contactor and the unit starts again, as designed. Here the unit must charge in the end, without a red light.
"""

import asyncio
from pathlib import Path

from hil_tests.bench import families

SAMPLE = ("A7670E", "BG95")
SEED = 17


def test_a_unit_with_an_lte_modem_makes_contact_roams_and_recovers(tmp_path: Path) -> None:
    outcomes = asyncio.run(families.side_by_side(SAMPLE, families.SHORT, SEED, tmp_path))
    assert len(outcomes) == len(SAMPLE)
    assert not any(outcome.wrong for outcome in outcomes), "\n".join([f"seed {SEED}", *map(str, outcomes)])
    assert all(outcome.csq[1] > families.WEAK_CSQ for outcome in outcomes)
