"""Does the station recognise the unit in its fixture, and what does it do with another unit?"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hil_tests.station import steps
from hil_tests.station.errors import StationTrouble, UnitFailed
from hil_tests.station.journal import Journal
from hil_tests.station.steps import Job, provision

HASH = "0f" * 32
FLASHED = {"flash": {}, "identity": {"secret_sha256": HASH}}
REGISTERED = FLASHED | {"claim_code": {"code": "7K4M-2QXP-9BCD"}, "registration": {}}


class FakeFixture:
    """A fixture whose unit reports this id and hash; None: it does not answer."""

    def __init__(self, said: tuple[str, str] | None) -> None:
        self._said = said
        self.asked: list[str] = []

    async def answers(self, _: float) -> bool:
        return self._said is not None

    async def ask_instrument(self, command: str) -> list[str]:
        self.asked.append(command)
        return []

    async def ask_unit(self, command: str) -> dict[str, str]:
        assert command == "identity" and self._said is not None
        return dict(zip(("id", "secret_sha256"), self._said, strict=True))


def checked(folder: Path, said: tuple[str, str] | None, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the journal's facts after the station has checked the unit."""
    journal = Journal(folder / "CK-1.json")
    for step, of_it in facts.items():
        journal.note(step, of_it)
    fixture: Any = FakeFixture(said)
    configuration: Any = None
    asyncio.run(provision(Job("CK-1", configuration, journal, fixture), lambda _: None))
    assert fixture.asked[:2] == ["load A", "mains on"]
    return Journal(folder / "CK-1.json").facts


@pytest.fixture(autouse=True)
def nothing_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "STEPS", ())


@pytest.mark.parametrize("said", [None, ("-", "-")])
def test_a_unit_without_an_identity_is_begun(tmp_path: Path, said: tuple[str, str] | None) -> None:
    assert checked(tmp_path, said, {}) == {}


@pytest.mark.parametrize("unit_id", ["CK-1", "CK-2"])
def test_a_unit_that_the_station_has_not_begun_is_not_erased(tmp_path: Path, unit_id: str) -> None:
    with pytest.raises(StationTrouble, match=f"this unit is already {unit_id}"):
        checked(tmp_path, (unit_id, HASH), {})


@pytest.mark.parametrize("facts", [FLASHED, REGISTERED])
def test_its_own_unit_goes_on(tmp_path: Path, facts: dict[str, Any]) -> None:
    assert checked(tmp_path, ("CK-1", HASH), facts) == facts


def test_a_unit_that_has_made_its_identity_unnoted_goes_on(tmp_path: Path) -> None:
    assert checked(tmp_path, ("CK-1", HASH), {"flash": {}}) == {"flash": {}}


@pytest.mark.parametrize("said", [None, ("-", "-")])
def test_an_exchanged_unit_is_begun_anew_with_the_same_code(tmp_path: Path, said: tuple[str, str] | None) -> None:
    code = {"claim_code": {"code": "7K4M-2QXP-9BCD"}}
    assert checked(tmp_path, said, FLASHED | code) == code


def test_a_unit_of_another_serial_number_is_not_erased_either(tmp_path: Path) -> None:
    with pytest.raises(StationTrouble, match="this unit is already CK-2"):
        checked(tmp_path, ("CK-2", HASH), FLASHED)


def test_a_registered_serial_number_is_for_its_own_unit(tmp_path: Path) -> None:
    with pytest.raises(StationTrouble, match="is registered, and this is another unit"):
        checked(tmp_path, ("CK-1", "5a" * 32), REGISTERED)
    with pytest.raises(UnitFailed, match="is registered and does not answer"):
        checked(tmp_path, None, REGISTERED)
