"""Does Debian's pppd connect through the simulated modem, as gateways do, and is every byte right in both directions?

It needs a kernel with PPP and a separate network: a network namespace if this machine has /dev/ppp and the user is
root, otherwise a User Mode Linux, whose kernel has both and needs no rights.
"""

import os
import random
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from hil_tests.modem import ppp_client
from hil_tests.modem.conftest import SimulatedModem

SEED = 99
PAYLOAD = random.Random(SEED).randbytes(100_000)
NETWORK_HOST = "10.64.64.64"  # in the simulated packet network; its ports are this machine's
WITHIN_S = 150
QUICK_AIR = {"one_way": [1, 4], "pdp_activate": [50, 100]}
NAMESPACE = f"chargekeeper-{os.getpid()}"
MACHINE = "mem=128M root=/dev/root rootfstype=hostfs rootflags=/ ro con=null con0=null,fd:1 ssl=null quiet"

Run = Callable[[Path, int, Path], str]


def in_namespace(port: Path, tcp_port: int, _tmp_path: Path) -> str:
    """Run the client in a network namespace of this kernel. Return its output."""
    inside = ["ip", "netns", "exec", NAMESPACE]
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    try:
        return _output([*inside, sys.executable, ppp_client.__file__, str(port), NETWORK_HOST, str(tcp_port)])
    finally:
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=True)


def in_user_mode_linux(port: Path, tcp_port: int, tmp_path: Path) -> str:
    """Run the client as the first process of a separate kernel, with this machine's files read-only. Return its output."""
    machine = [*MACHINE.split(), f"uml_dir={tmp_path}", f"ssl0=tty:{port.resolve()}", f"init={sys.executable}"]
    client = ["--", "-I", ppp_client.__file__, "/dev/ttyS0", NETWORK_HOST, str(tcp_port)]
    return _output(["linux.uml", *machine, *client])


def _output(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=WITHIN_S, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


def place() -> tuple[Run | None, str]:
    """Return how pppd can run here, or None and why it cannot."""
    if shutil.which("pppd") is None or not os.access(shutil.which("pppd") or "", os.R_OK):
        return None, "pppd is not installed, or not readable for this user: apt-get install ppp"
    if os.path.exists("/dev/ppp") and os.geteuid() == 0 and shutil.which("ip"):
        return in_namespace, ""
    if shutil.which("linux.uml"):
        return in_user_mode_linux, ""
    return None, "neither root with /dev/ppp nor User Mode Linux: apt-get install user-mode-linux"


RUN, WHY_NOT = place()


@contextmanager
def mirrored() -> Iterator[tuple[int, list[bytes]]]:
    """Run a server that sends the payload and records what comes back. Yield its port, and the record."""
    returned: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):  # the assertions find missing bytes
            connection, _ = server.accept()
            with connection:
                connection.settimeout(WITHIN_S)
                connection.sendall(PAYLOAD)
                connection.shutdown(socket.SHUT_WR)
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


@pytest.mark.skipif(RUN is None, reason=WHY_NOT)
@pytest.mark.parametrize(
    ("model", "lose_one_in"),
    [("SIM800L", 0), ("EC21", 0), ("SIM800L", 30_000)],
    ids=["SIM800L", "EC21", "SIM800L on a line that loses bytes"],
)
def test_does_pppd_carry_100_kb_both_ways_without_a_wrong_byte(
    modem: SimulatedModem, tmp_path: Path, model: str, lose_one_in: int
) -> None:
    """Does the modem also accept commands again after pppd has hung up?"""
    assert RUN is not None
    port = modem(SEED, model=model, latencies=QUICK_AIR, noise={"lose_one_in": lose_one_in})
    with mirrored() as (tcp_port, returned):
        output = RUN(port, tcp_port, tmp_path)
    print(f"seed {SEED}\n{output}")
    assert "local  IP address 10.64.0.17" in output
    assert f"remote IP address {NETWORK_HOST}" in output
    assert b"".join(returned) == PAYLOAD
    assert "LCP TermAck" in output
    assert "Script " in output.split("LCP TermAck")[1]
