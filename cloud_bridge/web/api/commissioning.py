"""The HTTP interface to the commissioning record of a charge point. Commissioning itself is possible only on the page of an
installer's job, on site (web/pages/installer/commissioning.py)."""

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
    """What the installer measured and signed, as the charge point reported it. The charge point never offers more than the
    rating of the circuit."""

    at: Annotated[Time, Field(description="By the unit's clock, or when the record was received if that was not set.")]
    amps: Annotated[int, Field(description="Rating of the circuit in A.")]
    earthing: Literal["TN-S", "TN-C-S", "TT"]
    rcd_ms: Annotated[int, Field(description="Trip time of the RCD at its rated residual current, in ms.")]
    csq: Annotated[int | None, Field(description="CSQ that the installer measured; null if there was no reading.")]
    boost: Annotated[
        Literal["none", "fitted", "ordered"], Field(description="Whether a signal booster was fitted or ordered.")
    ]
    by: Annotated[str, Field(description="Who signed the record.")]
    via: Literal["console", "cloud"]
    firmware: Annotated[str | None, Field(description="Firmware version; null if unknown.")]


@router.get("", response_model=Commissioning)
def commissioning(connection: Reading, unit: UnitOf) -> dict[str, Any]:
    """Return the newest record. Returns 404 if there is none: either the charge point is not commissioned (`troubles` has
    `uncommissioned`), or it was installed before such records were kept."""
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
