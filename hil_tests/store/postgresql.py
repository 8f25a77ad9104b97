"""A PostgreSQL server of a test's own, on a free port of loopback, with the bad manners of a real one at hand."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from hil_tests.children import die_with_parent
from hil_tests.ingest.house import free_port

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # where Debian puts them
USER = "postgres"  # PostgreSQL refuses to run as root
WITHIN_S = 20.0


class Server:
    """Started at once; `close` ends it and removes its files."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"postgresql://{USER}@127.0.0.1:{self.port}"
        self._folder = Path(tempfile.mkdtemp(prefix="chargekeeper-postgresql-"))
        self._process: subprocess.Popen[bytes] | None = None
        if os.getuid() == 0:
            shutil.chown(self._folder, USER, USER)
        self._cluster = self._folder / "cluster"
        self._run("initdb", "--pgdata", str(self._cluster), "--username", USER, "--auth", "trust", "--no-sync")
        self.start()

    def start(self) -> None:
        serve = [
            str(BINARIES[-1] / "postgres"),
            "-D",
            str(self._cluster),
            "-p",
            str(self.port),
            "-k",
            str(self._folder),
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _as_user([*serve, "-F"]), stdout=log, stderr=log, cwd=self._folder, preexec_fn=die_with_parent
            )
        ready = [str(BINARIES[-1] / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)]
        give_up_s = time.monotonic() + WITHIN_S
        while subprocess.run(ready, capture_output=True).returncode != 0:
            assert time.monotonic() < give_up_s, (self._folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, as in a crash: what was committed is recovered at the next start."""
        if self._process is not None:
            self._run("pg_ctl", "stop", "--pgdata", str(self._cluster), "--mode", "immediate", "--no-wait")
            self._process.wait(WITHIN_S)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def become_standby(self) -> None:
        """As the old primary after a failover: it answers every question, and takes nothing."""
        self.stop()
        signal_file = self._cluster / "standby.signal"
        signal_file.touch()
        if os.getuid() == 0:
            shutil.chown(signal_file, USER, USER)
        self.start()

    def promote(self) -> None:
        self._run("pg_ctl", "promote", "--pgdata", str(self._cluster), "--wait")

    def say(self, statement: str, database: str = "postgres") -> list[Any]:
        """One statement of the administrator's, outside of any transaction."""
        with psycopg.connect(f"{self.url}/{database}", autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def hold(self, statement: str, database: str) -> "psycopg.Connection[Any]":
        """A transaction that has carried out the statement, and stays open until it is closed."""
        connection = psycopg.connect(f"{self.url}/{database}")
        connection.execute(statement.encode())
        return connection

    def set(self, name: str, value: str | None) -> None:
        """A setting of the whole server, at once for new transactions; None: its default."""
        self.say(f"ALTER SYSTEM RESET {name}" if value is None else f"ALTER SYSTEM SET {name} = {value}")
        self.say("SELECT pg_reload_conf()")

    def _run(self, *words: str) -> None:
        program, *rest = words
        subprocess.run(
            _as_user([str(BINARIES[-1] / program), *rest]), check=True, capture_output=True, cwd=self._folder
        )


def _as_user(words: list[str]) -> list[str]:
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *words] if os.getuid() == 0 else words
