"""`python -m hil_tests.station.bad_units`: run the station on every defect of a unit and every trouble of a fixture.

Takes five minutes. The exit code is 1 if a bad unit passed, a good unit failed, or a failed unit is registered at the bridge.
"""

import sys
import tempfile
from pathlib import Path

from hil_tests.station.command_line import FAILED, TROUBLE
from hil_tests.station.station_fixture import MadeHere, unit_in_fixture
from hil_tests.station.virtual import TROUBLES
from hil_tests.station.virtual_board import DEFECTS

PASSES = {"slow", "spikes"}  # troubles in spite of which a good unit passes


def main() -> int:
    """Print one line for each run."""
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="chargekeeper-station-") as folder:
        made_here = MadeHere(Path(folder) / "station")
        try:
            for option, name in [
                ("", "good"),
                *(("--defect", one) for one in DEFECTS),
                *(("--trouble", one) for one in TROUBLES),
            ]:
                with unit_in_fixture(Path(folder) / name, *([option, name] if option else [])) as unit:
                    done = made_here.run(unit, f"T-{name}")
                due = FAILED if option == "--defect" else TROUBLE if option and name not in PASSES else 0
                listed = f"T-{name}" in str(made_here.cloud.commands(["unit", "list"]))
                is_right = done.returncode == due and listed == (due == 0)
                wrong += not is_right
                said = (done.stderr or done.stdout).splitlines()[-1]
                print(f"{name:<22} {done.returncode} {'' if is_right else 'WRONG '}{said}", flush=True)
        finally:
            made_here.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
