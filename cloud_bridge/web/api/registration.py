"""Registration of a charge point by the production station that made it.

The unit generates its secret and reports only the SHA-256 of it. The station generates the claim code. It stores both before
it sends the request, so it can repeat the same request after any failure; a repeated request changes nothing and returns 200.
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

NewId = Annotated[str, Path(pattern="^[A-Za-z0-9-][A-Za-z0-9_-]{0,35}$", description="Serial number of the unit.")]


class NewChargePoint(BaseModel):
    """Credentials of a new charge point."""

    secret_sha256: Annotated[
        str,
        Field(
            pattern="^[0-9a-f]{64}$",
            description="SHA-256 of the unit's secret, as its console command `identity` prints it.",
        ),
    ]
    claim_code: Annotated[
        str,
        Field(
            pattern=f"^{GROUP}-{GROUP}-{GROUP}$",
            description="Claim code on the unit's label.",
            examples=["7K4M-2QXP-9BCD"],
        ),
    ]


class Registered(Schema):
    """A registered charge point. It may log in from now on."""

    id: str
    claim_page: Annotated[
        str | None,
        Field(description="Address for the label, where the code is claimed; null if no public address is set."),
    ]


def may_register(asker: AnyAsker) -> None:
    """Raise 403 unless the caller has the scope `register`."""
    require(asker, Scope.REGISTER)


@router.put(
    "/api/charge-points/{unit_id}",
    status_code=201,
    response_model=Registered,
    dependencies=[Depends(may_register)],
    responses=ACCESS_PROBLEMS
    | {
        200: {"model": Registered, "description": "Already registered with the same secret and code."},
        409: {
            "model": Problem,
            "description": "The id or the claim code is taken, or the service uses an outside broker.",
        },
        429: {
            "model": Problem,
            "description": "Too many registrations, or too many wrong tokens. Try again after Retry-After seconds.",
        },
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
    """Register a new charge point. Needs a token with the scope `register`; that scope allows nothing else."""
    if app_state.settings.broker is not None:
        raise HTTPException(
            409, "units log in to an outside broker, which needs the secret itself: use `unit add --secret -`"
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
