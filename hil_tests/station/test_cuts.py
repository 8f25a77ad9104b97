"""Does a station that is killed at any step continue from there, with one registration and one label at the end?"""

import json
import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.station.errors import StationTrouble
from hil_tests.station.record import PUBLIC_KEY, verify_record
from hil_tests.station.registration import Bridge
from hil_tests.station.station_fixture import MadeHere, unit_in_fixture
from hil_tests.station.steps import STEPS

SERIAL = "CK-0042"
STORE = "station"  # the default folder of configuration.py


@pytest.fixture(scope="module")
def made_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeHere]:
    station = MadeHere(tmp_path_factory.mktemp("station"))
    try:
        yield station
    finally:
        station.close()


@pytest.fixture(scope="module")
def unit(made_here: MadeHere) -> Iterator[Path]:
    with unit_in_fixture(made_here.folder / "unit", "--seed", "3") as folder:
        yield folder


def noted(made_here: MadeHere) -> dict[str, dict[str, str]]:
    path = made_here.folder / STORE / "journals" / f"{SERIAL}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def units_of(made_here: MadeHere) -> list[str]:
    """Return the ids of the units at the bridge."""
    log = made_here.cloud.commands(["unit", "list"])[0]
    return [one["id"] for one in log]  # type: ignore[index]  # this command answers with a list


@pytest.mark.parametrize("step", [step.name for step in STEPS])
def test_killed_when_a_step_was_done_and_not_noted(made_here: MadeHere, unit: Path, step: str) -> None:
    """Runs in order, with the same unit: a step that an earlier run has noted is not repeated."""
    done = made_here.run_until_heard(unit, SERIAL, "before", step)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    assert step not in noted(made_here)
    assert f"{STEPS[0].name:<21} done" in done.stdout or step == STEPS[0].name


def test_then_it_comes_to_its_end_with_one_registration_and_one_label(made_here: MadeHere, unit: Path) -> None:
    done = made_here.run_until_heard(unit, SERIAL)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"PASSED {SERIAL}"), done.stdout + done.stderr
    assert list(noted(made_here)) == [step.name for step in STEPS]
    assert units_of(made_here) == [SERIAL]
    code = noted(made_here)["claim_code"]["code"]
    printed = re.findall(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", (made_here.folder / "paper").read_text())
    assert len(printed) >= 4 and set(printed) == {code}, "it was printed before and after a kill"
    folder = made_here.folder / STORE
    facts = verify_record(folder / "records" / f"{SERIAL}.json", folder / PUBLIC_KEY)
    assert (facts["outcome"], facts["identity"]) == ("passed", noted(made_here)["identity"])
    made_here.cloud.command("user", "add", "dora", "--role", "driver")
    assert made_here.cloud.command("unit", "claim", code, "dora")["id"] == SERIAL


def test_no_secret_is_in_a_file_that_others_can_read_and_none_is_told(made_here: MadeHere, unit: Path) -> None:
    done = made_here.run_until_heard(unit, SERIAL)
    code = noted(made_here)["claim_code"]["code"]
    for secret in (made_here.token, code):
        assert secret not in done.stdout + done.stderr + (unit / "fixture.log").read_text()
    for path in (made_here.folder / STORE).rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
        if path.is_file():
            assert made_here.token not in path.read_text("latin-1")
            assert code not in path.read_text("latin-1") or "label" in path.name or "journals" in str(path)


def test_a_bridge_whose_authority_is_another_one_hears_nothing(made_here: MadeHere) -> None:
    with pytest.raises(StationTrouble, match="certificate"):
        Bridge(made_here.address, made_here.token).register(SERIAL, "0f" * 32, "7K4M-2QXP-9BCD")
