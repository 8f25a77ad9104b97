"""The time from nothing to the first contact: start bridge and units, provision the units, register the modems."""

import tempfile
from pathlib import Path

from hil_tests.rig.rigs import kinds
from hil_tests.scenarios.system import running

LIMIT_S = 30


def first_contact() -> bool:
    """Print how long it took. Return True if the limit holds."""
    with tempfile.TemporaryDirectory() as folder, running(kinds()["virtual"], Path(folder)) as system:
        took_s = system.first_contact_after_s
    print(
        f"first contact after {took_s:.1f} s, limit {LIMIT_S} s: three units and their bridge, all started from nothing"
    )
    return took_s <= LIMIT_S
