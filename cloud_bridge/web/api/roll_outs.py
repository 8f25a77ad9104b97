"""The HTTP interface to releases and roll-outs of the firmware, and to how far one charge point has come."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from pydantic import BaseModel, Field

from cloud_bridge.clock import iso_utc
from cloud_bridge.durations import DAY_MS
from cloud_bridge.releases.decision import HOUR_MS, SOAK_MS
from cloud_bridge.releases.manifest import read_signed
from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.roll_out_states import RINGS, RollOutState, UnitState
from cloud_bridge.store import releases, roll_outs
from cloud_bridge.store.access import Scope
from cloud_bridge.store.roll_out_start import Choice, ChosenBy, Wish, start
from cloud_bridge.store.roll_outs import RollOut, count_states, total
from cloud_bridge.store.security_events import Kind
from cloud_bridge.web.api.history import UnitOf
from cloud_bridge.web.api.schema import ACCESS_PROBLEMS, PROBLEMS, Problem, Schema, Time
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.security.access import ApiAsker, StateDep, require
from cloud_bridge.web.security.log import note

EPOCH = date(1970, 1, 1)
router = APIRouter()

REFUSALS: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "it cannot be done; the detail says why"}
}
Number = Annotated[int, Path(ge=1, lt=2**63)]


class ReleaseState(Schema):
    """A release of the firmware."""

    version: Annotated[str, Field(examples=["1.4.0"])]
    least: Annotated[str, Field(description="a charge point with an older version does not take it")]
    boards: list[str]
    size: Annotated[int, Field(description="bytes of the compressed image")]
    sha256: Annotated[str, Field(description="of the compressed image")]
    notes: str
    added_at: Time


class RollOutRing(Schema):
    """One ring: its charge points by how far they have come."""

    name: Annotated[str, Field(examples=["1 %"])]
    units: dict[UnitState, int]


class RollOutProgress(Schema):
    """A release on its way to some charge points."""

    number: int
    version: str
    state: RollOutState
    why: Annotated[str | None, Field(description="it was stopped")]
    chosen_by: ChosenBy
    chosen: Annotated[str, Field(description="the network's digits, or how names begin")]
    ring: Annotated[str, Field(description="to which it has come")]
    soak_hours: Annotated[int, Field(description="how long a ring lasts at least")]
    required_by: Annotated[
        Time | None, Field(description="a security update is required from then on; null: it is none")
    ]
    started_at: Time
    ended_at: Time | None
    units: Annotated[dict[UnitState, int], Field(description="of all rings")]
    left_out: Annotated[int, Field(description="chosen units without an image for their board")]
    rings: list[RollOutRing]


class NewRollOut(BaseModel):
    """Which release, for which charge points. `text` is the network's digits, or how names begin."""

    version: str = Field(max_length=20, examples=["1.4.0"])
    by: ChosenBy = ChosenBy.ALL
    text: str = Field("", max_length=100)
    units: list[Annotated[str, Field(max_length=36)]] = Field([], max_length=1000, description="ids, by `list`")
    soak_hours: int = Field(SOAK_MS // HOUR_MS, ge=1, le=720)
    required_by: date | None = Field(None, description="a security update: required from this day on (UTC)")


class UpdateProgress(Schema):
    """How far one charge point has come with its newest roll-out."""

    version: str
    state: UnitState
    since: Time
    why: Annotated[str | None, Field(description="it refused, or went back; the charge point's own word")]
    loaded: Annotated[int, Field(description="bytes of the image that it was sent")]
    size: Annotated[int, Field(description="bytes of the image")]
    stopped: bool
    required_by: Time | None


def may_operate(asker: ApiAsker) -> None:
    """Raises 403."""
    require(asker, Scope.OPERATE)


_OPERATE = [Depends(may_operate)]


@router.get("/api/releases", response_model=list[ReleaseState], dependencies=_OPERATE, responses=ACCESS_PROBLEMS)
def list_releases(connection: Reading) -> list[dict[str, Any]]:
    """The releases of the firmware, the newest version first. Needs the scope `operate`."""
    return [
        {
            "version": one.version,
            "least": str(one.manifest.least),
            "boards": list(one.manifest.boards),
            "size": one.manifest.size,
            "sha256": one.manifest.sha256,
            "notes": one.manifest.notes,
            "added_at": iso_utc(one.added_ms),
        }
        for one in releases.list_releases(connection)
    ]


@router.get("/api/roll-outs", response_model=list[RollOutProgress], dependencies=_OPERATE, responses=ACCESS_PROBLEMS)
def list_roll_outs(connection: Reading) -> list[dict[str, Any]]:
    """The last 100 roll-outs, the newest first. Needs the scope `operate`."""
    found = roll_outs.list_roll_outs(connection)
    return [_as_json(one, count_states(connection, one.number)) for one in found]


@router.get("/api/roll-outs/{number}", response_model=RollOutProgress, dependencies=_OPERATE, responses=PROBLEMS)
def read_roll_out(connection: Reading, number: Number) -> dict[str, Any]:
    """One roll-out. Needs the scope `operate`."""
    try:
        found = roll_outs.find_roll_out(connection, number)
    except ReleaseError as error:
        raise HTTPException(404, str(error)) from None
    return _as_json(found, count_states(connection, number))


@router.post(
    "/api/roll-outs",
    status_code=201,
    response_model=RollOutProgress,
    dependencies=_OPERATE,
    responses=ACCESS_PROBLEMS | REFUSALS,
)
def start_roll_out(
    request: Request, app_state: StateDep, connection: Writing, asker: ApiAsker, new: NewRollOut
) -> dict[str, Any]:
    """Order charge points to take a release: one, then 1 % of them, 10 %, and all. Needs the scope `operate`."""
    required_by_ms = None if new.required_by is None else (new.required_by - EPOCH).days * DAY_MS
    try:
        releases.images_of(connection, new.version)
        wish = Wish(new.version, Choice(new.by, new.text, new.units), new.soak_hours * HOUR_MS, required_by_ms)
        number = start(connection, wish, app_state.clock.now_ms())
    except ReleaseError as error:
        raise HTTPException(409, str(error)) from None
    note(request, Kind.ROLL_OUT_STARTED, asker, f"{number} of {new.version}")
    return _as_json(roll_outs.find_roll_out(connection, number), count_states(connection, number))


@router.post(
    "/api/roll-outs/{number}/stop",
    response_model=RollOutProgress,
    dependencies=_OPERATE,
    responses=PROBLEMS | REFUSALS,
)
def stop_roll_out(
    request: Request, app_state: StateDep, connection: Writing, asker: ApiAsker, number: Number
) -> dict[str, Any]:
    """Charge points that have not installed the release give it up. Needs the scope `operate`."""
    try:
        found = roll_outs.find_roll_out(connection, number)
    except ReleaseError as error:
        raise HTTPException(404, str(error)) from None
    if found.state is RollOutState.STOPPED:
        raise HTTPException(409, "the roll-out is stopped already")
    roll_outs.stop(connection, number, "an operator has stopped it", app_state.clock.now_ms())
    note(request, Kind.ROLL_OUT_STOPPED, asker, str(number))
    return _as_json(roll_outs.find_roll_out(connection, number), count_states(connection, number))


@router.get("/api/charge-points/{unit_id}/update", response_model=UpdateProgress | None, responses=PROBLEMS)
def read_update(connection: Reading, unit: UnitOf) -> dict[str, Any] | None:
    """How far it has come with its newest roll-out; null: none was ever for it."""
    found = roll_outs.update_of(connection, unit.id)
    if found is None:
        return None
    return {
        "version": found.version,
        "state": found.state,
        "since": iso_utc(found.state_ms),
        "why": found.why or None,
        "loaded": found.loaded,
        "size": read_signed(found.manifest).manifest.size,
        "stopped": found.is_stopped,
        "required_by": _time(found.required_by_ms),
    }


def _as_json(one: RollOut, states: dict[int, dict[UnitState, int]]) -> dict[str, Any]:
    return {
        "number": one.number,
        "version": one.version,
        "state": one.state,
        "why": one.why or None,
        "chosen_by": one.chosen_by,
        "chosen": one.chosen,
        "ring": RINGS[one.ring],
        "soak_hours": one.soak_ms // HOUR_MS,
        "required_by": _time(one.required_by_ms),
        "started_at": iso_utc(one.started_ms),
        "ended_at": _time(one.ended_ms),
        "units": total(states),
        "left_out": one.left_out,
        "rings": [{"name": RINGS[ring], "units": states[ring]} for ring in sorted(states)],
    }


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso_utc(at_ms)
