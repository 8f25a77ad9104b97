"""A station with its bridge, and a unit in its fixture, for tests. All are separate processes."""

import asyncio
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hil_tests.fixtures.background import Background
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.ports import free_ports
from hil_tests.rig.loop import LINKS
from hil_tests.station.command_line import FAILED

LINES_WITHIN_S = 60
RUN_WITHIN_S = 180
PASSED_BYTES = 65_536
TRIES = 4


class MadeHere:
    """A station with a running bridge, which it reaches over HTTPS. Its configuration, token and store are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "cloud").mkdir(parents=True)
        self.cloud = CloudFixture(folder / "cloud", tls=True)
        self.cloud.start()
        self._background = Background()
        (port,) = free_ports(1)
        self.address = f"https://127.0.0.1:{port}"
        self._front = self._background.run(_tls_front(port, self.cloud.http_port, folder / "cloud" / "tls"))
        self.token = self.cloud.command("token", "add", "--name", "station 1", "--scope", "register")["token"]
        (folder / "token").touch(0o600)
        (folder / "token").write_text(self.token)
        (folder / "station.toml").write_text(
            f"""name = "station 1"
bridge = "{self.address}"
authority = "cloud/tls/ca.pem"
token = "token"
printer = "paper"
[unit]
board = "virtual"
broker = "127.0.0.1"
port = {self.cloud.bridge.mqtts_port}
authority = "cloud/tls/ca.pem"
rating = ["230 V 50 Hz 32 A", "IP54"]
"""
        )

    def close(self) -> None:
        """Stop the bridge."""
        self._background.call(self._front.close)
        self._background.close()
        self.cloud.stop()

    def run(self, unit: Path, serial: str, *cut: str) -> subprocess.CompletedProcess[str]:
        """Run the station to its end. `cut` is before|after and a step, at which it is killed."""
        command = self.command(unit, serial, *cut)
        return subprocess.run(command, capture_output=True, text=True, timeout=RUN_WITHIN_S)

    def run_until_heard(self, unit: Path, serial: str, *cut: str) -> subprocess.CompletedProcess[str]:
        """`run` for a good unit: test it again if it fails.

        A virtual unit that gets no processor time for a second fails, because its guard opens the contactor.
        """
        for _ in range(TRIES):
            done = self.run(unit, serial, *cut)
            if done.returncode != FAILED:
                break
        return done

    def command(self, unit: Path, serial: str, *cut: str) -> list[str]:
        """Return the command line."""
        words = ["hil_tests.station.cut_short", *cut] if cut else ["hil_tests.station"]
        console, instrument = (str(unit / LINKS[end]) for end in ("console", "instrument"))
        lines = ["--console", console, "--instrument", instrument, "--station", str(self.folder / "station.toml")]
        return [sys.executable, "-m", *words, "provision", serial, *lines]


async def _tls_front(port: int, http_port: int, tls: Path) -> asyncio.Server:
    """Terminate TLS in front of the bridge, as a proxy does."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls / "server.pem", tls / "server.key")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", http_port)
        await asyncio.gather(_pump(reader, behind_writer), _pump(behind_reader, writer))

    return await asyncio.start_server(pass_on, "127.0.0.1", port, ssl=context)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy from one to the other until either is closed."""
    with suppress(OSError):
        while chunk := await reader.read(PASSED_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@contextmanager
def unit_in_fixture(folder: Path, *options: str) -> Iterator[Path]:
    """Run a unit straight from production in a fixture (virtual.py); yield the folder of its serial lines."""
    folder.mkdir(parents=True)
    with (folder / "fixture.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hil_tests.station.virtual", folder, *options],
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
        )
    try:
        deadline_s = time.monotonic() + LINES_WITHIN_S
        while not all((folder / link).exists() for link in LINKS.values()):
            assert process.poll() is None and time.monotonic() < deadline_s, (folder / "fixture.log").read_text()
            time.sleep(0.05)
        yield folder
    finally:
        process.terminate()
        process.wait()
