"""The report of a run: rows for the terminal, JSON for programs, and an HTML page with charts. Pure."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from hil_tests.fleet.charts import Chart, Line, svg
from hil_tests.fleet.clouds import Usage
from hil_tests.fleet.scenarios import Step
from hil_tests.fleet.timeline import Quantiles, Second, Speed, quantiles
from hil_tests.fleet.verdict import Verdict

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem}"
    "svg{width:100%;height:auto;font-size:11px}.title{font-size:14px}.grid{stroke:#ddd}"
    "polyline{fill:none;stroke-width:1.5;stroke-linecap:round}"
    ".mark{stroke:#888;stroke-dasharray:4 3}td,th{text-align:left;padding:.15rem 1.5rem .15rem 0;vertical-align:top}"
    ".bad{color:#b00020}"
)


class Run(NamedTuple):
    """The contents of a report."""

    about: str  # one line about what was done
    again: str  # the command to repeat it
    seconds: Sequence[Second]
    steps: Sequence[Step]
    speed: Speed
    verdict: Verdict
    counts: Counter[str]
    usage: Sequence[Usage]  # the cloud's processes
    processor: str  # the machine's processor, in words
    real: Sequence[str]  # what is wrong with the real units
    real_said: str  # a summary of the real units, in words
    row_after_ms: Quantiles | None = None  # from the receipt of a heartbeat to the commit of its row, if recorded


class Row(NamedTuple):
    """A row of the report. With `is_bad`, the figure is a fault."""

    name: str
    value: str
    is_bad: bool = False


def rows(run: Run) -> list[Row]:
    """Return the table of the report."""
    speed, verdict = run.speed, run.verdict
    found = [
        Row(
            "messages acknowledged",
            f"{speed.messages:,} in {speed.seconds:.0f} s; {speed.busiest:,} in the busiest second",
        ),
        Row("acknowledgement after", _times(speed.wait_ms, "ms")),
        Row("units that were never acknowledged", f"{speed.never:,}"),
        Row("logins", f"{speed.logins:,}; {speed.most_logins:,} in the busiest second"),
        Row("login took", _times(speed.login_ms, "ms")),
        *(
            Row(f"again after: {one.step.do.value}", f"{_times(one.after_s, 's')}; {one.never:,} not at all")
            for one in speed.returns
        ),
        *(Row(f"{one.name} took", _usage(one, speed.messages)) for one in run.usage),
        Row("this machine", run.processor),
        Row("counted", _listed(run.counts)),
    ]
    if run.real_said:
        found.append(
            Row(
                "real firmware",
                f"{run.real_said}; {'; '.join(run.real) or 'every record is there once'}",
                bool(run.real),
            )
        )
    return found + _verdict_rows(verdict, run.row_after_ms)


def _verdict_rows(verdict: Verdict, row_after_ms: Quantiles | None) -> list[Row]:
    kinds = sorted(verdict.acknowledged)
    acknowledged = ", ".join(f"{verdict.acknowledged[kind]:,} {kind}s" for kind in kinds)
    stored = ", ".join(f"{verdict.found[kind]:,} {kind}s" for kind in kinds)
    wrong = {
        "lost": verdict.lost,
        "doubled": verdict.doubled,
        "stored, and sent by nobody": verdict.unsent,
        "contact behind": verdict.contact_behind,
        "signal lost": verdict.signal_lost,
        "false contact": verdict.false_contact,
        "false silence": verdict.false_silence,
    }
    away = f"; {verdict.not_contact:,} heartbeats while the bridge was away" if verdict.not_contact else ""
    return [
        Row("acknowledged", acknowledged or "nothing", not kinds),
        Row("of them in the database", (stored or "nothing") + away),
        *(Row(name, f"{count:,}", count > 0) for name, count in wrong.items()),
        *([] if row_after_ms is None else [Row("row after receipt", _times(row_after_ms, "ms"))]),
        Row("stamp after PUBLISH", _times(quantiles(verdict.stamp_after_ms), "ms")),
        Row("stamp outside of PUBLISH to PUBACK by", _times(quantiles(verdict.stamp_error_ms), "ms")),
    ]


def as_json(run: Run) -> dict[str, Any]:
    """Return the report as JSON data."""
    verdict = run.verdict
    faults = ("lost", "doubled", "unsent", "contact_behind", "signal_lost", "false_contact", "false_silence")
    return {
        "about": run.about,
        "again": run.again,
        "acknowledged": dict(verdict.acknowledged),
        "found": dict(verdict.found),
        "not_contact": verdict.not_contact,
        **{name: getattr(verdict, name) for name in faults},
        "faults": verdict.faults,
        "stamp_after_ms": quantiles(verdict.stamp_after_ms)._asdict(),
        "stamp_error_ms": quantiles(verdict.stamp_error_ms)._asdict(),
        "row_after_ms": None if run.row_after_ms is None else run.row_after_ms._asdict(),
        "seconds": run.speed.seconds,
        "messages": run.speed.messages,
        "busiest_second": run.speed.busiest,
        "wait_ms": run.speed.wait_ms._asdict(),
        "units_never_acknowledged": run.speed.never,
        "logins": run.speed.logins,
        "most_logins_in_a_second": run.speed.most_logins,
        "login_ms": run.speed.login_ms._asdict(),
        "returns": [
            {"step": one.step.do.value, "at_s": one.step.at_s, "after_s": one.after_s._asdict(), "never": one.never}
            for one in run.speed.returns
        ],
        "usage": [one._asdict() for one in run.usage],
        "counts": dict(run.counts),
        "real": list(run.real),
        "timeline": [one._asdict() | {"wait_ms": one.wait_ms._asdict()} for one in run.seconds],
    }


def page(run: Run) -> str:
    """Return the report as a self-contained HTML page."""
    marks = [(step.at_s, step.do.value) for step in run.steps]
    waits = [one.wait_ms if one.messages else None for one in run.seconds]
    charts = [
        Chart(
            "Messages acknowledged", "a second", [Line("messages", [float(one.messages) for one in run.seconds])], marks
        ),
        Chart(
            "From PUBLISH to PUBACK",
            "ms",
            [
                Line(name, [None if wait is None else getattr(wait, name) for wait in waits])
                for name in ("p50", "p99", "worst")
            ],
            marks,
        ),
        Chart("Connected units", "number", [Line("connected", [float(one.connected) for one in run.seconds])], marks),
        Chart("Logins", "a second", [Line("logins", [float(one.logins) for one in run.seconds])], marks),
        Chart(
            "Units with an unacknowledged message",
            "number",
            [Line("unacknowledged", [float(one.unacknowledged) for one in run.seconds])],
            marks,
        ),
    ]
    table = "".join(
        f"<tr{' class=bad' if row.is_bad else ''}><th>{escape(row.name)}</th><td>{escape(row.value)}</td></tr>"
        for row in rows(run)
    )
    faults = "".join(f"<li>{escape(fault)}</li>" for fault in run.verdict.faults)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Fleet: {escape(run.about)}</title>'
        f"<style>{STYLE}</style><h1>{escape(run.about)}</h1><p><code>{escape(run.again)}</code></p>"
        f"<table>{table}</table>{f'<ul class=bad>{faults}</ul>' if faults else ''}"
        f"{''.join(svg(chart) for chart in charts)}</html>\n"
    )


def _times(of: Quantiles, unit: str) -> str:
    return f"p50 {of.p50:,.1f} {unit}, p99 {of.p99:,.1f} {unit}, worst {of.worst:,.1f} {unit}"


def _usage(one: Usage, messages: int) -> str:
    each = f", {one.cpu_s / messages * 1e6:,.0f} us a message" if messages else ""
    return f"{one.cpu_s:.1f} s of a processor{each}; {one.memory_mb:,.0f} MB"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "nothing"
