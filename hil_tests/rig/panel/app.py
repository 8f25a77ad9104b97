"""The panel: a page that shows one virtual unit and lets a person at it, and the same as JSON for scripts."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hil_tests.rig.contract import LASTING_FAULTS, NO_FAULTS, PASSING_FAULTS
from hil_tests.rig.panel.security_headers import LoopbackOnly
from hil_tests.rig.unit import Unit
from hil_tests.sim.car_account import CarAccount
from hil_tests.sim.car_account_web import create_app as create_car_maker

CAR_MAKER = "/car-maker"  # the path of the maker's cloud
STATIC = Path(__file__).parent / "static"
LED_EVERY_S = 0.04  # smooth to the eye
LONGEST_OUTAGE_S = 3600


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FaultOrder(_Order):
    """Break something, or mend it."""

    name: str
    on: bool


class NetworkOrder(_Order):
    """Switch the mobile network, or move the antenna."""

    up: bool | None = None
    csq: int | None = Field(None, ge=0, le=31)

    @model_validator(mode="after")
    def _says_something(self) -> "NetworkOrder":
        if self.up is None and self.csq is None:
            raise ValueError('say {"up": true or false} or {"csq": 0 to 31}')
        return self


class MainsOrder(_Order):
    """Switch the mains, or cut them for a time."""

    off_s: float | None = Field(None, ge=0, le=LONGEST_OUTAGE_S)
    on: bool | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> "MainsOrder":
        if (self.off_s is None) == (self.on is None):
            raise ValueError('say {"off_s": seconds} or {"on": true or false}')
        return self


class TamperOrder(_Order):
    """Open the enclosure, or shut it."""

    open: bool


def create_app(unit: Unit, stopping: asyncio.Event, account: CarAccount | None = None) -> FastAPI:
    """The panel of one unit. Streams end when `stopping` is set. `account` is the car's, with its maker's cloud."""
    app = FastAPI(title="Chargekeeper rig", docs_url=None, redoc_url=None)
    app.add_middleware(LoopbackOnly)

    @app.get("/api/rig")
    async def look() -> dict[str, Any]:
        return look_at(unit)

    @app.get("/api/rig/faults")
    async def faults(grouped: bool = False) -> list[str] | list[tuple[str, ...]]:
        return [PASSING_FAULTS, LASTING_FAULTS, NO_FAULTS] if grouped else list(unit.fault_names())

    @app.post("/api/rig/plug")
    async def plug() -> dict[str, Any]:
        unit.plug()
        return look_at(unit)

    @app.post("/api/rig/unplug")
    async def unplug() -> dict[str, Any]:
        unit.unplug()
        return look_at(unit)

    @app.post("/api/rig/button")
    async def button() -> dict[str, Any]:
        unit.button()
        return look_at(unit)

    @app.post("/api/rig/fault")
    async def fault(order: FaultOrder) -> dict[str, Any]:
        try:
            unit.fault(order.name, order.on)
        except ValueError as error:
            raise HTTPException(404, str(error)) from error
        return look_at(unit)

    @app.post("/api/rig/network")
    async def network(order: NetworkOrder) -> dict[str, Any]:
        unit.network(order.up, order.csq)
        return look_at(unit)

    @app.post("/api/rig/mains")
    async def mains(order: MainsOrder) -> dict[str, Any]:
        if order.off_s is not None:
            unit.mains_off_for(order.off_s)
        elif order.on is not None:
            unit.mains(order.on)
        return look_at(unit)

    @app.post("/api/rig/tamper")
    async def tamper(order: TamperOrder) -> dict[str, Any]:
        unit.tamper(order.open)
        return look_at(unit)

    @app.post("/api/rig/lose-access")
    async def lose_access() -> dict[str, Any]:
        if account is None:
            raise HTTPException(404, "the car has no account here")
        account.lose_access()
        return look_at(unit)

    @app.get("/api/rig/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(_changes(unit, stopping), media_type="text/event-stream")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "panel.html")

    if account is not None:
        app.mount(CAR_MAKER, create_car_maker(account))
    app.mount("/static", StaticFiles(directory=STATIC))
    return app


def look_at(unit: Unit) -> dict[str, Any]:
    """One look with its tuples by name, for people and scripts; and what only a virtual unit can show."""
    seen = unit.observe()
    told = asdict(seen) | {"pilot": seen.pilot, "amps": seen.amps, "mode": seen.mode}
    told["led"] = dict(zip("rgb", seen.led, strict=True))
    told["pilot_mv"] = dict(zip(("high", "low"), seen.pilot_mv, strict=True))
    told["vehicle"]["battery_percent"] = round(unit.board.vehicle.battery_percent, 1)
    return told | {"running": unit.running, "mains_back_in_s": unit.mains_back_in_s}


async def _changes(unit: Unit, stopping: asyncio.Event) -> AsyncIterator[str]:
    """Server-sent events: `led` on each change of the light, `rig` on each change of anything else."""
    last_led: Any = None
    last_rest = ""
    while not stopping.is_set():
        seen = look_at(unit)
        led = seen.pop("led")
        if led != last_led:
            last_led = led
            yield f"event: led\ndata: {json.dumps(led)}\n\n"
        rest = json.dumps(seen)
        if rest != last_rest:
            last_rest = rest
            yield f"event: rig\ndata: {rest}\n\n"
        await asyncio.sleep(LED_EVERY_S)
