"""Registration of a charge point by the station that has made it.

The unit makes its secret and tells the SHA-256 of it; the station makes the claim code, and notes both before it asks here. So
the same request can be sent again after any failure, and finds what the first has done.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from pydantic import BaseModel, Field

from cloud_bridge.errors import AlreadyThere
from cloud_bridge.store.access import Scope
from cloud_bridge.store.claims import claim_hash_of
from cloud_bridge.store.secrets import CLAIM_ALPHABET
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.units import UnitHashes, register_unit
from cloud_bridge.web.api.schema import ACCESS_PROBLEMS, Problem, Schema
from cloud_bridge.web.connections import Writing
from cloud_bridge.web.security.access import AnyAsker, StateDep, require
from cloud_bridge.web.security.log import note
from cloud_bridge.web.security.rates import REGISTRATIONS, wait_s

GROUP = f"[{CLAIM_ALPHABET}]{{4}}"

router = APIRouter()

NewId = Annotated[str, Path(pattern="^[A-Za-z0-9-][A-Za-z0-9_-]{0,35}$", description="the serial number")]


class NewChargePoint(BaseModel):
    """What is known of a charge point that was made."""

    secret_sha256: Annotated[
        str, Field(pattern="^[0-9a-f]{64}$", description="of the secret, as the unit's console tells it (`identity`)")
    ]
    claim_code: Annotated[
        str, Field(pattern=f"^{GROUP}-{GROUP}-{GROUP}$", description="on its label", examples=["7K4M-2QXP-9BCD"])
    ]


class Registered(Schema):
    """A charge point that may log in from now on."""

    id: str
    claim_page: Annotated[
        str | None, Field(description="where its code is claimed, for the label; null: no public address is set")
    ]


def may_register(asker: AnyAsker) -> None:
    """Raises 403."""
    require(asker, Scope.REGISTER)


@router.put(
    "/api/charge-points/{unit_id}",
    status_code=201,
    response_model=Registered,
    dependencies=[Depends(may_register)],
    responses=ACCESS_PROBLEMS
    | {
        200: {"model": Registered, "description": "it was registered just so before"},
        409: {
            "model": Problem,
            "description": "the id is taken by another, or the code is, or units log in to a broker that is not ours",
        },
        429: {"model": Problem, "description": "too many, or wrong tokens: try again after Retry-After seconds"},
    },
)
def register(
    request: Request,
    response: Response,
    app_state: StateDep,
    asker: AnyAsker,
    unit_id: NewId,
    new: NewChargePoint,
    connection: Writing,
) -> dict[str, Any]:
    """Add a charge point that was made. Needs a token with the scope `register`, which may do nothing else."""
    if app_state.settings.broker is not None:
        raise HTTPException(
            409, "units log in to an outside broker, which knows no hash of ours: use `unit add --secret -`"
        )
    if seconds := wait_s(request, asker, REGISTRATIONS):
        raise HTTPException(429, "too many registrations", {"Retry-After": str(seconds)})
    hashes = UnitHashes(new.secret_sha256, claim_hash_of(new.claim_code))
    try:
        is_new = register_unit(connection, unit_id, app_state.clock.now_ms(), hashes)
    except AlreadyThere as error:
        raise HTTPException(409, str(error)) from None
    if is_new:
        note(request, Kind.UNIT_ADDED, asker, unit_id)
    else:
        response.status_code = 200
    public_url = app_state.settings.public_url
    return {"id": unit_id, "claim_page": None if public_url is None else f"{public_url}/claim"}
