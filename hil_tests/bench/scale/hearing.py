"""How a process learns what another has stored on PostgreSQL: by polling the watched units, or by LISTEN and NOTIFY.

Measures the latency from the commit, and the server's processor time beyond that of writing alone.
"""

import multiprocessing
import random
import time
from collections.abc import Callable
from typing import NamedTuple

import psycopg

from hil_tests.bench.cloud.load import percentile
from hil_tests.bench.scale.processor import server_s
from hil_tests.fixtures.postgresql import Server

UNITS, WATCHED = 100_000, 100
MESSAGES_A_S = 1667
FOR_S = 30.0
OF_WATCHED = 0.05  # share of the messages, high enough to measure
GATHER_S = 0.01  # between commits, which collect the messages that came meanwhile, like the bridge's recorder
LOOK_S = 0.5
LIMIT_MS = 1500
CHANNEL = "heard"
TABLES = """
CREATE TABLE contacts (unit_id varchar(36) PRIMARY KEY, last_contact_ns bigint NOT NULL);
CREATE TABLE heartbeats (unit_id varchar(36) PRIMARY KEY, received_ns bigint NOT NULL, payload text NOT NULL)
"""
HEARTBEAT = '{"n":1,"b":4,"s":"C2","m":"smart","q":17,"o":"23415","a":32,"w":7360,"e":124180,"f":[],"x":24}'
ASK = (
    "SELECT unit_id, last_contact_ns, received_ns FROM contacts JOIN heartbeats USING (unit_id) WHERE unit_id = ANY(%s)"
)


def hearing() -> bool:
    """Measure both and print them. Return True if polling, the chosen way, keeps the promise of a page: 1.5 s."""
    server = Server()
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(TABLES)
            number = f"generate_series(1, {UNITS})"
            connection.execute(f"INSERT INTO contacts SELECT 'cp-' || n, 0 FROM {number} n".encode())
            connection.execute(f"INSERT INTO heartbeats SELECT 'cp-' || n, 0, '{HEARTBEAT}' FROM {number} n".encode())
            connection.execute("VACUUM ANALYZE")
        alone = _measured(server, _only_wait, is_notifying=False)
        asked = _measured(server, _ask, is_notifying=False)
        told = _measured(server, _listen, is_notifying=True)
    finally:
        server.close()
    print(
        f"  {MESSAGES_A_S} messages/s of {UNITS:,} units, {WATCHED} watched; the writing alone {alone.server:.1%} of a core"
    )
    for name, one in (("asked for", asked), ("LISTEN", told)):
        p50, p99 = percentile(one.times_ms, 0.5), percentile(one.times_ms, 0.99)
        cores = f"{one.server - alone.server:+.1%} of a core for the server, {one.hearing:.1%} for who hears"
        print(f"  {name:10} p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  {cores}")
    return percentile(asked.times_ms, 0.99) <= LIMIT_MS


class Measured(NamedTuple):
    server: float  # processor time, in cores
    hearing: float  # processor time of the process that learns, in cores
    times_ms: list[float]  # since the commit


def _measured(server: Server, hear: Callable[[str, float], list[float]], *, is_notifying: bool) -> Measured:
    until_s = time.monotonic() + FOR_S
    writer = multiprocessing.get_context("spawn").Process(target=_write, args=(server.url, FOR_S, is_notifying))
    writer.start()
    at_server_s, began_s, own_s = server_s(server), time.monotonic(), time.process_time()
    found = hear(server.url, until_s)
    took_s = time.monotonic() - began_s
    at_server, own = (server_s(server) - at_server_s) / took_s, (time.process_time() - own_s) / took_s
    writer.join()
    return Measured(at_server, own, found)


def _write(url: str, for_s: float, is_notifying: bool) -> None:
    random.seed(1)
    began_s, written = time.monotonic(), 0
    with psycopg.connect(url) as connection:
        while (passed_s := time.monotonic() - began_s) < for_s:
            due = int(passed_s * MESSAGES_A_S) - written
            numbers = (random.randrange(1, WATCHED if random.random() < OF_WATCHED else UNITS) for _ in range(due))
            names = sorted({f"cp-{number}" for number in numbers})
            now_ns = time.time_ns()
            with connection.cursor() as cursor:
                cursor.executemany(
                    "UPDATE contacts SET last_contact_ns = %s WHERE unit_id = %s", [(now_ns, n) for n in names]
                )
                cursor.executemany(
                    "UPDATE heartbeats SET received_ns = %s, payload = %s WHERE unit_id = %s",
                    [(now_ns, HEARTBEAT, name) for name in names],
                )
                if is_notifying:
                    cursor.execute("SELECT pg_notify(%s, %s)", (CHANNEL, " ".join([str(now_ns), *names])))
            connection.commit()
            written += due
            time.sleep(GATHER_S)


def _only_wait(_url: str, until_s: float) -> list[float]:
    time.sleep(max(0.0, until_s - time.monotonic()))
    return []


def _ask(url: str, until_s: float) -> list[float]:
    seen = dict.fromkeys((f"cp-{number}" for number in range(1, WATCHED)), 0)
    found: list[float] = []
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < until_s:
            time.sleep(LOOK_S)
            for unit_id, at_ns, _ in connection.execute(ASK, (list(seen),)):
                if at_ns > seen[unit_id]:
                    seen[unit_id] = at_ns
                    found.append((time.time_ns() - at_ns) / 1e6)
    return found


def _listen(url: str, until_s: float) -> list[float]:
    watched = {f"cp-{number}" for number in range(1, WATCHED)}
    found: list[float] = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}".encode())
        for told in connection.notifies(timeout=max(0.0, until_s - time.monotonic())):
            at_ns, *names = told.payload.split()
            found += [(time.time_ns() - int(at_ns)) / 1e6 for name in names if name in watched]
    return found
