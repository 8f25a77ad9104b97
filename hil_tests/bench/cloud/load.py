"""Many units in one process on raw sockets, which leaves the processor to the side that is measured."""

import os
import selectors
import socket
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from hil_tests.fixtures.cloud_fixture import UnitSecret
from hil_tests.fixtures.mqtt_unit import connect, publish

CONNACK_OK = b"\x20\x02\0\0"
PUBACK_BYTES = 4
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """Return the user and system time of the process so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def family_cpu_s(pid: int) -> float:
    """Return the user and system time of the process, of its children, and of children that have ended."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if stat.parent.name == str(pid):
                ticks += sum(map(int, fields[11:15]))
            elif fields[1] == str(pid):
                ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def memory_mb(pid: int) -> float:
    """Return the resident memory in MB."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * PAGE_BYTES / 1e6


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Sent(NamedTuple):
    """The results of a run."""

    acknowledged: int
    seconds: float
    latencies_s: list[float]  # from PUBLISH written to PUBACK read


class Fleet:
    """Connections of these units, spread over the ports. Each publishes heartbeats with QoS 1."""

    def __init__(self, port: int, units: list[UnitSecret], *more_ports: int) -> None:
        self._units = units
        self._ports = (port, *more_ports)
        self._sockets: list[socket.socket] = []
        self._numbers = [0] * len(units)

    def connect(self) -> float:
        """Connect all units at once, as after an outage of a mast. Return the seconds until the last CONNACK."""
        started_s = time.monotonic()
        for number, (name, secret) in enumerate(self._units):
            unit = socket.create_connection(("127.0.0.1", self._ports[number % len(self._ports)]), 60)
            unit.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            unit.sendall(connect(name, secret))
            self._sockets.append(unit)
        for unit in self._sockets:
            answer = unit.recv(4)
            if answer != CONNACK_OK:
                raise ConnectionRefusedError(answer.hex())
        return time.monotonic() - started_s

    def disconnect(self) -> None:
        for unit in self._sockets:
            unit.close()
        self._sockets = []

    def press(self, window: int, seconds: float) -> Sent:
        """Keep `window` heartbeats of every unit unacknowledged for `seconds`."""
        sent = [deque[float]() for _ in self._sockets]
        latencies: list[float] = []
        acknowledged = 0
        with selectors.DefaultSelector() as selector:
            for number, unit in enumerate(self._sockets):
                selector.register(unit, selectors.EVENT_READ, number)
                self._publish(number, window, sent[number])
            started_s = time.monotonic()
            while (now_s := time.monotonic()) - started_s < seconds:
                for key, _ in selector.select(0.1):
                    count = len(self._sockets[key.data].recv(65536)) // PUBACK_BYTES
                    now_s = time.monotonic()
                    latencies += [now_s - sent[key.data].popleft() for _ in range(count)]
                    acknowledged += count
                    self._publish(key.data, count, sent[key.data])
            elapsed_s = now_s - started_s
            while any(sent):  # heartbeats under way
                for key, _ in selector.select(10):
                    for _ in range(len(self._sockets[key.data].recv(65536)) // PUBACK_BYTES):
                        sent[key.data].popleft()
        return Sent(acknowledged, elapsed_s, latencies)

    def pace(self, every_s: float, seconds: float) -> Sent:
        """Publish one heartbeat per unit in every `every_s`, spread evenly."""
        latencies: list[float] = []
        started_s = time.monotonic()
        count = 0
        pause_s = every_s / len(self._sockets)
        while (due_s := started_s + count * pause_s) - started_s < seconds:
            time.sleep(max(0.0, due_s - time.monotonic()))
            number = count % len(self._sockets)
            sent: deque[float] = deque()
            self._publish(number, 1, sent)
            self._sockets[number].recv(PUBACK_BYTES)
            latencies.append(time.monotonic() - sent[0])
            count += 1
        return Sent(count, time.monotonic() - started_s, latencies)

    def _publish(self, number: int, count: int, sent: deque[float]) -> None:
        name = self._units[number][0]
        out = b""
        for _ in range(count):
            self._numbers[number] += 1
            said = self._numbers[number]
            body = (
                b'{"n":%d,"b":4,"t":1767229200,"s":"C2","m":"smart","q":17,"o":"23415","a":32,"w":7360,'
                b'"e":124180,"f":[],"x":24}' % said
            )
            out += publish(f"cp/{name}/heartbeat", body, said % 0xFFFF + 1)
        sent.extend([time.monotonic()] * count)
        if out:
            self._sockets[number].sendall(out)
