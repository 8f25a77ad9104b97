"""The sessions of one charge point in one month with their sums, in the form that employers and tax offices ask for. Pure.

Energy is summed in whole Wh. Costs are rounded for each session to whole pence (or the minor unit of the site's currency) and
summed only afterwards. The totals therefore equal the sum of the rows, and the cost of a session equals the one in its
history.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from cloud_bridge.contact import Gap
from cloud_bridge.currencies import Currency
from cloud_bridge.months import Month
from cloud_bridge.store.sites import Tariff
from cloud_bridge.web.presentation.cost import Bands, tariff_words
from cloud_bridge.web.presentation.words import date, day_and_time, lasting, moment, times
from cloud_bridge.words import N_, ngettext
from cloud_bridge.words import gettext as _

METER = N_(
    "Energy is measured by the charger's own meter, which is not certified for billing: we know of no calibration by MID,"
    " or by Eichrecht in Germany."
)
BY_BEGINNING = N_(
    "A session belongs to the month in which it began, as a whole. One that still goes on is not in here."
)
NO_PRICE = N_("No price is set for this charger, so there are no costs.")
VEHICLES = N_("Which vehicle was charged was said by its driver, or seen in its account while the session lasted.")
UNKNOWN_VEHICLE = N_("Not known")
OFF_PEAK, OTHER_TIMES = N_("Off-peak"), N_("Other times")
ALL_TIMES, UNKNOWN_TIMES = N_("All times"), N_("Times not known")
COUNTER_BEGAN_ANEW = 100  # a larger gap between two numbers is not lost sessions: the counter was reset


class Row(NamedTuple):
    """A session. Costs are in whole pence, or in the minor unit of the site's currency. None is unknown."""

    id: int
    number: int | None  # running number on the charge point
    began_ms: int
    ended_ms: int
    is_timed: (
        bool  # the times are by the charge point's clock; else they are estimated from when the record was received
    )
    energy_wh: int
    meter_began_wh: int | None
    meter_ended_wh: int | None
    cost: int | None
    off_peak_wh: int
    off_peak_cost: int
    vehicle: str | None
    vehicle_said: bool  # named by the driver

    @property
    def other_wh(self) -> int:
        return self.energy_wh - self.off_peak_wh

    @property
    def other_cost(self) -> int | None:
        return None if self.cost is None else self.cost - self.off_peak_cost


class Total(NamedTuple):
    """Sums over sessions, or over parts of them. `uncosted` is the number of sessions whose cost is unknown."""

    name: str
    sessions: int
    energy_wh: int
    cost: int
    uncosted: int


class Heard(NamedTuple):
    """The contact with the charge point, up to now."""

    silences: Sequence[Gap]  # in the month, and longer than the charge point may be silent
    silent_since_ms: int | None  # if it is silent now; else None
    mixed_since_ms: int | None = (
        None  # since when a second charge point uses its identity; None if there is no evidence of one
    )


class About(NamedTuple):
    """What the report is about."""

    unit_id: str
    unit_name: str
    month: Month
    time_zone: str
    reader: str  # name of the person it is made for; empty for a program
    from_ms: int  # start of the month, or of the reader's own time if that is later
    to_ms: int  # not included
    made_ms: int
    tariff: Tariff | None
    currency: Currency


class MonthlyReport(NamedTuple):
    """The report, from which the page, the CSV, the PDF and the HTTP interface are made."""

    about: About
    rows: Sequence[Row]
    total: Total
    by_tariff: Sequence[Total]  # empty without a tariff
    by_vehicle: Sequence[Total]
    notes: Sequence[str]  # sentences: how the figures are calculated, and what they lack
    unreadable: int

    @property
    def file_name(self) -> str:
        """Name of a file with the report, without extension."""
        return f"{self.about.unit_id}-{self.about.month}"

    @property
    def tariff_words(self) -> str | None:
        return None if self.about.tariff is None else tariff_words(self.about.tariff, self.about.currency)


def row_of(stored: dict[str, Any], number: int | None, spent: Bands | None, currency: Currency) -> Row:
    """Make a row from a row of the store (history.sessions_begun)."""
    began_ms, energy_wh = stored["began_ms"], stored["energy_wh"] or 0
    is_timed = stored["started_s"] is not None and stored["started_s"] * 1000 == began_ms
    ended_ms = stored["received_ms"] if stored["ended_s"] is None else stored["ended_s"] * 1000
    said = stored["vehicle_said"]
    return Row(
        id=stored["id"],
        number=number,
        began_ms=began_ms,
        ended_ms=max(began_ms, ended_ms),
        is_timed=is_timed,
        energy_wh=energy_wh,
        meter_began_wh=stored["meter_began_wh"],
        meter_ended_wh=stored["meter_ended_wh"],
        cost=None if spent is None else whole(spent.cost, currency),
        off_peak_wh=0 if spent is None else spent.off_peak_wh,
        off_peak_cost=0 if spent is None else whole(spent.off_peak_cost, currency),
        vehicle=said or stored["vehicle"],
        vehicle_said=bool(said),
    )


def whole(cost: float, currency: Currency) -> int:
    """Round a cost as `Currency.amount` does."""
    return round(currency.major(cost) * float(10**currency.digits))


def report_of(
    about: About, rows: Sequence[Row], heard: Heard, unreadable: int = 0, left_out: bool = False
) -> MonthlyReport:
    """Build the report. `left_out`: there are more sessions than `rows`."""
    unknown = _(UNKNOWN_VEHICLE)
    vehicles = sorted({row.vehicle or unknown for row in rows}, key=lambda name: (name == unknown, name))
    return MonthlyReport(
        about,
        rows,
        _total(_("Total"), rows),
        [] if about.tariff is None else _by_tariff(rows, about.tariff),
        [_total(name, [row for row in rows if (row.vehicle or unknown) == name]) for name in vehicles],
        list(_notes(about, rows, heard, unreadable, left_out)),
        unreadable,
    )


def missing(numbers: Iterable[int | None]) -> int:
    """Return how many session numbers are missing between these numbers."""
    known = sorted({number for number in numbers if number is not None})
    between = (later - earlier - 1 for earlier, later in zip(known, known[1:], strict=False))
    return sum(count for count in between if count < COUNTER_BEGAN_ANEW)


def _total(name: str, rows: Sequence[Row]) -> Total:
    costs = [row.cost for row in rows if row.cost is not None]
    return Total(name, len(rows), sum(row.energy_wh for row in rows), sum(costs), len(rows) - len(costs))


def _by_tariff(rows: Sequence[Row], tariff: Tariff) -> list[Total]:
    costed = [row for row in rows if row.cost is not None]
    if tariff.off_peak_rate is None:
        return [_total(_(ALL_TIMES), costed)]
    parts: tuple[tuple[str, Callable[[Row], int], Callable[[Row], int]], ...] = (
        (_(OFF_PEAK), lambda row: row.off_peak_wh, lambda row: row.off_peak_cost),
        (_(OTHER_TIMES), lambda row: row.other_wh, lambda row: row.other_cost or 0),
    )
    found = [
        Total(name, sum(energy(row) > 0 for row in costed), sum(map(energy, costed)), sum(map(cost, costed)), 0)
        for name, energy, cost in parts
    ]
    unknown = [row for row in rows if row.cost is None]
    return [*found, _total(_(UNKNOWN_TIMES), unknown)] if unknown else found


def _notes(about: About, rows: Sequence[Row], heard: Heard, unreadable: int, left_out: bool) -> Iterable[str]:
    zone, month = about.time_zone, about.month
    yield _(BY_BEGINNING)
    yield _(METER)
    if about.tariff is None:
        yield _(NO_PRICE)
    else:
        yield _(
            "Costs are by the tariff that is set now, as if each session had drawn its energy evenly in its charging hours."
        )
    if any(row.vehicle for row in rows):
        yield _(VEHICLES)
    if about.from_ms > month.begins_ms(zone):
        reader = about.reader or _("its owner")
        said = _("The report begins on {date}, when {name}'s time with this charger began.")
        yield said.format(date=date(about.from_ms, zone), name=reader)
    if about.made_ms < about.to_ms:
        said = _("The month is not over: these are its sessions up to {time}.")
        yield said.format(time=moment(about.made_ms, zone))
    yield from _missing_notes(about, rows, heard)
    if unreadable:
        yield ngettext(
            "{n} session cannot be shown: the stored content is not valid.",
            "{n} sessions cannot be shown: the stored content is not valid.",
            unreadable,
        ).format(n=unreadable)
    if left_out:
        said = _("There are more than these {n} sessions, and the totals are of these alone.")
        yield said.format(n=len(rows))


def _missing_notes(about: About, rows: Sequence[Row], heard: Heard) -> Iterable[str]:
    if heard.mixed_since_ms is not None:
        since = day_and_time(heard.mixed_since_ms, about.time_zone)
        said = _("Since {time} a second charger uses this one's identity. From then on the figures mix both.")
        yield said.format(time=since)
    if untimed := sum(not row.is_timed for row in rows):
        yield ngettext(
            "Of {n} session the charger did not know the time. The times here are about when they reached us, and which "
            "month they began in is not certain.",
            "Of {n} sessions the charger did not know the time. The times here are about when they reached us, and which "
            "month they began in is not certain.",
            untimed,
        ).format(n=untimed)
    if lost := missing(row.number for row in rows):
        yield ngettext(
            "{n} session that the charger has counted did not reach us, or began in another month: the figures may be "
            "too low.",
            "{n} sessions that the charger has counted did not reach us, or began in another month: the figures may be "
            "too low.",
            lost,
        ).format(n=lost)
    if heard.silences:
        silent_ms = sum(gap.to_ms - gap.from_ms for gap in heard.silences)
        yield _(
            "The charger was not in contact {times}, together {length}. It keeps the sessions of such times and sends "
            "them later."
        ).format(times=times(len(heard.silences)), length=lasting(silent_ms))
    if heard.silent_since_ms is not None:
        yield _(
            "The charger has not been in contact since {time}. Sessions that ended later are missing here until it is "
            "back."
        ).format(time=day_and_time(heard.silent_since_ms, about.time_zone))
