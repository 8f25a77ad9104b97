"""The monthly report as a PDF: A4 landscape, with text that can be searched and copied, in all European scripts.

Its length is bounded (store.history.MAX_BEGUN), because files are drawn one at a time (pdf_pages.py) and others wait
meanwhile.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cloud_bridge.web.presentation.monthly_report import MonthlyReport, Row, Total
from cloud_bridge.web.presentation.pdf_pages import BOLD, PLAIN, Measure, Size, Text, drawn, measure
from cloud_bridge.web.presentation.words import date, day_and_time, moment
from cloud_bridge.words import N_, formats, ngettext
from cloud_bridge.words import gettext as _

WIDTH, HEIGHT = 841.9, 595.3  # points; A4 landscape
MARGIN = 45.0
TOP, BOTTOM, RIGHT = HEIGHT - MARGIN, MARGIN + 12, WIDTH - MARGIN
SIZE, LINE = 8.5, 12.0
TITLE_SIZE = 16.0
FACT_AT = MARGIN + 90  # left edge of the values of facts
NAME_AT, NUMBERS_AT = MARGIN, (MARGIN + 420, MARGIN + 500, MARGIN + 600)  # of sums; numbers are right-aligned


class Column(NamedTuple):
    """A column of the table of sessions. Numbers are right-aligned at `at`; texts start there and have `width`."""

    head: str
    at: float
    width: float = 0.0


COLUMNS = (
    Column(N_("Began"), MARGIN, 105),
    Column(N_("Ended"), MARGIN + 110, 105),
    Column("kWh", MARGIN + 265),
    Column(N_("Meter before"), MARGIN + 335),
    Column(N_("Meter after"), MARGIN + 405),
    Column(N_("Off-peak kWh"), MARGIN + 475),
    Column(N_("Other kWh"), MARGIN + 530),
    Column(N_("Cost"), MARGIN + 585),
    Column(N_("Vehicle"), MARGIN + 595, RIGHT - MARGIN - 595),
)


def report_pdf(report: MonthlyReport) -> bytes:
    """Draw the report. Takes some hundred milliseconds, so do not call it on the event loop."""
    pages = Layout(report, measure).pages
    foot = _("{title}, {unit_id}, page {number} of {pages}")
    for number, texts in enumerate(pages, 1):
        words = foot.format(title=_title(report), unit_id=report.about.unit_id, number=number, pages=len(pages))
        texts.append(Text(MARGIN, MARGIN - 10, words, size=SIZE))
    return drawn(_title(report), Size(WIDTH, HEIGHT), pages)


def _title(report: MonthlyReport) -> str:
    return _("Charging report, {month}").format(month=report.about.month.name)


class Layout:
    """Lays the report out in `pages`. `measure` returns the width of a text."""

    def __init__(self, report: MonthlyReport, measure: Measure) -> None:
        self.pages: list[list[Text]] = [[]]
        self._report, self._measure = report, measure
        self._currency = report.about.currency
        self._y = TOP
        self._put(Text(MARGIN, self._y, _title(report), BOLD, TITLE_SIZE))
        self._down(2)
        self._facts()
        self._sums(_("By tariff"), report.by_tariff)
        self._sums(_("By vehicle"), report.by_vehicle)
        self._sums(_("In all"), [report.total])
        self._sessions()
        self._heading(_("About these figures"))
        for note in report.notes:
            self._paragraph(note, MARGIN, RIGHT - MARGIN)

    def _facts(self) -> None:
        about = self._report.about
        first, last = date(about.from_ms, about.time_zone), date(about.to_ms - 1, about.time_zone)
        period = _("{first} to {last}, on the clock of {zone}")
        facts = {
            _("Charger"): about.unit_id if about.unit_name == about.unit_id else f"{about.unit_name} ({about.unit_id})",
            _("Made for"): about.reader,
            _("Period"): period.format(first=first, last=last, zone=about.time_zone),
            _("Tariff"): self._report.tariff_words or "",
            _("Made"): moment(about.made_ms, about.time_zone),
        }
        for name, value in facts.items():
            if value:
                self._room(1)
                self._put(Text(MARGIN, self._y, name, BOLD))
                self._paragraph(value, FACT_AT, RIGHT - FACT_AT)

    def _sums(self, heading: str, sums: Sequence[Total]) -> None:
        if not sums:
            return
        self._heading(heading)
        for one in sums:
            lines = self._wrapped(one.name, NUMBERS_AT[0] - NAME_AT - 60)
            self._room(len(lines))
            sessions, energy, cost = NUMBERS_AT
            counted = ngettext("{n} session", "{n} sessions", one.sessions).format(n=one.sessions)
            self._put(Text(sessions, self._y, counted, ends=True))
            self._put(Text(energy, self._y, f"{_kwh(one.energy_wh)} kWh", ends=True))
            self._put(Text(cost, self._y, self._money_of(one), ends=True))
            for line in lines:
                self._put(Text(NAME_AT, self._y, line))
                self._down()

    def _money_of(self, one: Total) -> str:
        if self._report.about.tariff is None or (one.sessions and one.uncosted == one.sessions):
            return _("not known")
        known = f"{self._currency.code} {self._money(one.cost)}"
        return _("{amount}, {n} not known").format(amount=known, n=one.uncosted) if one.uncosted else known

    def _sessions(self) -> None:
        self._heading(_("Sessions"))
        if not self._report.rows:
            self._paragraph(_("No session began in this time."), MARGIN, RIGHT - MARGIN)
            return
        self._heads()
        for row in self._report.rows:
            if self._y < BOTTOM:
                self._next_page()
                self._heads()
            for column, words in zip(COLUMNS, self._cells(row), strict=True):
                words = self._cut(words, column.width) if column.width else words
                self._put(Text(column.at, self._y, words, ends=not column.width))
            self._down()

    def _heads(self) -> None:
        for column in COLUMNS:
            self._put(Text(column.at, self._y, _(column.head), BOLD, ends=not column.width))
        self._down()

    def _cells(self, row: Row) -> Iterable[str]:
        zone, about = self._report.about.time_zone, "{time}" if row.is_timed else _("about {time}")
        yield about.format(time=day_and_time(row.began_ms, zone))
        yield about.format(time=day_and_time(row.ended_ms, zone))
        yield _kwh(row.energy_wh)
        yield _kwh(row.meter_began_wh)
        yield _kwh(row.meter_ended_wh)
        yield _kwh(None if row.cost is None else row.off_peak_wh)
        yield _kwh(None if row.cost is None else row.other_wh)
        yield "–" if row.cost is None else self._money(row.cost)
        yield row.vehicle or "–"

    def _money(self, cost: int) -> str:
        digits = self._currency.digits
        return f"{cost / 10**digits:.{digits}f}"

    def _heading(self, words: str) -> None:
        self._down(0.6)
        self._room(3)
        self._put(Text(MARGIN, self._y, words, BOLD, SIZE + 2))
        self._down(1.2)

    def _paragraph(self, words: str, x: float, width: float) -> None:
        for line in self._wrapped(words, width):
            self._room(1)
            self._put(Text(x, self._y, line))
            self._down()

    def _wrapped(self, words: str, width: float) -> list[str]:
        """Break a text into lines that fit. Words that are too long are broken."""
        lines, line = [], ""
        for word in words.split():
            longer = f"{line} {word}".strip()
            if self._fits(longer, width):
                line = longer
                continue
            if line:
                lines.append(line)
            while not self._fits(word, width):
                size = max(1, next(n for n in range(len(word)) if not self._fits(word[: n + 1], width)))
                lines.append(word[:size])
                word = word[size:]
            line = word
        return [*lines, line] if line or not lines else lines

    def _cut(self, words: str, width: float) -> str:
        if self._fits(words, width):
            return words
        return next((cut for n in range(len(words), 0, -1) if self._fits(cut := f"{words[:n]}…", width)), "…")

    def _fits(self, words: str, width: float) -> bool:
        return self._measure(words, PLAIN, SIZE) <= width

    def _room(self, lines: int) -> None:
        """Start a new page unless this one has room for so many lines."""
        if self._y - (lines - 1) * LINE < BOTTOM:
            self._next_page()

    def _next_page(self) -> None:
        self.pages.append([])
        self._y = TOP

    def _put(self, text: Text) -> None:
        self.pages[-1].append(text)

    def _down(self, lines: float = 1.0) -> None:
        self._y -= lines * LINE


def _kwh(wh: int | None) -> str:
    return "–" if wh is None else formats.number(wh / 1000, 3)
