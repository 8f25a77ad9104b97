"""Programs that never heard of us talk to the simulated modem: is it modem enough for them?"""

import shutil
import subprocess
from pathlib import Path

import pytest
from gsmmodem.modem import GsmModem  # type: ignore[import-untyped]  # it comes without types

from hil_tests.modem.conftest import SimulatedModem

IMEI = "867856030000017"
needs_gammu = pytest.mark.skipif(shutil.which("gammu") is None, reason="gammu is not installed: apt-get install gammu")


def gammu(port: Path, *command: str) -> str:
    settings = port.with_suffix(".gammurc")
    settings.write_text(f"[gammu]\ndevice = {port}\nconnection = at115200\n")
    asked = ["gammu", "--config", str(settings), *command]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_gammu
def test_does_gammu_identify_it(modem: SimulatedModem) -> None:
    said = gammu(modem(), "--identify")
    assert "SIMCOM_SIM800L" in said
    assert IMEI in said


@needs_gammu
def test_does_gammu_see_the_network(modem: SimulatedModem) -> None:
    said = gammu(modem(), "networkinfo")
    assert "234 15" in said
    assert "GPRS                 : attached" in said


@pytest.mark.filterwarnings("ignore")  # its own: sockets left open, threads named the old way
def test_does_python_gsmmodem_read_signal_and_operator(modem: SimulatedModem) -> None:
    other = GsmModem(str(modem()), 115_200)
    other.connect()
    try:
        assert other.signalStrength == 22
        assert other.networkName == "vodafone UK"
        assert other.imei == IMEI
    finally:
        other.close()
