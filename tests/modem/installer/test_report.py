"""Is the report self-contained and complete, and does it trust nothing that was received over the air?"""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from modem.installer import report
from modem.installer.advice import advice
from modem.installer.measuring import Measurement
from modem.installer.plot import plot
from modem.installer.readings import Identity, Network, Reading, Sample
from tests.modem.installer.fake import EE, O2, VODAFONE

SAMPLES = Path(__file__).parents[2] / "samples" / "reports"
WHEN = datetime.fromisoformat("2025-03-04T10:20:30+00:00")


def told(
    csqs: list[int], networks: list[Network] | None, plmn: str | None = "23415", place: str = "Garage"
) -> dict[str, Any]:
    samples = [Sample(float(at_s), csq) for at_s, csq in enumerate(csqs)]
    measurement = Measurement(samples, Reading(csqs[-1], plmn), len(csqs))
    said = advice(measurement.verdict, plmn, networks)
    identity = Identity("CK-1", "SIMCOM_SIM800L", "867856030000017")
    return report.contents(identity, place, WHEN, measurement, "01F4-2A3B", networks, said)


def test_all_that_was_asked_for_is_in_both() -> None:
    contents = told([12] * 10, [O2, VODAFONE, EE])
    page = report.page(contents)
    for wanted in (
        "CK-1",
        "Garage",
        "4 March 2025, 10:20",
        "01F4-2A3B",
        "vodafone UK",
        "O2 - UK",
        "FAIL",
        "other network",
    ):
        assert wanted in page
    assert contents["unit"] == "CK-1"
    assert contents["verdict"] == "fail"
    assert contents["csq"] == {"min": 12, "median": 12, "max": 12}
    assert contents["recommendation"] == "other network"
    assert contents["networks"][0]["passes"]
    assert contents["time"] == "2025-03-04T10:20:30+00:00"


def test_rsrp_and_rsrq_are_on_the_page_where_there_are_any() -> None:
    contents = told([12] * 10, [O2])
    assert "RSRP" not in report.page(contents)
    assert "RSRQ -18 dB" in report.page({**contents, "rsrp_dbm": -109, "rsrq_db": -18})


def test_the_page_loads_nothing_from_elsewhere() -> None:
    page = report.page(told([12, 99] * 10, [O2]))
    assert "<svg" in page
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:)?//""", page)
    assert "<script" not in page


def test_a_name_from_the_air_is_text_and_no_markup() -> None:
    evil = Network("23415", "<script>alert(1)</script>", 12, 1)
    page = report.page(told([12] * 10, [evil], place='"><img src=x>'))
    assert "<script" not in page
    assert "<img" not in page


@pytest.mark.parametrize(
    ("csqs", "networks", "words"),
    [
        ([99] * 10, [], "No 2G network was found here"),
        ([8] * 10, [VODAFONE], "Fit a signal booster"),
        ([13] * 10, [VODAFONE], "Move the antenna"),
        ([20] * 10, [VODAFONE], "good enough"),
        ([99] * 10, None, "too few readings"),
    ],
)
def test_the_recommendation_is_in_words(csqs: list[int], networks: list[Network] | None, words: str) -> None:
    assert words in report.page(told(csqs, networks, plmn=None if csqs[0] == 99 else "23415"))


@pytest.mark.parametrize(
    ("csqs", "networks", "words"),
    [
        ([99] * 10, [], "NO 2G HERE"),
        ([99] * 10, None, "NO VERDICT"),
        ([8] * 10, [], "FAIL"),
        ([14] * 10, None, "FAIL"),
        ([15] * 10, None, "PASS"),
    ],
)
def test_nothing_heard_is_told_apart_from_weak_at_a_glance(
    csqs: list[int], networks: list[Network] | None, words: str
) -> None:
    badge = re.search(r'class="badge \w+">([^<]+)<', report.page(told(csqs, networks)))
    assert badge is not None
    assert badge[1] == words


def test_a_network_without_a_known_name_is_named_once() -> None:
    assert "<dd>23415, cell" in report.page(told([17] * 10, None))


def test_both_files_are_written_side_by_side(tmp_path: Path) -> None:
    contents = told([17] * 10, [VODAFONE])
    page, beside = report.write(contents, tmp_path / "a report.html")
    assert page.read_text().startswith("<!doctype html>")
    assert json.loads(beside.read_text()) == contents


def test_the_line_of_the_plot_has_a_gap_where_there_was_no_reading() -> None:
    drawing = plot([(0.0, 10), (1.0, 11), (2.0, 99), (3.0, 16)], 11)
    assert drawing.count("<polyline") == 2
    assert drawing.count('class="fail"') == 2
    assert drawing.count('class="pass"') == 1
    assert drawing.count('class="none"') == 1


@pytest.mark.parametrize("name", ["before.json", "after.html"])
def test_the_samples_that_the_cloud_reads_are_what_the_tool_writes(name: str) -> None:
    """tests/cloud_bridge/support/test_signal_report.py reads them. `python -m tests.modem.installer.test_report` writes
    them again."""
    assert (SAMPLES / name).read_text() == written(name)


def test_a_page_cannot_end_the_contents_that_it_carries() -> None:
    contents = told([12] * 10, [Network("23415", "</template><b>&'", 12, 1)])
    page = report.page(contents)
    carried = page.partition('<template id="signal-report">')[2].partition("</template>")[0]
    assert json.loads(carried) == contents


def written(name: str) -> str:
    """Return the report from before or after an antenna was moved, by the name of the sample."""
    if name.endswith(".html"):
        return report.page(told([17, 18, 99] * 6, [VODAFONE, O2]))
    return json.dumps(told([9] * 12, [EE, VODAFONE, O2]), indent=2, ensure_ascii=False) + "\n"


def test_a_plot_of_nothing_is_still_a_plot() -> None:
    assert plot([], None).endswith("</svg>")


if __name__ == "__main__":
    for sample in ("before.json", "after.html"):
        (SAMPLES / sample).write_text(written(sample))
