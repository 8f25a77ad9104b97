"""The customer of a job: name, phone number, address and access notes for the installer.

They belong to the unit's owner, who sees and can correct them while the job is open. The installer sees them while the
job is open and assigned to them and they see the unit. They are deleted with the owner's account, and those of a former
owner are shown to nobody. A job at a unit without an owner has none.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from cloud_bridge.store.access import SEE_ALL, Person, Role, visible
from cloud_bridge.store.contact_details import Details, checked, named_details
from cloud_bridge.store.readable import readable
from cloud_bridge.store.tables import job_customers, jobs, units
from cloud_bridge.store.upsert import insert_new, replace

_COLUMNS = (
    job_customers.c.job_id,
    job_customers.c.full_name,
    job_customers.c.phone,
    job_customers.c.address,
    job_customers.c.access_notes,
)


def fill_customer(connection: Connection, job_id: int, owner_id: int) -> None:
    """Fill in the customer of a job from the owner's contact details, unless it has one."""
    insert_new(connection, job_customers, [_row(job_id, owner_id, named_details(connection, owner_id))])


def set_customer(connection: Connection, job_id: int, owner_id: int, details: Details) -> None:
    """Store the customer of a job. Raises BadDetails."""
    replace(connection, job_customers, [_row(job_id, owner_id, checked(details))])


def customers(connection: Connection, asker: Person, job_ids: Collection[int]) -> dict[int, Details]:
    """Return the customers by job id, of those of the jobs whose customer the asker may see. Invalid rows are left
    out."""
    query = (
        select(*_COLUMNS)
        .join(jobs, jobs.c.id == job_customers.c.job_id)
        .join(units, units.c.id == jobs.c.unit_id)
        .where(job_customers.c.job_id.in_(job_ids), _shown(asker))
    )
    rows = readable(_COLUMNS, connection.execute(query))
    return {row[0]: Details(row[1], row[2], "", row[3], row[4]) for row in rows}


def forget_customers(connection: Connection, unit_id: str) -> None:
    """Delete the customers of the unit's jobs, because the unit changes hands."""
    of_unit = select(jobs.c.id).where(jobs.c.unit_id == unit_id)
    connection.execute(delete(job_customers).where(job_customers.c.job_id.in_(of_unit)))


def _shown(asker: Person) -> ColumnElement[bool]:
    is_owners = job_customers.c.person_id == units.c.owner_id
    if asker.role in SEE_ALL:
        return is_owners
    is_open = jobs.c.closed_ms.is_(None)
    if asker.role is Role.INSTALLER:
        return and_(is_owners, is_open, jobs.c.installer_id == asker.id, visible(asker))
    return and_(is_owners, is_open, units.c.owner_id == asker.id)


def _row(job_id: int, owner_id: int, details: Details) -> dict[str, object]:
    row = details._asdict()
    del row["email"]
    return {"job_id": job_id, "person_id": owner_id, **row}
