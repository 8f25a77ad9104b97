"""Does one line tell the operator what is wrong with the makers' settings, and does the bridge then end?"""

import asyncio
import threading
from pathlib import Path

import pytest

from cloud_bridge import command_line
from cloud_bridge.cli import doctor
from cloud_bridge.clock import SystemClock
from cloud_bridge.errors import SettingError
from cloud_bridge.roles.opening import open_app_state
from cloud_bridge.settings import read_settings
from tests.cloud_bridge.vehicles.acting import Scene

MAKER = """public_url = "https://app.example"
[provider.maker]
kind = "generic"
client_id = "us"
authorise_url = "https://maker.example/authorize"
token_url = "https://maker.example/token"
api_url = "https://maker.example"
scopes = ["read"]
"""


def the_doctor(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(folder))
    monkeypatch.delenv("CHARGEKEEPER_DATABASE", raising=False)
    monkeypatch.setattr(doctor, "CHECKS", [doctor.vehicles])
    command_line.main(["doctor"])
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (None, "ok   vehicles  none: no car maker is set up (vehicles.toml)"),
        (MAKER, "ok   vehicles  maker"),
        ("not toml [", "BAD  vehicles  cannot read"),
        (MAKER.replace("https://app", "http://app"), "public_url must begin with https://"),
        (MAKER.replace('"generic"', '"geneic"'), "maker: kind is 'geneic', not one of generic, smartcar, tesla"),
    ],
)
def test_the_doctor_reads_the_makers_settings(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    said: str | None,
    found: str,
) -> None:
    if said is not None:
        (tmp_path / "vehicles.toml").write_text(said)
    assert found in the_doctor(tmp_path, capsys, monkeypatch)


def test_settings_that_are_refused_leave_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "vehicles.toml").write_text("not toml [")
    before = threading.active_count()

    async def keep() -> None:
        async with open_app_state(read_settings({"CHARGEKEEPER_DATA": str(tmp_path)}), SystemClock):
            pass

    with pytest.raises(SettingError, match=r"vehicles\.toml"):
        asyncio.run(keep())
    assert threading.active_count() == before


@pytest.mark.store("sqlite")  # the doctor would check another database
def test_the_doctor_misses_a_key(
    play: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    play.link()
    assert the_doctor(play.folder, capsys, monkeypatch).startswith("ok")
    (play.folder / "vehicle-keys.json").unlink()
    assert "of stored grants is missing: restore it" in the_doctor(play.folder, capsys, monkeypatch)
