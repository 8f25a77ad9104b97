"""Debian's nginx with a given `server` section, on free ports of loopback.

It is the installed nginx, or the package unpacked into build/, without root.
"""

import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from hil_tests.environment import debian
from hil_tests.environment.errors import SetUpError
from hil_tests.fixtures.children import die_with_parent

WITHIN_S = 30.0
ROOT = Path(__file__).resolve().parents[2] / "build" / "nginx"  # where the package is unpacked
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
MIME = "types { text/html html; }"


def find_nginx() -> Path:
    """Return the program. Raises SetUpError with the reason if there is none."""
    installed = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if installed:
        return Path(installed)
    program = ROOT / "usr" / "sbin" / "nginx"
    if not program.exists():
        if shutil.which("apt-get") is None:
            raise SetUpError("nginx is not installed, and there is no apt-get to fetch it with")
        debian.unpack(["nginx"], debian.release()[1], ROOT)
    version = subprocess.run([program, "-v"], capture_output=True, text=True)
    if version.returncode != 0:
        raise SetUpError(f"the unpacked nginx does not run here: {version.stderr.strip()}")
    return program


class Nginx:
    """The constructor starts it; `close` ends it. `servers` is the content of `http { }`."""

    def __init__(self, program: Path, folder: Path, servers: str, port: int) -> None:
        self._folder = folder
        for name in TEMPORARY:
            (folder / name).mkdir(parents=True)
        temporary = "\n".join(f"    {name}_temp_path {folder / name};" for name in TEMPORARY)
        user = "user root;\n" if os.getuid() == 0 else ""  # lets its workers read pytest's folders
        (folder / "nginx.conf").write_text(
            f"{user}daemon off;\nworker_processes 1;\npid {folder / 'pid'};\nerror_log stderr notice;\n"
            f"events {{ worker_connections 256; }}\n"
            f"http {{\n    {MIME}\n    access_log {folder / 'access.log'};\n{temporary}\n{servers}\n}}\n"
        )
        with (folder / "nginx.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-p", folder, "-e", folder / "nginx.log", "-c", folder / "nginx.conf"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        give_up_s = time.monotonic() + WITHIN_S
        while not _is_open(port):
            words = (folder / "nginx.log").read_text()
            assert self._process.poll() is None, words
            assert time.monotonic() < give_up_s, words
            time.sleep(0.05)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
