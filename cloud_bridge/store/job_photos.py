"""Photos of a job. They may show a home, so they belong to its owner.

The owner and support always see them. The installer sees them while the job is open and assigned to them and they see
the unit. They are deleted when the unit is released, with the owner's account, and at the end of their retention
(upkeep.py).
"""

import hashlib
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, delete, func, select, true, update

from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import SEE_ALL, Person, Role, visible
from cloud_bridge.store.readable import Rows, readable
from cloud_bridge.store.tables import job_photos, jobs, units
from cloud_bridge.store.upsert import insert_one

MOST_PHOTOS = 8  # of a job


class NewPhoto(NamedTuple):
    job_id: int
    person_id: int  # who took it
    at_ms: int
    is_after: bool  # taken when a boost was fitted
    uploaded: bytes  # the file as uploaded, to detect repeats; only its hash is stored
    thumbnail: bytes  # JPEG, like `picture`
    picture: bytes


class ListedPhoto(NamedTuple):
    id: int
    at_ms: int
    is_after: bool


class TooManyPhotos(BridgeError):
    """The job has MOST_PHOTOS photos already."""

    def __init__(self) -> None:
        super().__init__(f"a job has {MOST_PHOTOS} photos at most")


_COLUMNS = (job_photos.c.id, job_photos.c.at_ms, job_photos.c.is_after)


def add_photo(connection: Connection, new: NewPhoto) -> bool:
    """Add a photo. Return False if the same file was uploaded before. The caller must check that the job is open and
    that the person may access it. Raises TooManyPhotos."""
    connection.execute(  # locks the job, so that simultaneous uploads are counted correctly
        update(jobs).where(jobs.c.id == new.job_id).values(moves=jobs.c.moves)
    )
    row = new._asdict()
    row["upload_hash"] = hashlib.sha256(row.pop("uploaded")).hexdigest()
    of_job = job_photos.c.job_id == new.job_id
    same = select(job_photos.c.id).where(of_job, job_photos.c.upload_hash == row["upload_hash"])
    if connection.execute(same).first() is not None:
        return False
    if connection.execute(select(func.count()).select_from(job_photos).where(of_job)).scalar_one() >= MOST_PHOTOS:
        raise TooManyPhotos
    return insert_one(connection, job_photos, row)


def remove_photo(connection: Connection, job_id: int, photo_id: int) -> None:
    """Remove a photo, if it exists. The caller must check that the person may access the job."""
    connection.execute(delete(job_photos).where(job_photos.c.id == photo_id, job_photos.c.job_id == job_id))


def photos_of(connection: Connection, asker: Person, job_id: int) -> Rows[ListedPhoto]:
    """Return the photos that the asker may see, oldest first. Invalid rows are left out."""
    query = _photos(asker, *_COLUMNS).where(job_photos.c.job_id == job_id).order_by(job_photos.c.id)
    found = readable(_COLUMNS, connection.execute(query.limit(MOST_PHOTOS)))
    return Rows([ListedPhoto(*row) for row in found], found.unreadable)


def picture_of(
    connection: Connection, asker: Person, job_id: int, photo_id: int, *, is_thumbnail: bool
) -> bytes | None:
    """Return a photo as JPEG, or None if it does not exist or the asker may not see it."""
    column = job_photos.c.thumbnail if is_thumbnail else job_photos.c.picture
    query = _photos(asker, column).where(job_photos.c.job_id == job_id, job_photos.c.id == photo_id)
    found = connection.execute(query).scalar()
    return found if isinstance(found, bytes) else None


def forget_photos(connection: Connection, unit_id: str) -> None:
    """Delete the photos of the unit's jobs, because the unit changes hands."""
    of_unit = select(jobs.c.id).where(jobs.c.unit_id == unit_id)
    connection.execute(delete(job_photos).where(job_photos.c.job_id.in_(of_unit)))


def _photos(asker: Person, *columns: Column[Any]) -> Select[Any]:
    query = select(*columns).join(jobs, jobs.c.id == job_photos.c.job_id).join(units, units.c.id == jobs.c.unit_id)
    return query.where(_shown(asker), jobs.c.raised_ms >= units.c.owned_from_ms)


def _shown(asker: Person) -> ColumnElement[bool]:
    if asker.role in SEE_ALL:
        return true()
    if asker.role is Role.INSTALLER:
        return and_(jobs.c.closed_ms.is_(None), jobs.c.installer_id == asker.id, visible(asker))
    return units.c.owner_id == asker.id
