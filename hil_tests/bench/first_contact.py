"""From nothing to the first contact: bridge and units are started, units are provisioned, the modem registers."""

import tempfile
from pathlib import Path

from hil_tests.rig.rigs import kinds
from hil_tests.scenarios.system import running

LIMIT_S = 30


def first_contact() -> bool:
    """Prints how long it took; true if it holds."""
    with tempfile.TemporaryDirectory() as folder, running(kinds()["virtual"], Path(folder)) as system:
        took_s = system.first_contact_after_s
    print(
        f"first contact after {took_s:.1f} s, limit {LIMIT_S} s: three units and their bridge, all started from nothing"
    )
    return took_s <= LIMIT_S
