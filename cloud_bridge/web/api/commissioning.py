"""The HTTP interface to how a charge point was commissioned. It is ordered on the page of an installer's job alone, beside the
charge point (web/pages/installer/commissioning.py)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException
from pydantic import Field

from cloud_bridge.clock import iso_utc
from cloud_bridge.store.commissioning import commissioning_of
from cloud_bridge.values import NO_CSQ
from cloud_bridge.web.api.history import UnitOf
from cloud_bridge.web.api.schema import PROBLEMS, Schema, Time
from cloud_bridge.web.connections import Reading

router = APIRouter(prefix="/api/charge-points/{unit_id}/commissioning", responses=PROBLEMS)


class Commissioning(Schema):
    """What an installer has found, as the charge point told it; it never charges with more than the circuit's rating."""

    at: Annotated[Time, Field(description="by the unit's clock; else when it reached us")]
    amps: Annotated[int, Field(description="rating of the circuit, A")]
    earthing: Literal["TN-S", "TN-C-S", "TT"]
    rcd_ms: Annotated[int, Field(description="trip time of the RCD at its rated residual current, ms")]
    csq: Annotated[int | None, Field(description="as the installer measured it; null: no reading")]
    boost: Annotated[Literal["none", "fitted", "ordered"], Field(description="a signal boost")]
    by: Annotated[str, Field(description="who has signed it")]
    via: Literal["console", "cloud"]
    firmware: Annotated[str | None, Field(description="null: not known")]


@router.get("", response_model=Commissioning)
def commissioning(connection: Reading, unit: UnitOf) -> dict[str, Any]:
    """The newest record. 404 where there is none: `troubles` has `uncommissioned`, or it was installed before there were
    records."""
    record = commissioning_of(connection, unit.id)
    if record is None:
        raise HTTPException(404, "no record of a commissioning")
    steps = record.steps
    return {
        "at": iso_utc(record.at_ms),
        "amps": steps.amps,
        "earthing": steps.earth,
        "rcd_ms": steps.rcd_ms,
        "csq": None if steps.csq == NO_CSQ else steps.csq,
        "boost": steps.boost,
        "by": steps.by,
        "via": record.via,
        "firmware": record.firmware,
    }
