"""The panel: a page that shows and operates one virtual unit. Scripts use the same as JSON."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hil_tests.rig.contract import LASTING_FAULTS, NO_FAULTS, PASSING_FAULTS
from hil_tests.rig.panel.cloud_side import CloudSide
from hil_tests.rig.panel.security_headers import LoopbackOnly
from hil_tests.rig.panel.story import Seen, Story
from hil_tests.rig.unit import Unit
from hil_tests.sim.car_account import CarAccount
from hil_tests.sim.car_account_web import create_app as create_car_maker

CAR_MAKER = "/car-maker"  # path of the simulated car maker's cloud
STATIC = Path(__file__).parent / "static"
LED_EVERY_S = 0.04  # fast enough to look smooth
LONGEST_OUTAGE_S = 3600
LONGEST_SKIP_MINUTES = 24 * 60


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FaultOrder(_Order):
    """Cause a fault, or end it."""

    name: str
    on: bool


class NetworkOrder(_Order):
    """Switch the mobile network, or set its signal. `plmn` limits this to one network."""

    up: bool | None = None
    csq: int | None = Field(None, ge=0, le=31)
    plmn: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "NetworkOrder":
        if self.up is None and self.csq is None:
            raise ValueError('send {"up": true or false} or {"csq": 0 to 31}')
        return self


class MainsOrder(_Order):
    """Switch the mains, or cut them for a time."""

    off_s: float | None = Field(None, ge=0, le=LONGEST_OUTAGE_S)
    on: bool | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> "MainsOrder":
        if (self.off_s is None) == (self.on is None):
            raise ValueError('send {"off_s": seconds} or {"on": true or false}')
        return self


class TamperOrder(_Order):
    """Open the enclosure, or close it."""

    open: bool


class SkipOrder(_Order):
    """Skip time for the cloud."""

    minutes: int = Field(ge=1, le=LONGEST_SKIP_MINUTES)


def create_app(
    unit: Unit, stopping: asyncio.Event, account: CarAccount | None = None, cloud: CloudSide | None = None
) -> FastAPI:
    """Create the panel of one unit. Streams end when `stopping` is set. `account` is the car's account at its maker's
    cloud; `cloud` is the unit's cloud in a demo."""
    story = Story()

    def look_at_all() -> dict[str, Any]:
        return look_at(unit) | _demo(unit, story, cloud)

    app = FastAPI(title="Chargekeeper rig", docs_url=None, redoc_url=None)
    app.add_middleware(LoopbackOnly)

    @app.get("/api/rig")
    async def look() -> dict[str, Any]:
        return look_at_all()

    @app.get("/api/rig/faults")
    async def faults(grouped: bool = False) -> list[str] | list[tuple[str, ...]]:
        return [PASSING_FAULTS, LASTING_FAULTS, NO_FAULTS] if grouped else list(unit.fault_names())

    @app.post("/api/rig/plug")
    async def plug() -> dict[str, Any]:
        unit.plug()
        return look_at_all()

    @app.post("/api/rig/unplug")
    async def unplug() -> dict[str, Any]:
        unit.unplug()
        return look_at_all()

    @app.post("/api/rig/button")
    async def button() -> dict[str, Any]:
        unit.button()
        return look_at_all()

    @app.post("/api/rig/fault")
    async def fault(order: FaultOrder) -> dict[str, Any]:
        try:
            unit.fault(order.name, order.on)
        except ValueError as error:
            raise HTTPException(404, str(error)) from error
        return look_at_all()

    @app.post("/api/rig/network")
    async def network(order: NetworkOrder) -> dict[str, Any]:
        try:
            unit.network(order.up, order.csq, order.plmn)
        except KeyError as error:
            raise HTTPException(404, error.args[0]) from error
        return look_at_all()

    @app.post("/api/rig/mains")
    async def mains(order: MainsOrder) -> dict[str, Any]:
        if order.off_s is not None:
            unit.mains_off_for(order.off_s)
        elif order.on is not None:
            unit.mains(order.on)
        return look_at_all()

    @app.post("/api/rig/tamper")
    async def tamper(order: TamperOrder) -> dict[str, Any]:
        unit.tamper(order.open)
        return look_at_all()

    @app.post("/api/rig/lose-access")
    async def lose_access() -> dict[str, Any]:
        if account is None:
            raise HTTPException(404, "the car has no account here")
        account.lose_access()
        return look_at_all()

    @app.post("/api/rig/skip")
    async def skip(order: SkipOrder) -> dict[str, Any]:
        if cloud is None:
            raise HTTPException(404, "there is no cloud here whose time could be skipped")
        if unit.board.mains and unit.world.coverage:
            raise HTTPException(409, "the unit can reach its cloud: cut the network first, or it would report at once")
        try:
            await cloud.skip(order.minutes)
        except Exception as error:
            raise HTTPException(503, str(error)) from error
        return look_at_all()

    @app.post("/api/rig/story/restart")
    async def restart_story() -> dict[str, Any]:
        story.restart()
        return look_at_all()

    @app.get("/api/rig/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(_changes(look_at_all, stopping), media_type="text/event-stream")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "panel.html")

    if account is not None:
        app.mount(CAR_MAKER, create_car_maker(account))
    app.mount("/static", StaticFiles(directory=STATIC))
    return app


def look_at(unit: Unit) -> dict[str, Any]:
    """Return an observation as JSON values, with names in place of tuples, and what only a virtual unit can show."""
    seen = unit.observe()
    told = asdict(seen) | {"pilot": seen.pilot, "amps": seen.amps, "mode": seen.mode}
    told["led"] = dict(zip("rgb", seen.led, strict=True))
    told["pilot_mv"] = dict(zip(("high", "low"), seen.pilot_mv, strict=True))
    told["vehicle"]["battery_percent"] = round(unit.board.vehicle.battery_percent, 1)
    told["networks"] = [
        {"plmn": one.plmn, "name": one.long_name, "csq": unit.world.csq(one.plmn), "up": unit.world.is_on_air(one.plmn)}
        for one in unit.world.operators
    ]
    return told | {"running": unit.running, "mains_back_in_s": unit.mains_back_in_s, "died": unit.died}


def _demo(unit: Unit, story: Story, cloud: CloudSide | None) -> dict[str, Any]:
    """Return the cloud's state and the current step of the story. Both are None without a cloud."""
    if cloud is None:
        return {"cloud": None, "story": None}
    view = cloud.view()
    seen = Seen(
        charging=unit.board.power_w > 0,
        network=unit.world.coverage,
        mains=unit.board.mains,
        proven=unit.test_bench.status.get("link") == "proven",
        skipped_minutes=view["skipped_minutes"],
    )
    return {"cloud": view, "story": story.look(seen)}


async def _changes(look: Callable[[], dict[str, Any]], stopping: asyncio.Event) -> AsyncIterator[str]:
    """Yield server-sent events: `led` on each change of the light, `rig` on each change of anything else."""
    last_led: Any = None
    last_rest = ""
    while not stopping.is_set():
        seen = look()
        led = seen.pop("led")
        if led != last_led:
            last_led = led
            yield f"event: led\ndata: {json.dumps(led)}\n\n"
        rest = json.dumps(seen)
        if rest != last_rest:
            last_rest = rest
            yield f"event: rig\ndata: {rest}\n\n"
        await asyncio.sleep(LED_EVERY_S)
