"""The commissioning record as a PDF, for the owner to keep."""

from fastapi import APIRouter
from fastapi.responses import Response

from cloud_bridge.store.commissioning import commissioning_of
from cloud_bridge.store.contact_details import named_details
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.page import PersonOf, UnitOf, attachment
from cloud_bridge.web.presentation.commissioning_pdf import record_pdf
from cloud_bridge.web.presentation.pdf_pages import MEDIA_TYPE
from cloud_bridge.web.security.access import StateDep

router = APIRouter(include_in_schema=False)


@router.get("/charge-points/{unit_id}/commissioning.pdf")
def as_pdf(app_state: StateDep, person: PersonOf, unit: UnitOf) -> Response:
    """Return the PDF. It has the owner's address if the owner has entered it and asks for the PDF."""
    with app_state.database.reading() as connection:  # a transaction of its own: drawing takes longer than reading
        record = commissioning_of(connection, unit.id)
        address = named_details(connection, person.id).address if unit.owner_id == person.id else ""
    if record is None:
        raise NotTheirs("record")
    made = record_pdf(record, unit.id, unit.time_zone, address)
    return attachment(f"commissioning-{unit.id}.pdf", made, MEDIA_TYPE)
