"""A central system on ocpp-csms. Each line of standard input is a JSON order, and each line of standard output its result.

The arguments are the port and the key of all charge points.
"""

import asyncio
import dataclasses
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from ocpp.charge_point import (  # type: ignore[import-untyped]  # comes without types
    camel_to_snake_case,
    snake_to_camel_case,
)
from ocpp.v16 import call  # type: ignore[import-untyped]  # likewise
from ocpp_csms import CentralSystem  # type: ignore[import-not-found]  # in a folder of its own

HEARTBEAT_S = 10


async def main(port: int, key: str) -> None:
    told: list[dict[str, Any]] = []

    async def authenticate(_identity: str, password: str | None) -> bool:
        return password == key

    async def call_it(identity: str, action: str, payload: dict[str, Any]) -> Any:
        request = getattr(call, action)(**camel_to_snake_case(payload))
        answer = await system.charge_points[identity].async_call(request)
        return snake_to_camel_case(dataclasses.asdict(answer))

    async def what_was_told() -> list[dict[str, Any]]:
        return told

    async def drop(identity: str) -> None:
        await system.charge_points[identity].async_disconnect()

    orders: dict[str, Callable[..., Awaitable[Any]]] = {"call": call_it, "told": what_was_told, "drop": drop}
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    system = CentralSystem(
        host="127.0.0.1", port=port, heartbeat_interval=HEARTBEAT_S, authenticate=authenticate, call_timeout=40
    )
    system.add_listener(lambda event: told.append({"what": type(event).__name__, **dataclasses.asdict(event)}))
    async with system:
        print(json.dumps({"is": "ready"}), flush=True)
        while line := await reader.readline():
            order, *given = json.loads(line)
            try:
                came = {"is": await orders[order](*given)}
            except Exception as error:
                came = {"failed": f"{type(error).__name__}: {error}"}
            print(json.dumps(came, default=str), flush=True)


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
