"""`python -m hil_tests.bench.air`: count the bytes on the air for a unit's heartbeat, from real frames, beside OCPP
1.6J.

The product's message is the running unit's heartbeat (state, energy and alive in one) over TLS 1.3, counted by a proxy
between modem and broker. OCPP's messages are Heartbeat + StatusNotification + MeterValues as PyPI's `ocpp` writes them,
framed for a WebSocket over TLS 1.3. Both get the same headers: each message is a TCP segment, answered by one, plus a
last acknowledgement. The unit's own count is compared with the kernel's, for the same connection. Exits with 1 if a
heartbeat is more than a third of OCPP's bytes, an idle month more than 1 MB, or the counts are more than 2 % apart.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from ocpp.charge_point import remove_nones, snake_to_camel_case  # type: ignore[import-untyped]  # it has no types
from ocpp.messages import Call, CallResult  # type: ignore[import-untyped]  # likewise
from ocpp.v16 import call, call_result  # type: ignore[import-untyped]  # likewise

from hil_tests.fixtures.bridge_process import BridgeProcess
from hil_tests.fixtures.ports import free_ports
from hil_tests.rig.commissioning import COMMISSION
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit
from hil_tests.sim.network import Network

SEGMENT_BYTES = 20 + 20 + 12  # IPv4, TCP, its timestamps
RECORD_BYTES = 5 + 1 + 16  # TLS 1.3: header, content type, tag of AES-GCM
HEARTBEAT_S = 5  # the shortest that the unit accepts
SETTLING = (
    5  # heartbeats, with the events of the boot; a kernel acknowledges the first segments of a connection at once
)
COUNTED = 12  # heartbeats
MONTH_S = 30 * 86_400
IDLE_S = 1140  # heartbeat_idle_s of firmware/storage/bounds.py
CONNECTIONS_A_MONTH = 10  # assumed: a signal that fades at times, a change of network
MONTH_LIMIT_MB = 1.0
COUNTS_APART = 0.02
LIMIT = 1 / 3
UNIT_ID = "EVB-P1234567"
NOW = "2026-01-01T12:00:00Z"


def exchange_bytes(up: int, down: int) -> int:
    """Return the bytes of a request and its answer, with the headers of their segments and of the last acknowledgement."""
    return up + down + 3 * SEGMENT_BYTES


def websocket_bytes(payload: int, masked: bool) -> int:
    """Return the bytes of one text frame, RFC 6455 section 5.2."""
    return 2 + (2 if payload > 125 else 0) + (4 if masked else 0) + payload


def ocpp_bytes() -> dict[str, int]:
    """Return, for each action, the bytes on the air for the request and its answer."""
    sampled = [
        {"value": "124180", "context": "Sample.Periodic", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": "7360", "context": "Sample.Periodic", "measurand": "Power.Active.Import", "unit": "W"},
    ]
    pairs: list[tuple[Any, Any]] = [
        (call.Heartbeat(), call_result.Heartbeat(current_time=NOW)),
        (
            call.StatusNotification(connector_id=1, error_code="NoError", status="Charging", timestamp=NOW),
            call_result.StatusNotification(),
        ),
        (
            call.MeterValues(connector_id=1, meter_value=[{"timestamp": NOW, "sampledValue": sampled}]),
            call_result.MeterValues(),
        ),
    ]
    found = {}
    for asked, answered in pairs:
        action, number = type(asked).__name__, str(uuid.uuid4())
        request = Call(number, action, _payload(asked)).to_json()
        answer = CallResult(number, _payload(answered)).to_json()
        up = websocket_bytes(len(request), masked=True) + RECORD_BYTES
        found[action] = exchange_bytes(up, websocket_bytes(len(answer), masked=False) + RECORD_BYTES)
    return found


def _payload(message: Any) -> dict[str, Any]:
    said: dict[str, Any] = snake_to_camel_case(remove_nones(asdict(message)))
    return said


class Ours(NamedTuple):
    """The product's bytes. The last three include headers and acknowledgements."""

    up: int  # of one heartbeat
    down: int
    connection: int  # from its first segment to the first heartbeat, as the kernel counts
    by_unit: int  # while heartbeats were counted
    by_kernel: int


async def ours() -> Ours:
    """Measure the bytes of a running unit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        http_port, mqtt_port = free_ports(2)
        bridge = BridgeProcess(http_port, mqtt_port, folder)
        network = Network("127.0.0.1", bridge.mqtts_port)
        unit = Unit(folder / "unit")
        await bridge.start()
        try:
            made = await bridge.command("unit", "add", UNIT_ID)
            await network.start()
            await unit.start()
            await _until_heard(unit, "status", "boots")
            wanted = {"id": UNIT_ID, "secret": made["secret"], "broker": "127.0.0.1", "port": network.port}
            wanted |= {"heartbeat_idle_s": HEARTBEAT_S, "heartbeat_charging_s": HEARTBEAT_S}
            for words in (*bridge.authority_words(), f"provision {json.dumps(wanted)}", COMMISSION):
                await unit.ask(words)
            await _until_heard(unit, "status", "link proven")
            connection = network.air_bytes()
            await asyncio.sleep(SETTLING * HEARTBEAT_S)
            counts_before = await _air_bytes(unit), network.air_bytes()
            before = dict(network.carried)
            await asyncio.sleep(COUNTED * HEARTBEAT_S)
            up, down = (network.carried[way] - before[way] for way in ("up", "down"))
            counts = await _air_bytes(unit) - counts_before[0], network.air_bytes() - counts_before[1]
            return Ours(round(up / COUNTED), round(down / COUNTED), connection, *counts)
        finally:
            await unit.stop()
            await network.outage()
            await bridge.stop()


async def _air_bytes(unit: Unit) -> int:
    (line,) = [line for line in await unit.ask("status") if line.startswith("air_bytes ")]
    return int(line.split()[1])


async def _until_heard(unit: Unit, words: str, beginning: str) -> None:
    async with asyncio.timeout(60):
        while True:
            if any(line.startswith(beginning) for line in await _ask(unit, words)):
                return
            await asyncio.sleep(0.05)


async def _ask(unit: Unit, words: str) -> list[str]:
    try:
        return await unit.ask(words)
    except (ConsoleError, ConsoleSilent):
        return []  # switched off, or not listening yet


def _month_mb(one: int) -> float:
    return one * MONTH_S / IDLE_S / 1e6


def _idle_month_mb(heartbeat: int, connection: int) -> float:
    """Return the megabytes of an idle month: heartbeats, a daily report of at most two heartbeats, and some new
    connections."""
    return _month_mb(heartbeat) + (30 * 2 * heartbeat + CONNECTIONS_A_MONTH * connection) / 1e6


def main() -> int:
    """Run the benchmark. Return 1 if a limit is exceeded or the counts differ."""
    argparse.ArgumentParser(prog="python -m hil_tests.bench.air", description=__doc__).parse_args()
    found = asyncio.run(ours())
    up, down = found.up + len(str(IDLE_S)) - len(str(HEARTBEAT_S)), found.down  # the message names its interval
    heartbeat = exchange_bytes(up, down)
    month_mb, apart = _idle_month_mb(heartbeat, found.connection), found.by_unit / found.by_kernel - 1
    theirs = ocpp_bytes()
    three = sum(theirs.values())
    print(f"state, energy and alive, TLS 1.3, with TCP/IP headers; a month at one in {IDLE_S} s")
    print(
        f"  ours           {heartbeat:6} bytes  {_month_mb(heartbeat):6.2f} MB   ({up} up, {down} down, {COUNTED} counted)"
    )
    for action, size in theirs.items():
        print(f"  {action:20} {size:6} bytes")
    print(f"  OCPP 1.6J      {three:6} bytes  {_month_mb(three):6.2f} MB")
    print(f"  ours is {heartbeat / three:.3f} of it; the limit is {LIMIT:.3f}")
    print(f"  a connection anew (handshake, CONNECT, SUBSCRIBE, first heartbeat): {found.connection} bytes")
    print(
        f"  an idle month, with 30 daily reports and {CONNECTIONS_A_MONTH} connections anew: {month_mb:.2f} MB; the limit is "
        f"{MONTH_LIMIT_MB} MB"
    )
    print(f"  counted by the unit {found.by_unit}, by the kernel {found.by_kernel} bytes: {apart:+.1%}")
    return 1 if heartbeat / three > LIMIT or month_mb > MONTH_LIMIT_MB or abs(apart) > COUNTS_APART else 0


if __name__ == "__main__":
    sys.exit(main())
