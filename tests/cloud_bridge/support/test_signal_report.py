"""Is the installer's report parsed as the tool wrote it, and every other file refused without harm?"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.support.signal_report import BEGIN, END, BadReport, SignalReport, read_report
from cloud_bridge.web.presentation.report_words import table_of

SAMPLES = Path(__file__).parents[2] / "samples" / "reports"
BEFORE, AFTER = (SAMPLES / "before.json").read_text(), (SAMPLES / "after.html").read_text()


def changed(**values: Any) -> str:
    return json.dumps(json.loads(BEFORE) | values)


def test_the_json_and_the_page_are_read() -> None:
    before, after = read_report(BEFORE), read_report(AFTER)
    assert before is not None and (before.verdict, before.csq.median, before.unit) == ("fail", 9, "CK-1")
    assert after is not None and (after.verdict, after.csq.min, after.csq.max) == ("pass", 17, 18)


def test_both_are_one_table_with_the_verdict_of_the_newest() -> None:
    table = table_of(BEFORE, AFTER, "CK-1", "Europe/London", with_place=True)
    assert table is not None
    assert (table.verdict.word, table.change) == ("PASS", "CSQ 9 before, 17.5 after")
    rows = dict(table.rows)
    assert table.columns == ["Before", "After"]
    assert rows["Verdict"] == ["FAIL", "PASS"]
    assert rows["Signal, median"] == ["-95 dBm", "-78 dBm"]
    assert rows["Network in use"][0] == "vodafone UK (23415)"
    assert rows["Measured"][0] == "Tue 4 Mar, 10:20"
    assert rows["Place"] == ["Garage", "Garage"]
    assert table.networks is not None
    assert table.networks[0].name == "vodafone UK (23415), in use"
    assert table.other_unit is None


def test_one_report_alone_is_a_table_of_one_column() -> None:
    table = table_of(None, BEFORE, "CK-2", "Europe/London", with_place=False)
    assert table is not None
    assert (table.columns, table.change, table.other_unit) == (["After"], "CSQ 9 after", "CK-1")
    assert "Place" not in dict(table.rows)


@pytest.mark.parametrize(
    "text", ["", "CSQ 17", "[" * 40_000, '{"a":1}', "<html><script>alert(1)</script>", "=1+1", "\ufeff"]
)
def test_another_text_is_no_report(text: str) -> None:
    assert read_report(text) is None
    assert table_of(text, text, "CK-1", "Europe/London", with_place=True) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (changed(format="chargekeeper signal report 2"), "another version"),
        (changed(csq={"min": 9, "median": 32, "max": 9}), "csq.median"),
        (changed(csq={"min": 9, "median": "9", "max": 9}), "csq.median"),
        (changed(csq=9), "csq"),
        (changed(verdict="PASS"), "verdict"),
        (changed(verdict="pass"), "cut off or changed"),
        (changed(csq={"min": None, "median": None, "max": None}), "cut off or changed"),
        (changed(readings=True), "readings"),
        (changed(readings=10**30), "readings"),
        (changed(time="yesterday"), "time"),
        (changed(time="2025-03-04T10:20:30"), "time"),
        (changed(place="\u202e\0"), "place"),
        (changed(advice="x" * 1001), "advice"),
        (changed(networks=[{}]), "networks.0.plmn"),
        (changed(networks=json.loads(BEFORE)["networks"] * 65), "networks"),
        (BEFORE[:-30], "cut off"),
        ('{"format":"chargekeeper signal report 1","x":' + "[" * 30_000, "cut off"),
        (f"<p>{BEGIN}{END}", "cut off"),
        (f"{BEGIN}{{}}{END}", "another version"),
        (f"{BEGIN}NaN{END}", "cut off or changed"),
    ],
)
def test_what_claims_to_be_one_and_cannot_be_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(BadReport, match=says) as refused:
        read_report(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 100
    assert table_of(text, None, "CK-1", "Europe/London", with_place=True) is None


def test_a_formula_or_markup_in_a_report_is_text() -> None:
    found = read_report(changed(model='=HYPERLINK("http://example.org")', place="<script>"))
    assert found is not None
    assert found.place == "<script>"


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=5),
    st.sampled_from(sorted(SignalReport.model_fields)),
)
def test_any_value_anywhere_is_read_or_refused(value: Any, name: str) -> None:
    try:
        table = table_of(changed(**{name: value}), None, "CK-1", "Europe/London", with_place=True)
        assert table is None or table.columns == ["Before"]
        read_report(changed(**{name: value}))
    except BadReport:
        pass
