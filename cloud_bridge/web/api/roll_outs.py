"""The HTTP interface to releases and roll-outs of the firmware, and to the update of one charge point."""

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

REFUSALS: dict[int | str, dict[str, Any]] = {409: {"model": Problem, "description": "Refused; `detail` says why."}}
Number = Annotated[int, Path(ge=1, lt=2**63)]


class ReleaseState(Schema):
    """A release of the firmware."""

    version: Annotated[str, Field(examples=["1.4.0"])]
    least: Annotated[
        str, Field(description="Oldest version that can update to this release; older charge points refuse it.")
    ]
    boards: list[str]
    size: Annotated[int, Field(description="Size of the compressed image in bytes.")]
    sha256: Annotated[str, Field(description="SHA-256 of the compressed image.")]
    notes: str
    added_at: Time


class RollOutRing(Schema):
    """One ring of a roll-out, with the number of its charge points in each state."""

    name: Annotated[str, Field(examples=["1 %"])]
    units: dict[UnitState, int]


class RollOutProgress(Schema):
    """A roll-out of one release, and its progress."""

    number: int
    version: str
    state: RollOutState
    why: Annotated[str | None, Field(description="Why the roll-out was stopped; null otherwise.")]
    chosen_by: ChosenBy
    chosen: Annotated[
        str, Field(description="PLMN of the chosen network, or the prefix of the chosen names; empty otherwise.")
    ]
    ring: Annotated[str, Field(description="The ring that the roll-out has reached.")]
    soak_hours: Annotated[int, Field(description="Minimum duration of a ring.")]
    required_by: Annotated[
        Time | None,
        Field(description="When the security update becomes required; null if it is not a security update."),
    ]
    started_at: Time
    ended_at: Time | None
    units: Annotated[dict[UnitState, int], Field(description="Number of charge points in each state, over all rings.")]
    left_out: Annotated[
        int, Field(description="Number of chosen charge points left out because no image exists for their board.")
    ]
    rings: list[RollOutRing]


class NewRollOut(BaseModel):
    """The release and the charge points of a new roll-out. `text` is the PLMN for `network`, or the prefix of the names for
    `site`."""

    version: str = Field(max_length=20, examples=["1.4.0"])
    by: ChosenBy = ChosenBy.ALL
    text: str = Field("", max_length=100)
    units: list[Annotated[str, Field(max_length=36)]] = Field([], max_length=1000, description="The ids, for `list`.")
    soak_hours: int = Field(SOAK_MS // HOUR_MS, ge=1, le=720)
    required_by: date | None = Field(
        None, description="Set for a security update: the day (UTC) from which it is required."
    )


class UpdateProgress(Schema):
    """Progress of one charge point in its newest roll-out."""

    version: str
    state: UnitState
    since: Time
    why: Annotated[
        str | None,
        Field(description="Why it refused the release or rolled back, as the word that it sent; null otherwise."),
    ]
    loaded: Annotated[int, Field(description="Bytes of the image that were sent to it.")]
    size: Annotated[int, Field(description="Size of the image in bytes.")]
    stopped: bool
    required_by: Time | None


def may_operate(asker: ApiAsker) -> None:
    """Raise 403 unless the caller has the scope `operate`."""
    require(asker, Scope.OPERATE)


_OPERATE = [Depends(may_operate)]


@router.get("/api/releases", response_model=list[ReleaseState], dependencies=_OPERATE, responses=ACCESS_PROBLEMS)
def list_releases(connection: Reading) -> list[dict[str, Any]]:
    """Return the releases of the firmware, the newest version first. Needs the scope `operate`."""
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
    """Return the last 100 roll-outs, the newest first. Needs the scope `operate`."""
    found = roll_outs.list_roll_outs(connection)
    return [_as_json(one, count_states(connection, one.number)) for one in found]


@router.get("/api/roll-outs/{number}", response_model=RollOutProgress, dependencies=_OPERATE, responses=PROBLEMS)
def read_roll_out(connection: Reading, number: Number) -> dict[str, Any]:
    """Return one roll-out. Needs the scope `operate`."""
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
    """Start a roll-out of a release, ring by ring: one charge point, then 1 %, 10 % and all. Needs the scope `operate`."""
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
    """Stop a roll-out. Charge points that have not installed the release abandon it. Needs the scope `operate`."""
    try:
        found = roll_outs.find_roll_out(connection, number)
    except ReleaseError as error:
        raise HTTPException(404, str(error)) from None
    if found.state is RollOutState.STOPPED:
        raise HTTPException(409, "the roll-out is already stopped")
    roll_outs.stop(connection, number, "an operator has stopped it", app_state.clock.now_ms())
    note(request, Kind.ROLL_OUT_STOPPED, asker, str(number))
    return _as_json(roll_outs.find_roll_out(connection, number), count_states(connection, number))


@router.get("/api/charge-points/{unit_id}/update", response_model=UpdateProgress | None, responses=PROBLEMS)
def read_update(connection: Reading, unit: UnitOf) -> dict[str, Any] | None:
    """Return the charge point's progress in its newest roll-out, or null if no roll-out has included it."""
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
