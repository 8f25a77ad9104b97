"""`python -m hil_tests.bench.air`: what one sign of life costs on the air, counted from real frames, beside OCPP 1.6J.

Ours is the running unit's heartbeat (state, energy and alive in one message) over TLS 1.3, counted by a proxy between the
modem and the broker. OCPP's is Heartbeat + StatusNotification + MeterValues as PyPI's `ocpp` writes them, framed for a
WebSocket over TLS 1.3. To both the same headers are added: each message a TCP segment, answered by one, and a last
acknowledgement. Exits 1 if ours is more than a third.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ocpp.charge_point import remove_nones, snake_to_camel_case  # type: ignore[import-untyped]  # comes without types
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
HEARTBEAT_S = 5  # the quickest that the unit takes
COUNTED = 6  # heartbeats
MONTH_S = 30 * 86_400
IDLE_S = 300
LIMIT = 1 / 3
UNIT_ID = "EVB-P1234567"
NOW = "2026-01-01T12:00:00Z"


def exchange_bytes(up: int, down: int) -> int:
    """One request and its answer, with the headers of their segments and of the last acknowledgement."""
    return up + down + 3 * SEGMENT_BYTES


def websocket_bytes(payload: int, masked: bool) -> int:
    """One text frame, RFC 6455 section 5.2."""
    return 2 + (2 if payload > 125 else 0) + (4 if masked else 0) + payload


def ocpp_bytes() -> dict[str, int]:
    """Action -> bytes on the air for it and its answer."""
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


async def ours() -> tuple[int, int, int]:
    """(bytes up, bytes down) of one heartbeat, and bytes of a reconnect up to the first heartbeat, headers not counted."""
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
            handshake = network.carried["up"] + network.carried["down"]
            await asyncio.sleep(2 * HEARTBEAT_S)  # the events of the boot are told
            before = dict(network.carried)
            await asyncio.sleep(COUNTED * HEARTBEAT_S)
            up, down = (network.carried[way] - before[way] for way in ("up", "down"))
            return round(up / COUNTED), round(down / COUNTED), handshake
        finally:
            await unit.stop()
            await network.outage()
            await bridge.stop()


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
        return []  # off, or not yet listening


def _month_mb(one: int) -> float:
    return one * MONTH_S / IDLE_S / 1e6


def main() -> int:
    """Exit code 1 if a heartbeat of ours costs more than a third of OCPP's three."""
    argparse.ArgumentParser(prog="python -m hil_tests.bench.air", description=__doc__).parse_args()
    up, down, reconnect = asyncio.run(ours())
    heartbeat = exchange_bytes(up, down)
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
    print(f"  a connection anew (TCP payload of handshake, CONNECT, SUBSCRIBE, first heartbeat): {reconnect} bytes")
    return 1 if heartbeat / three > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
