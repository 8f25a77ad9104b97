"""Does the whole product come into contact, leave a weak network and recover from a hang with modems of other families?

A sample of `python -m hil_tests.bench families`, with short waits: one modem of each of the two makers. That the charge is not
even interrupted is for the bench: a unit that a busy machine gives no processor for a second is opened by its guard and
starts anew, as it should. Here it charges in the end, and its light is not red.
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
