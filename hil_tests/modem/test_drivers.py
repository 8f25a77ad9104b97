"""Is each family's driver chosen for the simulated modem of that family on a pty, and is every byte right?"""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from hil_tests.modem.conftest import SimulatedModem
from modem import startup
from modem.client import Modem
from modem.families import registry
from modem.installer.modem_source import Clock
from modem.ports.pyserial_port import Port
from modem.stream import Stream

SEED = 1700
BYTES = 100_000
PIECE_BYTES = 4_096
WITHIN_S = 120
QUICK_AIR = {"one_way": [1, 4], "pdp_activate": [50, 100], "connect": [20, 50], "shut": [20, 50], "detach": [20, 50]}
FAMILIES = [
    ("SIM800L", "sim800"),
    ("SIM7000E", "sim7000"),
    ("SIM7080G", "sim7080"),
    ("SIM7600E", "sim7600"),
    ("A7670E", "sim7600"),
    ("EC21", "quectel"),
    ("BG95", "quectel"),
    ("M95", "m95"),
]


@contextmanager
def far_end(payload: bytes) -> Iterator[tuple[int, bytearray]]:
    """Run a server that sends the payload and records what comes back. Yield its port, and the record."""
    returned = bytearray()

    def serve() -> None:
        with suppress(OSError):  # the test finds missing bytes
            connection, _ = server.accept()
            with connection:
                connection.settimeout(WITHIN_S)
                connection.sendall(payload)
                while chunk := connection.recv(65_536):
                    returned.extend(chunk)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], returned
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # ends accept()
            thread.join(WITHIN_S)


@pytest.mark.parametrize(("model", "family"), FAMILIES)
def test_do_100_kb_pass_both_ways(modem: SimulatedModem, model: str, family: str) -> None:
    print(f"seed {SEED}")
    payload = random.Random(SEED).randbytes(BYTES)
    port = Port(str(modem(SEED, model=model, latencies=QUICK_AIR)))
    clock = Clock()
    subject = Modem(port, clock, registry.load())
    try:
        startup.synchronise(subject)
        startup.configure(subject)
        assert family == subject.family.NAME
        startup.wait_for_sim(subject)
        startup.wait_for_network(subject)
        assert startup.open_pdp_context(subject, "internet").count(".") == 3
        with far_end(payload) as (tcp_port, returned):
            stream = Stream(subject, clock)
            stream.connect("127.0.0.1", tcp_port)
            assert stream.read(BYTES) == payload
            for at in range(0, BYTES, PIECE_BYTES):
                piece = payload[at : at + PIECE_BYTES]
                assert stream.write(piece) == len(piece)
            while subject.family.sent(subject, 0)[1] < BYTES:
                clock.sleep_ms(20)
            stream.close()
        assert bytes(returned) == payload
        assert (subject.broken, subject.unexpected_lines, subject.timeouts) == (0, 0, 0)
        startup.setup(subject).close_context(subject)
    finally:
        port.close()
