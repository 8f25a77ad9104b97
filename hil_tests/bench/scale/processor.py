"""What a PostgreSQL has taken of the processors: unlike the time on the wall, no neighbour on the machine changes it much."""

from pathlib import Path

import psycopg

from hil_tests.bench.cloud.load import TICKS
from hil_tests.fixtures.postgresql import Server


def server_s(server: Server) -> float:
    """User and system time of all the server's processes, those that have ended too."""
    with psycopg.connect(server.url) as connection:
        parent = int(_fields(Path(f"/proc/{connection.info.backend_pid}"))[1])
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = _fields(folder)
        except OSError:  # it has ended meanwhile
            continue
        if int(folder.name) == parent:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == parent:
            ticks += sum(map(int, fields[11:13]))
    return ticks / TICKS


def _fields(folder: Path) -> list[str]:
    """Of the process, from its state on."""
    return (folder / "stat").read_text().rpartition(")")[2].split()
