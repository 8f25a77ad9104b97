"""Photos of a job: taken with the installer's phone, re-encoded here, and shown to everybody who may see the job.

A photo is larger than any other form. The route therefore reads the body itself, after it has checked the person and the job.
A form that is sent twice stores one photo, because photos are identified by their content.
"""

import hashlib
from enum import StrEnum

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlalchemy import Connection
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from cloud_bridge.app_state import AppState
from cloud_bridge.store import job_photos
from cloud_bridge.store.access import Person
from cloud_bridge.store.job_photos import MOST_PHOTOS, TooManyPhotos
from cloud_bridge.store.jobs import Job
from cloud_bridge.support import photo
from cloud_bridge.support.photo import MAX_PIXELS, MAX_UPLOAD_BYTES, MIN_SIDE, BadPhoto, Photo
from cloud_bridge.support.photo_process import PhotoMaker, PhotosBusy
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.page import Number, OwnForm, PersonOf, to
from cloud_bridge.web.pages.installer.job_page import job_at_hand, may_photograph
from cloud_bridge.web.security.access import SESSION_COOKIE, StateDep
from cloud_bridge.web.security.forms import check_form
from cloud_bridge.web.security.rates import PHOTOS, use
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

TITLE = N_("The photo was not stored")
FIELD = "photo"
MOST_FIELDS = 4
HEADERS = {
    "Cache-Control": "private, no-cache",  # a browser may cache it, but has to revalidate it each time
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
WORDS = {
    photo.NO_PHOTO: N_(
        "That is not a photo: it has to be a JPEG, PNG, WebP or HEIC picture, and its content is none of them."
    ),
    photo.TOO_SMALL: N_("That picture is too small to show anything. It has to have {side} pixels on each side."),
    photo.TOO_MANY_PIXELS: N_(
        "That picture is too large: it may have {millions} million pixels. Choose a smaller size in your camera."
    ),
    photo.DAMAGED: N_(
        "That photo cannot be read: it is damaged, or only part of it arrived. Send it again, or take another."
    ),
}

router = APIRouter(include_in_schema=False)


class Size(StrEnum):
    """The size of an image: thumbnails on the page, and the whole photo that each links to."""

    SMALL = "small"
    WHOLE = "whole"


@router.post("/jobs/{job_id}/photos")
async def add(request: Request, app_state: StateDep, person: PersonOf, job_id: Number) -> Response:
    """Store a photo. It counts as taken after the work if a boost was fitted before."""
    use(request, person, PHOTOS, _("Too many photos"), _("This one was not stored."))
    await run_in_threadpool(_look_at_job, app_state, person, job_id)
    uploaded = await _uploaded(request)
    maker: PhotoMaker = request.app.state.photos
    try:
        made = await maker.remake(uploaded)
    except BadPhoto as error:
        raise _refused(_(WORDS[error.problem]).format(side=MIN_SIDE, millions=MAX_PIXELS // 1_000_000)) from None
    except PhotosBusy:
        raise _refused(_("Many photos are being stored now. Try again in a minute."), 503) from None
    await run_in_threadpool(_keep, app_state, person, job_id, uploaded, made)
    return to(f"/jobs/{job_id}#photos")


@router.get("/jobs/{job_id}/photos/{photo_id}/{size}")
def show(
    request: Request, connection: Reading, person: PersonOf, job_id: Number, photo_id: Number, size: Size
) -> Response:
    content = job_photos.picture_of(connection, person, job_id, photo_id, is_thumbnail=size is Size.SMALL)
    if content is None:
        raise NotTheirs("photo")
    tag = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = HEADERS | {"ETag": tag, "Content-Disposition": f'inline; filename="job-{job_id}-{photo_id}.jpg"'}
    if request.headers.get("If-None-Match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="image/jpeg", headers=headers)


@router.post("/jobs/{job_id}/photos/{photo_id}/remove", dependencies=[OwnForm])
def remove(person: PersonOf, job_id: Number, photo_id: Number, connection: Writing) -> Response:
    job_photos.remove_photo(connection, _open_job(connection, person, job_id).id, photo_id)
    return to(f"/jobs/{job_id}#photos")


def _open_job(connection: Connection, person: Person, job_id: int) -> Job:
    """Return the job, if photos may be added to it. Raises NotTheirs."""
    job = job_at_hand(connection, person, job_id)
    if not may_photograph(connection, job):
        raise NotTheirs("job")
    return job


def _look_at_job(app_state: AppState, person: Person, job_id: int) -> None:
    with app_state.database.reading() as connection:
        _open_job(connection, person, job_id)


async def _uploaded(request: Request) -> bytes:
    """Return the file in the form. Raises Refused, and HTTPException if the form is not ours."""
    try:
        async with request.form(max_files=1, max_fields=MOST_FIELDS) as sent:
            token, file = str(sent.get("form", "")), sent.get(FIELD)
            content = await file.read(MAX_UPLOAD_BYTES + 1) if isinstance(file, UploadFile) else b""
    except HTTPException:  # no form, or a truncated one
        raise Refused(TITLE, _("Only part of it arrived. Go back and send it again. Nothing was stored.")) from None
    check_form(request.cookies.get(SESSION_COOKIE), token)
    if not content:
        raise _refused(_("No photo came with the form. Take one, and send it again."))
    if len(content) > MAX_UPLOAD_BYTES:
        raise _refused(
            _("That photo is too large: it may have {most} MB.").format(most=MAX_UPLOAD_BYTES // 1_000_000), 413
        )
    return content


def _keep(app_state: AppState, person: Person, job_id: int, uploaded: bytes, made: Photo) -> None:
    """Store the photo. The job is checked again, because it may have been closed during the upload."""
    with app_state.database.writing() as connection:
        job = _open_job(connection, person, job_id)
        is_after = job.visited_ms is not None
        now_ms = app_state.clock.now_ms()
        new = job_photos.NewPhoto(job.id, person.id, now_ms, is_after, uploaded, *made)
        try:
            job_photos.add_photo(connection, new)
        except TooManyPhotos:
            raise _refused(
                _("This job has {most} photos already. Remove one first.").format(most=MOST_PHOTOS)
            ) from None


def _refused(words: str, status: int = 422) -> Refused:
    return Refused(TITLE, f"{words} {_('Nothing was stored.')}", status, FIELD)
