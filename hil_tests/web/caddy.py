"""Debian's Caddy with the given sites, on free ports of loopback. The package is unpacked into build/, without root."""

import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from hil_tests.environment import debian
from hil_tests.fixtures.children import die_with_parent

WITHIN_S = 60.0
ROOT = Path(__file__).resolve().parents[2] / "build" / "caddy"  # where the package is unpacked


def find_caddy() -> Path:
    """Return the program of Debian's package. Raises SetUpError."""
    program = ROOT / "usr" / "bin" / "caddy"
    if not program.exists():
        debian.unpack(["caddy"], debian.release()[1], ROOT)
    return program


class Caddy:
    """The constructor starts it; `close` ends it. `lines` are the Caddyfile's sites."""

    def __init__(self, program: Path, folder: Path, lines: str, port: int) -> None:
        folder.mkdir()
        (folder / "Caddyfile").write_text(f"{{\n    admin off\n    auto_https disable_redirects\n}}\n{lines}")
        with (folder / "caddy.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"],
                env={"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        give_up_s = time.monotonic() + WITHIN_S
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            words = (folder / "caddy.log").read_text()
            assert self._process.poll() is None and time.monotonic() < give_up_s, words
            time.sleep(0.05)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
