"""The installer's signal reports of a job as a table: verdict, before and after, and networks. Pure."""

from collections.abc import Callable
from typing import NamedTuple

from cloud_bridge.support.signal_report import FAIL, PASS, BadReport, HeardNetwork, SignalReport, read_report
from cloud_bridge.web.presentation.words import Glance, day_and_time, operator_name
from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _

VERDICTS = {PASS: Glance("good", N_("PASS")), FAIL: Glance("bad", N_("FAIL"))}
NO_VERDICT = Glance("unsure", N_("NO VERDICT"))


class NetworkRow(NamedTuple):
    name: str
    csq: str
    dbm: str
    result: str


class ReportTable(NamedTuple):
    """The table of one report or of both. Each of `rows` has a name and one value for each of `columns`."""

    verdict: Glance
    change: str  # "CSQ 9 before, 17 after"
    advice: str
    columns: list[str]
    rows: list[tuple[str, list[str]]]
    networks: list[NetworkRow] | None  # of the newest report; None if the networks were not scanned
    other_unit: str | None  # the unit that the newest report names, if it is not the job's


_ROWS: tuple[tuple[str, Callable[[SignalReport], str]], ...] = (
    (N_("Verdict"), lambda one: VERDICTS.get(one.verdict, NO_VERDICT).word),
    (N_("CSQ, median"), lambda one: _csq(one.csq.median)),
    (N_("Signal, median"), lambda one: _dbm(one.csq.median)),
    (N_("CSQ, lowest to highest"), lambda one: _range(one.csq.min, one.csq.max)),
    (N_("Readings"), lambda one: str(one.readings)),
    ("RSRP, RSRQ", lambda one: "" if one.rsrp_dbm is None else f"{one.rsrp_dbm} dBm, {one.rsrq_db} dB"),
    (N_("Network in use"), lambda one: _in_use(one)),
    (N_("Cell"), lambda one: one.cell or ""),
    (N_("Modem"), lambda one: one.model or ""),
)


def table_of(
    before: str | None, after: str | None, unit_id: str, time_zone: str, *, with_place: bool
) -> ReportTable | None:
    """Build the table from the stored texts. Return None if neither is a report of the tool. Show the place only with
    `with_place`: it may be the customer's address."""
    named = [
        (_("Before"), _("{figure} before"), _known(before)),
        (_("After"), _("{figure} after"), _known(after)),
    ]
    found = [(name, said, report) for name, said, report in named if report is not None]
    if not found:
        return None
    reports = [report for *_words, report in found]
    newest = reports[-1]
    measured = [day_and_time(int(one.time.timestamp() * 1000), time_zone) for one in reports]
    rows = [(_("Measured"), measured), *((_(name), [say(one) for one in reports]) for name, say in _ROWS)]
    if with_place:
        rows.append((_("Place"), [one.place for one in reports]))
    return ReportTable(
        VERDICTS.get(newest.verdict, NO_VERDICT),
        f"CSQ {', '.join(said.format(figure=_csq(one.csq.median)) for _name, said, one in found)}",
        f"{newest.recommendation[:1].upper()}{newest.recommendation[1:]}. {newest.advice}",
        [name for name, *_more in found],
        [(name, values) for name, values in rows if any(values)],
        None if newest.networks is None else [_network(one, newest) for one in newest.networks],
        newest.unit if newest.unit not in (None, unit_id) else None,
    )


def _known(text: str | None) -> SignalReport | None:
    try:
        return None if text is None else read_report(text)
    except BadReport:  # stored by an earlier version of the bridge, which validated less
        return None


def _network(network: HeardNetwork, report: SignalReport) -> NetworkRow:
    name = f"{network.name} ({network.plmn})" if network.name else operator_name(network.plmn) or network.plmn
    if network.plmn == report.operator:
        name = _("{name}, in use").format(name=name)
    if network.forbidden:
        result = _("forbidden")
    elif network.csq is None:
        result = ""
    else:
        result = _("would pass") if network.passes else _("too weak")
    return NetworkRow(name, _csq(network.csq), _dbm(network.csq), result)


def _in_use(report: SignalReport) -> str:
    names = {network.plmn: network.name for network in report.networks or ()}
    name = names.get(report.operator or "")
    return f"{name} ({report.operator})" if name else operator_name(report.operator) or _("none")


def _csq(csq: float | None) -> str:
    return "–" if csq is None else formats.shortest(csq)


def _dbm(csq: float | None) -> str:
    """Convert CSQ to dBm: 0 is -113 dBm, and each step is 2 dB (3GPP TS 27.007, 8.5)."""
    return "–" if csq is None else f"{formats.shortest(2 * csq - 113)} dBm"


def _range(lowest: int | None, highest: int | None) -> str:
    if lowest is None or highest is None:
        return "–"
    return _("{lowest} to {highest}").format(lowest=lowest, highest=highest)
