"""The report of a run: figures and charts by day, as one HTML page."""

from html import escape
from pathlib import Path

from hil_tests.fleet.charts import Chart, Line, svg
from hil_tests.years.telling import Told

DRAWN = 12  # stories with charts
STYLE = (
    "body{font:15px sans-serif;max-width:920px;margin:2em auto}svg{display:block;margin:1em 0}.grid{stroke:#ddd}"
    "text{font-size:12px}.title{font-weight:bold}polyline{fill:none;stroke-width:1.5}.mark{stroke:#d55e00}"
)


def charts(told: Told) -> list[Chart]:
    """Return the charts of one story by day: contact, data, flash writes, and networks."""
    days = told.by_day
    marks = [(broken.at_s / 86_400, broken.what) for broken in told.broken]
    plmns = sorted({day.operator for day in days if day.operator})
    places = [None if day.operator is None else float(plmns.index(day.operator)) for day in days]
    by = f"seed {told.story.seed}: "
    return [
        Chart(
            by + "longest time between two contacts",
            "min",
            [Line("", [day.longest_gap_s / 60 for day in days])],
            marks,
            "d",
        ),
        Chart(by + "MQTT", "kB a day", [Line("", [day.carried_bytes / 1000 for day in days])], marks, "d"),
        Chart(by + "flash", "writes a day", [Line("", [float(day.flash_writes) for day in days])], marks, "d"),
        Chart(by + f"network ({', '.join(plmns)}, from 0)", "number", [Line("", places)], marks, "d"),
    ]


def write_report(told: list[Told], folder: Path) -> Path:
    """Write the report into `folder` and return its path. Stories that broke a promise come first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.html"
    chosen = sorted(told, key=lambda one: (not one.broken, one.story.seed))[:DRAWN]
    broken = [
        f"<li>seed {one.story.seed}, day {what.at_s / 86_400:.2f}: <b>{escape(what.promise)}</b> {escape(what.what)}</li>"
        for one in told
        for what in one.broken
    ]
    drawn = "".join(svg(chart) for one in chosen if one.by_day for chart in charts(one))
    path.write_text(
        f"<!doctype html><meta charset=utf-8><title>Years</title><style>{STYLE}</style>"
        f"<h1>{len(told)} stories</h1><ul>{''.join(broken)}</ul>{drawn}"
    )
    return path
