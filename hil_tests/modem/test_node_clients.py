"""Do clients written in JavaScript, on npm's serialport, work with the simulated modem, and is every byte right?"""

import json
import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from hil_tests.modem.conftest import SimulatedModem

HERE = Path(__file__).parent / "node_clients"
INSTALL_S, CLIENT_S = 120, 150
SEED = 800
PAYLOAD = random.Random(SEED).randbytes(100_000)
QUICK_AIR = {"one_way": [1, 4], "pdp_activate": [50, 100], "connect": [20, 50], "shut": [20, 50], "detach": [20, 50]}
pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("npm") is None, reason="Node is not installed (20 or newer), or npm"
)


@pytest.fixture(scope="module")
def packages() -> None:
    """Install serialport and serialport-gsm by the lock file, without running their scripts."""
    if not (HERE / "node_modules" / "serialport-gsm").exists():
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=INSTALL_S, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def client(script: str, *arguments: str) -> Any:
    """Run a client and return the JSON that it prints."""
    command = ["node", script, *arguments]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=CLIENT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@contextmanager
def twice() -> Iterator[tuple[int, bytearray]]:
    """Run a server: the first connection gets the payload and is closed; what the second sends is recorded."""
    returned = bytearray()

    def serve() -> None:
        with suppress(OSError):  # the assertions find missing bytes
            first, _ = server.accept()
            with first:
                first.sendall(PAYLOAD)
            second, _ = server.accept()
            with second:
                second.settimeout(CLIENT_S)
                while chunk := second.recv(65_536):
                    returned.extend(chunk)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], returned
        finally:
            server.shutdown(socket.SHUT_RDWR)  # ends accept()
            thread.join(CLIENT_S)


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("model", ["SIM800L", "SIM7080G", "SIM7600E", "A7670E", "EC21", "BG95", "M95"])
def test_does_serialport_gsm_initialise_and_question_it(modem: SimulatedModem, model: str) -> None:
    assert client("sms_library.mjs", str(modem(model=model))) == {
        "initialised": "success",
        "mode": "PDU_Mode",
        "imei": "867856030000017",
        "csq": 22,
        "messages": 0,
        "free": 30,
    }


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("SIM800L", "sim800"),
        ("SIM7080G", "caopen"),
        ("SIM7600E", "netopen"),
        ("A7670E", "netopen"),
        ("EC21", "qiopen"),
        ("BG95", "qiopen"),
        ("M95", "m95"),
    ],
)
def test_do_100_kb_pass_both_ways_over_the_modem_s_own_tcp(modem: SimulatedModem, model: str, family: str) -> None:
    port = modem(SEED, model=model, latencies=QUICK_AIR)
    print(f"seed {SEED}")
    with twice() as (tcp_port, returned):
        assert client("tcp_client.mjs", family, str(port), "127.0.0.1", str(tcp_port)) == {"bytes": len(PAYLOAD)}
    assert bytes(returned) == PAYLOAD
