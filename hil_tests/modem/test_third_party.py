"""Do independent programs accept the simulated modem?"""

import random
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from gsmmodem.exceptions import CommandError  # type: ignore[import-untyped]
from gsmmodem.modem import GsmModem  # type: ignore[import-untyped]  # it comes without types

from hil_tests.modem.conftest import SimulatedModem

IMEI = "867856030000017"
SEED, WITHIN_S, QUIET_S = 7, 120, 20
PIECE_BYTES = 1024
DIGITS = re.compile(r"[0-9A-F]+")
QUICK_AIR = {"one_way": [1, 4], "pdp_activate": [50, 100], "connect": [20, 50]}
# Of python-gsmmodem itself: open sockets, and threads named in the old way.
unclean = pytest.mark.filterwarnings("ignore")
needs_gammu = pytest.mark.skipif(shutil.which("gammu") is None, reason="gammu is not installed: apt-get install gammu")


def gammu(port: Path, *command: str) -> str:
    settings = port.with_suffix(".gammurc")
    settings.write_text(f"[gammu]\ndevice = {port}\nconnection = at115200\n")
    asked = ["gammu", "--config", str(settings), *command]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_gammu
@pytest.mark.parametrize(
    ("model", "maker", "name"),
    [
        ("SIM800L", "SIMCOM_Ltd", "SIMCOM_SIM800L"),
        ("SIM7080G", "SIMCOM_Ltd", "SIMCOM_SIM7080"),
        ("SIM7600E", "SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H"),
        ("A7670E", "SIMCOM INCORPORATED", "A7670E-FASE"),
        ("EC21", "Quectel", "EC21"),
        ("BG95", "Quectel", "BG95-M3"),
        ("M95", "Quectel_Ltd", "Quectel_M95"),
    ],
)
def test_does_gammu_identify_it(modem: SimulatedModem, model: str, maker: str, name: str) -> None:
    said = gammu(modem(model=model), "--identify")
    assert maker in said
    assert name in said
    assert IMEI in said


@needs_gammu
def test_does_gammu_see_the_network(modem: SimulatedModem) -> None:
    said = gammu(modem(), "networkinfo")
    assert "234 15" in said
    assert "GPRS                 : attached" in said


@contextmanager
def connected(port: Path) -> Iterator[GsmModem]:
    """Connect python-gsmmodem to a modem."""
    other = GsmModem(str(port), 115_200)
    other.connect()
    try:
        yield other
    finally:
        other.close()


@unclean
def test_does_python_gsmmodem_read_signal_and_operator(modem: SimulatedModem) -> None:
    with connected(modem()) as other:
        assert other.signalStrength == 22
        assert other.networkName == "vodafone UK"
        assert other.imei == IMEI


@unclean
def test_do_100_kb_pass_both_ways_through_python_gsmmodem(modem: SimulatedModem) -> None:
    """Its engine handles only lines: received bytes come as digits (AT+CIPRXGET=3), and what it sends has no line breaks."""
    payload = random.Random(SEED).randbytes(50_000).hex().encode()
    print(f"seed {SEED}")
    with connected(modem(SEED, latencies=QUICK_AIR)) as other, echoing(payload) as (port, returned):
        for command in (
            *("AT+CIPMUX=1", "AT+CIPRXGET=1", 'AT+CSTT="internet"', "AT+CIICR", "AT+CIFSR;E0"),
            f'AT+CIPSTART=0,"TCP","127.0.0.1",{port}',
        ):
            assert other.write(command)[-1] == "OK"
        received = b""
        deadline_s = time.monotonic() + WITHIN_S
        while len(received) < len(payload):
            assert time.monotonic() < deadline_s, f"{len(received)} bytes in {WITHIN_S} s"
            with suppress(CommandError):  # not connected yet
                lines = other.write("AT+CIPRXGET=3,0,730")  # with URCs, which it recognises only when idle
                received += bytes.fromhex("".join(line for line in lines if DIGITS.fullmatch(line)))
        assert received == payload
        for at in range(0, len(payload), PIECE_BYTES):
            assert time.monotonic() < deadline_s, f"{at} bytes sent in {WITHIN_S} s"
            piece = payload[at : at + PIECE_BYTES].decode()
            other.write(f"AT+CIPSEND=0,{len(piece)}", expectedResponseTermSeq="> ")
            other.write(piece, writeTerm="", expectedResponseTermSeq="0, SEND OK")
        assert other.write("AT+CIPCLOSE=0", expectedResponseTermSeq="CLOSE OK")
    assert b"".join(returned) == payload


@contextmanager
def echoing(payload: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Run a server that sends the payload to its first client and records what comes back. Yield its port, and the record."""
    returned: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):  # the test finds missing bytes
            connection, _ = server.accept()
            with connection:
                connection.settimeout(QUIET_S)
                connection.sendall(payload)
                while chunk := connection.recv(65_536):
                    returned.append(chunk)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], returned
        finally:
            server.shutdown(socket.SHUT_RDWR)  # ends accept()
            thread.join(WITHIN_S)
