"""The terminal output: live bar of a measurement, progress of a scan, table of networks, verdict."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from modem import signal
from modem.installer.advice import Advice
from modem.installer.measuring import Measurement
from modem.installer.readings import Network

BAR_PER_CSQ = 2  # characters
HISTORY = 60  # samples in the small graph
WIDTH = 76

_GOOD, _POOR, _DIM = "bold green", "bold red", "bright_black"
_VERDICTS = {
    signal.PASS: ("PASS", "bold white on green"),
    signal.FAIL: ("FAIL", "bold white on red"),
    signal.UNKNOWN: ("NO READING", "bold black on yellow"),
}
_SPARKS = "▁▂▃▄▅▆▇█"


class Screen:
    """Output to `console`. If it is not a terminal, only messages and results are written, no live display."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        """Show a message of one line."""
        self._console.print(Text(text, style=_DIM))

    def tell(self, text: str) -> None:
        """Show a message of any length, in the normal colour."""
        self._console.print(Text(text))

    def measure(self, measurements: Iterator[Measurement], title: str) -> Measurement:
        """Show each measurement; return the last. Raises ValueError if there is none."""
        last = None
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            for last in measurements:
                live.update(_measuring(last, title), refresh=True)
        if last is None:
            raise ValueError("nothing was measured")
        return last

    @contextmanager
    def scanning(self, usual_s: int) -> Iterator[None]:
        """Show a progress bar, which is full after the usual time of a scan."""
        with self._progressing("Scanning for networks", usual_s, f"usually {usual_s} s"):
            yield

    @contextmanager
    def listening(self, seconds: int) -> Iterator[None]:
        """Show a progress bar, which is full after `seconds`."""
        with self._progressing("Recording unsolicited codes", seconds, f"{seconds} s"):
            yield

    @contextmanager
    def _progressing(self, what: str, total_s: int, duration: str) -> Iterator[None]:
        columns = (
            SpinnerColumn(),
            TextColumn(what),
            BarColumn(bar_width=34),
            TimeElapsedColumn(),
            TextColumn(f"[{_DIM}]{duration}"),
        )
        with Progress(*columns, console=self._console, transient=True) as progress:
            progress.add_task("", total=total_s)
            self._progress = progress
            yield

    def tick(self) -> None:
        """Update the progress bar; called while a scan waits."""
        task = self._progress.tasks[0] if self._progress and self._progress.tasks else None
        if task is not None and self._progress is not None:
            self._progress.update(task.id, completed=min(task.elapsed or 0, 0.98 * (task.total or 1)))

    _progress: Progress | None = None

    def networks(self, networks: list[Network], serving: str | None) -> None:
        """Show all networks in a table, and mark those with a sufficient signal. `serving`: PLMN of the network in use."""
        if not networks:
            self._console.print(Text("No network was found.", style=_POOR))
            return
        table = Table(box=None, pad_edge=False, header_style=_DIM)
        table.add_column("network")
        table.add_column("PLMN")
        table.add_column("CSQ", justify="right")
        table.add_column("dBm", justify="right")
        table.add_column("best cell")
        table.add_column("")
        for network in networks:
            table.add_row(*_row(network, serving))
        self._console.print(table)

    def verdict(self, measurement: Measurement, name: str) -> None:
        """Show the verdict on a measurement. `name`: the network, as text for people."""
        verdict = measurement.verdict
        word, style = _VERDICTS[verdict.verdict]
        line = Text.assemble((f" {word} ", style), "  ")
        if verdict.samples:
            line.append(f"median CSQ {verdict.median:g} ({2 * verdict.median - 113:g} dBm)", "bold")
            line.append(f", {verdict.minimum} to {verdict.maximum} in {verdict.samples} readings")
        else:
            line.append("no reading from the modem")
        if measurement.latest.reference:
            line.append(f"  {measurement.latest.reference}")
        line.append(f"  on {name}", _DIM)
        self._console.print(line)

    def advice(self, advice: Advice) -> None:
        """Show the recommendation."""
        self._console.print(
            Text.assemble(("→ ", "bold"), (f"{advice.do[:1].upper()}{advice.do[1:]}. ", "bold"), advice.text)
        )


def _measuring(measurement: Measurement, title: str) -> RenderableType:
    csq = measurement.latest.csq
    verdict = measurement.verdict
    style = _DIM if csq == signal.NO_READING else _GOOD if signal.passes(csq) else _POOR
    now = Text.assemble(
        ("CSQ ", _DIM),
        (f"{'--' if csq == signal.NO_READING else csq:>2}", style),
        ("    ", ""),
        (f"{_dbm(csq):>4} dBm", "bold"),
        ("    ", ""),
        (measurement.latest.network, "" if measurement.latest.plmn else _POOR),
    )
    spread = Text("no reading yet", _DIM)
    if verdict.samples:
        spread = Text.assemble(
            ("min ", _DIM), f"{verdict.minimum:<4}",
            ("median ", _DIM), (f"{verdict.median:<6g}", _GOOD if verdict.median > signal.PASS_ABOVE_CSQ else _POOR),
            ("max ", _DIM), f"{verdict.maximum:<4}",
            ("readings ", _DIM), f"{verdict.samples} of {len(measurement.samples)}",
        )  # fmt: skip
    if measurement.latest.reference:
        now.append(f"\n{measurement.latest.reference}", _DIM)
    rows = (now, Text(), _bar(csq, style), _scale(), Text(), _history(measurement), spread, _until_verdict(measurement))
    return Panel(Group(*rows), title=title, title_align="left", border_style=_DIM, width=WIDTH, padding=(1, 3))


def _bar(csq: int, style: str) -> Text:
    """Return a bar of the signal, with the limit to pass."""
    filled = 0 if csq == signal.NO_READING else csq
    bar = Text()
    for step in range(signal.CSQ_MAX + 1):
        cell = "█" if step <= filled and filled else "·"
        bar.append(cell * BAR_PER_CSQ, style if step <= filled and filled else _DIM)
        if step == signal.PASS_ABOVE_CSQ:
            bar.append("┃", "bold")
    return bar


def _scale() -> Text:
    mark = (signal.PASS_ABOVE_CSQ + 1) * BAR_PER_CSQ
    left = "0"
    label = f"more than {signal.PASS_ABOVE_CSQ} passes"
    scale = f"{left:<{mark}}┗ {label}"
    return Text(f"{scale:<{(signal.CSQ_MAX + 1) * BAR_PER_CSQ - 2}} {signal.CSQ_MAX}", style=_DIM)


def _history(measurement: Measurement) -> Text:
    """Return the samples of the last minute, one character each."""
    line = Text()
    for sample in measurement.samples[-HISTORY:]:
        if sample.csq == signal.NO_READING:
            line.append("?", _DIM)
        else:
            spark = _SPARKS[sample.csq * len(_SPARKS) // (signal.CSQ_MAX + 1)]
            line.append(spark, "green" if signal.passes(sample.csq) else "red")
    return line


def _until_verdict(measurement: Measurement) -> Text:
    left_s = max(0, round(measurement.seconds - measurement.at_s - 1))
    return Text(f"verdict in {left_s} s" if left_s else "verdict now", style=_DIM)


def _dbm(csq: int) -> str:
    dbm = signal.dbm_from_csq(csq)
    return "--" if dbm is None else str(dbm)


def _row(network: Network, serving: str | None) -> tuple[RenderableType, ...]:
    here = " ◂ in use" if network.plmn == serving else ""
    if network.csq is None:
        return network.name or "", network.plmn, "--", "--", "", Text("forbidden" if network.forbidden else here, _DIM)
    style = "green" if network.passes else "red"
    word = "would pass" if network.passes else "too weak"
    bar = Text("█" * round(network.csq / 2), style) + Text("·" * (16 - round(network.csq / 2)), _DIM)
    return (
        network.name or "",
        network.plmn,
        Text(str(network.csq), style),
        _dbm(network.csq),
        bar,
        Text.assemble((word, style), (here, _DIM)),
    )
