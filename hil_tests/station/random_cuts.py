"""`python -m hil_tests.station.random_cuts --kills 40`: kill the station at random moments and start it again until it is
done.

The exit code is 1 if a run fails, if the bridge does not have exactly these units, or if two labels of a unit have different
codes.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hil_tests.station.station_fixture import MadeHere, unit_in_fixture

LONGEST_S = 9.0  # longest time before a kill
CODE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.station.random_cuts")
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    drawn = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="chargekeeper-station-") as folder:
        made_here = MadeHere(Path(folder) / "station")
        try:
            return _story(made_here, drawn, asked.kills)
        finally:
            made_here.close()


def _story(made_here: MadeHere, drawn: random.Random, kills: int) -> int:
    """Make units until `kills` runs have been killed; then finish the last unit."""
    paper, number, killed, wrong = made_here.folder / "paper", 0, 0, 0
    while killed < kills:
        number += 1
        serial = f"CK-{number:04d}"
        paper.unlink(missing_ok=True)
        with unit_in_fixture(made_here.folder / serial, "--seed", str(number)) as unit:
            before = killed
            while (
                code := _run(made_here, unit, serial, drawn.uniform(0.3, LONGEST_S) if killed < kills else None)
            ) is None:
                killed += 1
        codes = set(CODE.findall(paper.read_text())) if paper.exists() else set()
        is_right = code == 0 and len(codes) == 1
        wrong += not is_right
        print(
            f"{serial} {killed - before} kills, exit code {code}, {len(codes)} code{'' if is_right else ' WRONG'}",
            flush=True,
        )
    listed = sorted(one["id"] for one in made_here.cloud.commands(["unit", "list"])[0])  # type: ignore[index]  # a list
    is_right = listed == [f"CK-{one:04d}" for one in range(1, number + 1)]
    print(f"{killed} kills, {number} units, {len(listed)} at the bridge{'' if is_right else ' WRONG'}")
    return 0 if is_right and not wrong else 1


def _run(made_here: MadeHere, unit: Path, serial: str, kill_after_s: float | None) -> int | None:
    """Return the exit code, or None if the run was killed."""
    process = subprocess.Popen(
        made_here.command(unit, serial), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    began_s = time.monotonic()
    try:
        said, _ = process.communicate(timeout=kill_after_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    if process.returncode:
        print(f"after {time.monotonic() - began_s:.1f} s: {said}")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
