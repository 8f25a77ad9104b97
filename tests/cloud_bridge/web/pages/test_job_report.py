"""Is a report of the installer's tool shown as a table, and any other file only offered for download?"""

import pytest
from httpx2 import Response

from cloud_bridge.store.access import Role
from tests.cloud_bridge.people import Visitor, entrust, text_of, unit_of
from tests.cloud_bridge.running import SAMPLES, Bridge

BEFORE, AFTER = ((SAMPLES / "reports" / name).read_bytes() for name in ("before.json", "after.html"))
HOSTILE = b"<!doctype html><script>alert(1)</script>"
PATH = "/jobs/1"


@pytest.fixture
def installer(bridge: Bridge) -> Visitor:
    """An installer with a job at home-1."""
    unit_of(bridge, "dora")
    installer = Visitor(bridge, "ingo", Role.INSTALLER)
    entrust(bridge, "home-1", "ingo")
    assert Visitor(bridge, "sue", Role.SUPPORT).post("/charge-points/home-1/jobs", reason="Weak").status_code == 200
    return installer


def upload(installer: Visitor, content: bytes, name: str = "report.html", when: str = "after") -> Response:
    form = installer.get(PATH).split('name="form" value="')[1][:64]
    files = {"report": (name, content, "text/html")}
    return installer.client.post(f"{PATH}/report", data={"form": form, "when": when}, files=files)


def test_both_reports_are_one_table_with_a_large_verdict(installer: Visitor) -> None:
    assert "FAIL CSQ 9 before" in text_of(upload(installer, BEFORE, "a.json", "before").text)
    html = upload(installer, AFTER).text
    page = text_of(html)
    assert "PASS CSQ 9 before, 17.5 after" in page
    assert "Signal, median -95 dBm -78 dBm" in page
    assert "vodafone UK (23415), in use" in page
    assert "This report says that it is of CK-1, not of home-1" in page
    for source in ("chargekeeper signal report 1", "<svg viewBox", "recommendation", "<pre"):
        assert source not in html.partition('id="report"')[2]


def test_another_file_is_handed_out_and_never_shown(installer: Visitor) -> None:
    html = upload(installer, HOSTILE, "../../etc/pass\x00wd<b>.html").text
    assert "alert(1)" not in html and "../" not in html and "<b>" not in html
    assert "not one that the signal report wrote" in html
    file = installer.client.get(f"{PATH}/report/after")
    assert file.content == HOSTILE
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert file.headers["Content-Disposition"] == 'attachment; filename="signal-report-1-after.txt"'
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert installer.client.get(f"{PATH}/report/before").status_code == 404
    assert installer.client.get(f"{PATH}/report/other").status_code in (404, 422)


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (b"", "That is not a report"),
        (b"  \n", "That is not a report"),
        (b"\xff\xfe\x00", "That is not a report"),
        (b"a\0b", "That is not a report"),
        (b"x" * 40_001, "That report is too long"),
        (BEFORE[:-40], "That report cannot be read"),
        (BEFORE.replace(b'"fail"', b'"pass"'), "That report cannot be read"),
        (b'{"format":"chargekeeper signal report 1","csq":' + b"[" * 39_000, "That report cannot be read"),
    ],
)
def test_a_file_that_is_no_report_has_one_clear_error_and_changes_nothing(
    installer: Visitor, content: bytes, title: str
) -> None:
    upload(installer, AFTER)
    answer = upload(installer, content)
    assert answer.status_code == 422
    assert title in answer.text and "Nothing was stored" in answer.text
    assert "PASS" in installer.read(PATH)


def test_nobody_else_reads_the_file(bridge: Bridge, installer: Visitor) -> None:
    upload(installer, AFTER)
    for other in (Visitor(bridge, "dora"), Visitor(bridge, "ivan", Role.INSTALLER)):
        assert other.client.get(f"{PATH}/report/after").status_code == 404
