"""The report of the installer's tool: uploaded to a job, shown as a table, and offered as a download.

The uploaded file is never shown as a page. A report is parsed into values (support/signal_report.py); anything else can only
be downloaded, as an attachment with a media type that no browser displays.
"""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import Response

from cloud_bridge.store import jobs
from cloud_bridge.store.jobs import MAX_REPORT
from cloud_bridge.support.signal_report import BadReport, read_report
from cloud_bridge.web.connections import Reading, Writing
from cloud_bridge.web.errors import NotTheirs, Refused
from cloud_bridge.web.form_errors import FORM
from cloud_bridge.web.page import Number, OwnForm, PersonOf, to
from cloud_bridge.web.pages.installer.job_page import job_at_hand, job_of
from cloud_bridge.web.security.rates import REPORTS, use
from cloud_bridge.words import gettext as _

MAX_NAME = 100

router = APIRouter(include_in_schema=False)


class When(StrEnum):
    """Whether the report was measured before or after the work."""

    BEFORE = "before"
    AFTER = "after"


@router.post("/jobs/{job_id}/report", dependencies=[OwnForm])
def upload(
    request: Request,
    person: PersonOf,
    job_id: Number,
    report: UploadFile,
    connection: Writing,
    when: Annotated[When, Form()] = When.AFTER,
) -> Response:
    """Store what `python -m modem report` wrote on site: the JSON, or the page that contains it."""
    use(request, person, REPORTS, _("Too many reports"), _("This one was not stored."), FORM)
    content = report.file.read(MAX_REPORT + 1)
    if len(content) > MAX_REPORT:
        raise _refused(
            _(
                "That report is too long: it has more than {most} kB. Upload the .json file that lies beside the "
                "page, or measure for a shorter time."
            ).format(most=MAX_REPORT // 1000)
        )
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise _refused(_("That is not a report: upload the file that the signal report wrote.")) from None
    if not text.strip() or "\0" in text:
        raise _refused(_("That is not a report: it is empty, or no text."))
    try:
        read_report(text)
    except BadReport as error:
        raise _refused(
            _("That report cannot be read: it looks like a signal report, but {error}. Measure again.").format(
                error=error
            )
        ) from None
    name = shown_name(report.filename)
    jobs.attach_report(connection, job_at_hand(connection, person, job_id), name, text, is_before=when is When.BEFORE)
    return to(f"/jobs/{job_id}#report")


@router.get("/jobs/{job_id}/report/{when}")
def download(connection: Reading, person: PersonOf, job_id: Number, when: When) -> Response:
    """Return the uploaded file, under a name of our own."""
    job = job_of(connection, person, job_id)
    text = job.report_before if when is When.BEFORE else job.report
    if text is None:
        raise NotTheirs("report")
    ending = "json" if text.lstrip().startswith("{") else "txt"
    headers = {"Content-Disposition": f'attachment; filename="signal-report-{job.id}-{when}.{ending}"'}
    return Response(text.encode(), media_type="application/octet-stream", headers=headers)


def _refused(words: str) -> Refused:
    return Refused(_("The report was not stored"), f"{words} {_('Nothing was stored.')}", field="report")


def shown_name(name: str | None) -> str:
    """Return a file name without path and unprintable characters, for display only."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:MAX_NAME].strip(". ") or "report"
