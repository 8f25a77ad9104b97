"""Does the report show the results of a run, as a table, as JSON and as a self-contained page?"""

import json
import xml.etree.ElementTree
from collections import Counter

from hil_tests.fleet.charts import Chart, Line, svg
from hil_tests.fleet.clouds import Usage
from hil_tests.fleet.report import Run, as_json, page, rows
from hil_tests.fleet.scenarios import Do, Step
from hil_tests.fleet.timeline import Quantiles, Return, Second, Speed
from hil_tests.fleet.verdict import Verdict

WAIT = Quantiles(1.5, 20.0, 100.0)
DROP = Step(1.0, Do.DROP)
SPEED = Speed(2.0, 30, 20, WAIT, 10, 10, WAIT, [Return(DROP, WAIT, 3)], 0)
GOOD = Verdict(
    Counter(event=10, heartbeat=20), Counter(event=10, heartbeat=20), 0, 0, 0, 0, 0, 0, 0, 0, [1.0], [0.0], []
)
RUN = Run(
    "10 units <& one>",
    "python -m hil_tests.fleet --seed 1",
    [Second(0, 20, 10, WAIT, 10, 1), Second(1, 0, 0, Quantiles(0, 0, 0), 10, 0), Second(2, 10, 0, WAIT, 10, 0)],
    [DROP],
    SPEED,
    GOOD,
    Counter(logins=10),
    [Usage("bridge", 0.5, 160)],
    "2 processors",
    [],
    "",
)


def test_the_table_marks_what_must_not_be() -> None:
    assert [row.name for row in rows(RUN) if row.is_bad] == []
    bad = RUN._replace(verdict=GOOD._replace(lost=2, false_contact=1, faults=["lost: event <1>"]))
    assert [row.name for row in rows(bad) if row.is_bad] == ["lost", "false contact"]
    assert "event &lt;1&gt;" in page(bad)
    real = RUN._replace(real=["real-000: sessions [1] of 1 to 2"], real_said="1 units, 2 sessions")
    assert [row.name for row in rows(real) if row.is_bad] == ["real firmware"]
    assert [row.name for row in rows(RUN._replace(verdict=GOOD._replace(acknowledged=Counter()))) if row.is_bad] == [
        "acknowledged"
    ]


def test_the_json_has_every_figure() -> None:
    said = json.loads(json.dumps(as_json(RUN)))
    assert (said["messages"], said["lost"], said["acknowledged"]) == (30, 0, {"event": 10, "heartbeat": 20})
    assert said["wait_ms"] == {"p50": 1.5, "p99": 20.0, "worst": 100.0}
    assert said["returns"][0]["never"] == 3
    assert len(said["timeline"]) == 3
    assert said["row_after_ms"] is None


def test_how_long_after_its_receipt_a_row_was_there_is_told_where_it_is_noted() -> None:
    noted = RUN._replace(row_after_ms=Quantiles(20.0, 272.8, 320.9))
    assert ("row after receipt", "p50 20.0 ms, p99 272.8 ms, worst 320.9 ms", False) in rows(noted)
    assert as_json(noted)["row_after_ms"]["p99"] == 272.8
    assert not any(row.name == "row after receipt" for row in rows(RUN))


def test_the_page_needs_nothing_beside_it() -> None:
    shown = page(RUN)
    assert "10 units &lt;&amp; one&gt;" in shown
    assert shown.count("<svg") == 5
    assert "http" not in shown and "<script" not in shown and "src=" not in shown


def test_a_chart_is_well_formed_and_leaves_out_what_is_not_known() -> None:
    values = [Line("p50", [1.0, None, 3.0, 4.0]), Line("worst", [None, 7.0, 12.0, 9.0])]
    chart = xml.etree.ElementTree.fromstring(svg(Chart("A & B", "ms", values, [(1.0, "<drop>")])))
    lines = [one.attrib["points"].split() for one in chart.iter("polyline")]
    assert [len(points) for points in lines] == [2, 2, 3], "a dot, and a line on either side of the gap"
    assert lines[0][0] == lines[0][1]
    assert {one.text for one in chart.iter("text")} >= {"A & B, ms", "20", "p50", "worst", "3 s"}


def test_a_chart_of_nothing_can_be_drawn() -> None:
    assert "<svg" in svg(Chart("nothing", "ms", [Line("p50", [])]))
