"""Peers that do the same work on the same machine, as processes of their own.

`ocpp`: the central system of PyPI's ocpp, answering Heartbeat, written like its own example. `paho`: a bare paho
receiver that counts messages, in MQTT 3.1.1 (4) or 5.
"""

import asyncio
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as paho
import websockets
from ocpp.routing import on  # type: ignore[import-untyped]  # ocpp has no types
from ocpp.v16 import ChargePoint, call_result  # type: ignore[import-untyped]
from ocpp.v16.enums import Action  # type: ignore[import-untyped]
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion


class CentralSystem(ChargePoint):  # type: ignore[misc]  # ocpp has no types
    """A central system that answers Heartbeat."""

    @on(Action.heartbeat)  # type: ignore[untyped-decorator]
    def on_heartbeat(self) -> Any:
        return call_result.Heartbeat(current_time=datetime.now(UTC).isoformat())


async def serve_ocpp() -> None:
    async def handler(connection: Any) -> None:
        with suppress(websockets.ConnectionClosed):
            await CentralSystem(connection.request.path.strip("/"), connection).start()

    async with websockets.serve(handler, "127.0.0.1", 0, subprotocols=[websockets.Subprotocol("ocpp1.6")]) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


def receive_paho(version: int, port: int, user: str, secret: str) -> None:
    """Receive until the input ends, then print the count."""
    count = 0

    def on_message(_client: Any, _data: Any, _message: Any) -> None:
        nonlocal count
        count += 1

    def on_connect(client: paho.Client, *_: Any) -> None:
        client.subscribe("cp/+/heartbeat", 1)

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=MQTTProtocolVersion(version))
    client.username_pw_set(user, secret)
    client.on_message = on_message
    client.on_connect = on_connect
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect("127.0.0.1", port)
    client.loop_start()
    sys.stdin.read()
    client.loop_stop()
    print(count, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "ocpp":
        asyncio.run(serve_ocpp())
    else:
        receive_paho(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5])
