"""Do a monthly report's sums agree with its rows, and its rows with the cost rule, for any sessions?"""

import csv
import io
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.contact import Gap
from cloud_bridge.currencies import CURRENCIES
from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.months import Month
from cloud_bridge.store.history import MAX_BEGUN
from cloud_bridge.store.sites import Tariff
from cloud_bridge.web.presentation.cost import Span, bands, cost
from cloud_bridge.web.presentation.monthly_csv import HEADS, report_csv
from cloud_bridge.web.presentation.monthly_pdf import BOTTOM, MARGIN, RIGHT, TOP, Layout, report_pdf
from cloud_bridge.web.presentation.monthly_report import (
    METER,
    NO_PRICE,
    UNKNOWN_VEHICLE,
    About,
    Heard,
    MonthlyReport,
    Row,
    missing,
    report_of,
    row_of,
)

OCTOBER, ZONE = Month(2026, 10), "Europe/Berlin"
NIGHT = Tariff(3217, 1800, 22 * 60, 6 * 60)
ALWAYS = Heard([], None)
FROM_MS, TO_MS = OCTOBER.begins_ms(ZONE), OCTOBER.ends_ms(ZONE)


def about(tariff: Tariff | None = NIGHT, currency: str = "EUR", **other: Any) -> About:
    whose = ("CK-0001", "Garage Süd", OCTOBER, ZONE, "Jürgen Groß")
    known = About(*whose, FROM_MS, TO_MS, TO_MS + DAY_MS, tariff, CURRENCIES[currency])
    return known._replace(**other)


def stored(number: int, began_ms: int, lasting_s: int, energy_wh: int, **other: Any) -> dict[str, Any]:
    """Return a row as from history.sessions_begun."""
    ended_ms = began_ms + lasting_s * 1000
    row: dict[str, Any] = {"id": number, "began_ms": began_ms, "received_ms": ended_ms + 1000, "energy_wh": energy_wh}
    row |= {"started_s": began_ms // 1000, "ended_s": ended_ms // 1000, "vehicle": None, "vehicle_said": None}
    return row | {"meter_began_wh": None, "meter_ended_wh": None} | other


def row(one: dict[str, Any], report: About) -> Row:
    spent = None
    if report.tariff is not None:
        spent = bands(one["energy_wh"], Span(one["started_s"], one["ended_s"]), report.tariff, report.time_zone)
    return row_of(one, one["id"], spent, report.currency)


def made(some: list[dict[str, Any]], heard: Heard = ALWAYS, of: About | None = None, **other: Any) -> MonthlyReport:
    of = of or about()
    return report_of(of, [row(one, of) for one in some], heard, **other)


some_sessions = st.lists(
    st.builds(
        lambda after_s, lasting_s, energy_wh, known, name, said: stored(
            after_s + 1,
            FROM_MS + after_s * 1000,
            lasting_s,
            energy_wh,
            vehicle=name,
            vehicle_said=said,
            **({} if known else {"started_s": None}),
        ),
        st.integers(0, 31 * 86_400),
        st.integers(0, 20_000),
        st.integers(0, 150_000),
        st.booleans(),
        st.sampled_from([None, "Zoe", "ID.3"]),
        st.sampled_from([None, "B-XY 123 E"]),
    ),
    max_size=8,
)
minutes = st.integers(0, 1439)
a_tariff = st.none() | st.builds(Tariff, st.integers(0, 99_999), st.none() | st.integers(0, 99_999), minutes, minutes)


@settings(max_examples=60, deadline=None)
@given(some_sessions, a_tariff, st.sampled_from(["EUR", "GBP", "JPY"]))
def test_the_totals_are_the_sums_of_the_rows_and_the_rows_follow_the_cost_rule(
    some: list[dict[str, Any]], tariff: Tariff | None, currency: str
) -> None:
    of = about(tariff, currency)
    report = made(some, of=of)
    rows, total = report.rows, report.total
    assert total.energy_wh == sum(one["energy_wh"] for one in some)
    assert total.cost == sum(one.cost or 0 for one in rows)
    assert total.uncosted == sum(one.cost is None for one in rows)
    for sums in [report.by_vehicle] if tariff is None else [report.by_vehicle, report.by_tariff]:
        assert sum(one.energy_wh for one in sums) == total.energy_wh
        assert sum(one.cost for one in sums) == total.cost
        assert sum(one.uncosted for one in sums) == total.uncosted
    assert sum(one.sessions for one in report.by_vehicle) == len(rows)
    for one, shown in zip(some, rows, strict=True):
        spent = None
        if tariff is not None:
            spent = cost(one["energy_wh"], Span(one["started_s"], one["ended_s"]), tariff, ZONE)
        assert (shown.cost is None) == (spent is None)
        if spent is not None and shown.cost is not None and shown.other_cost is not None:
            assert of.currency.amount(shown.cost) == of.currency.amount(spent), "as the history shows it"
            assert shown.off_peak_cost >= 0 and shown.other_cost >= 0
        assert 0 <= shown.off_peak_wh <= shown.energy_wh


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 86_400), st.integers(1, 4000), st.integers(0, 90_000), minutes, minutes)
def test_the_parts_of_a_session_are_the_sums_over_its_seconds(
    after_s: int, lasting_s: int, energy_wh: int, from_min: int, to_min: int
) -> None:
    """In the night in which the clocks go back."""
    tariff = Tariff(3217, 1850, from_min, to_min)
    started_s = int(datetime(2026, 10, 24, 12, tzinfo=UTC).timestamp()) + after_s
    found = bands(energy_wh, Span(started_s, started_s + lasting_s), tariff, "UTC")
    assert found is not None
    night = {(from_min + n) % 1440 for n in range((to_min - from_min) % 1440)}
    cheap_s = sum(at_s // 60 % 1440 in night for at_s in range(started_s, started_s + lasting_s))
    assert found.off_peak_wh == round(energy_wh * cheap_s / lasting_s)
    assert found.off_peak_cost == pytest.approx(energy_wh * cheap_s / lasting_s * 1850 / 100_000)
    other = energy_wh * (lasting_s - cheap_s) / lasting_s * 3217 / 100_000
    assert found.cost == pytest.approx(found.off_peak_cost + other)


@pytest.mark.parametrize(
    ("numbers", "lost"),
    [
        ([], 0),
        ([7], 0),
        ([7, 8, 9], 0),
        ([7, 9], 1),
        ([9, 7, 12], 3),
        ([None, 7, None, 9], 1),
        ([1, 7000], 0),
        ([7, 7], 0),
    ],
)
def test_sessions_that_the_unit_has_counted_and_that_are_missing_are_told(numbers: list[int | None], lost: int) -> None:
    assert missing(numbers) == lost


def test_the_notes_say_what_the_figures_are_and_what_is_missing() -> None:
    one = stored(7, FROM_MS + DAY_MS, 3600, 7000)
    told = " ".join(made([one]).notes)
    assert METER in told and "as a whole" in told and "tariff that is set now" in told
    assert "not in contact" not in told and "not over" not in told and "begins on" not in told
    silent = Heard([Gap(FROM_MS, FROM_MS + 6 * HOUR_MS)], TO_MS - HOUR_MS, FROM_MS + DAY_MS)
    untimed = stored(9, FROM_MS + 2 * DAY_MS, 0, 100, started_s=None)
    early = about(None, made_ms=TO_MS - 1, from_ms=FROM_MS + DAY_MS)
    told = " ".join(made([one, untimed], silent, early, unreadable=2, left_out=True).notes)
    for words in (
        NO_PRICE,
        "begins on 2 October 2026, when Jürgen Groß's time with this charger began",
        "The month is not over",
        "Of 1 session the charger did not know the time",
        "1 session that the charger has counted did not reach us",
        "was not in contact once, together 6 hours",
        "has not been in contact since Sat 31 Oct, 23:00",
        "Since Fri 2 Oct, 00:00 a second charger uses this one's identity",
        "2 sessions cannot be shown",
        "more than these 2 sessions",
    ):
        assert words in told


def test_the_csv_has_a_line_for_each_session_with_times_of_the_site_and_no_formula() -> None:
    summer, winter = (int(datetime(2026, 10, day, 20, tzinfo=UTC).timestamp() * 1000) for day in (20, 28))
    meter = {"meter_began_wh": 100_000, "meter_ended_wh": 107_000}
    some = [
        stored(1, summer, 7200, 7000, vehicle_said="=cmd()", **meter),
        stored(2, winter, 7200, 7000, vehicle="Zoé"),
        stored(3, winter, 0, 50, started_s=None),
    ]
    text = report_csv(made(some, unreadable=1))
    assert not text.startswith("\ufeff") and text.splitlines()[-1].startswith("1 not shown")
    first, second, third = list(csv.DictReader(io.StringIO(text)))[:3]
    assert tuple(first) == HEADS
    assert (first["began"], first["ended"]) == ("2026-10-20T22:00:00+02:00", "2026-10-21T00:00:00+02:00")
    assert second["began"] == "2026-10-28T21:00:00+01:00"
    assert (first["kwh"], first["meter_began_kwh"], first["meter_ended_kwh"]) == ("7.000", "100.000", "107.000")
    assert (first["off_peak_kwh"], first["other_kwh"], first["cost"], first["currency"]) == (
        "7.000",
        "0.000",
        "1.26",
        "EUR",
    )
    assert (first["vehicle"], first["vehicle_known_by"]) == ("'=cmd()", "driver")
    assert (second["vehicle"], second["vehicle_known_by"], second["off_peak_kwh"]) == ("Zoé", "account", "3.500")
    assert (third["time_known"], third["cost"], third["currency"], third["vehicle"]) == ("no", "", "", "")


# --- PDF --------------------------------------------------------------------------------------------------------------


def pages_of(report: MonthlyReport) -> list[str]:
    reader = pypdf.PdfReader(io.BytesIO(report_pdf(report)))
    return [" ".join(page.extract_text().split()) for page in reader.pages]


def test_the_pdf_can_be_searched_for_all_that_it_says() -> None:
    meter = {"meter_began_wh": 100_000, "meter_ended_wh": 107_000}
    some = [
        stored(1, FROM_MS + DAY_MS, 7200, 7000, vehicle_said="Škoda Enyaq, B-ÄÖ 12 E", **meter),
        stored(2, FROM_MS + 2 * DAY_MS, 7200, 500, vehicle="ЗАЗ Ελλάς"),
    ]
    (text,) = pages_of(made(some))
    for words in (
        *("Charging report, October 2026", "Garage Süd (CK-0001)", "Jürgen Groß", "Europe/Berlin", "32.17 cents"),
        *("Škoda Enyaq, B-ÄÖ 12 E", "ЗАЗ Ελλάς", "7.000", "100.000", "107.000", "Fri 2 Oct, 00:00", "Off-peak"),
        *("2 sessions", "7.500 kWh", "EUR 1.35", "page 1 of 1"),
    ):
        assert words in text, words
    assert METER.split(":")[0] in text


def test_the_pdf_is_a4_in_english_with_a_title() -> None:
    reader = pypdf.PdfReader(io.BytesIO(report_pdf(made([]))))
    box = reader.pages[0].mediabox
    assert (round(box.width), round(box.height)) == (842, 595)
    assert reader.metadata is not None and reader.metadata.title == "Charging report, October 2026"
    assert str(reader.root_object["/Lang"]) == "en-GB"
    assert "No session began in this time." in reader.pages[0].extract_text()


def test_a_month_of_500_sessions_and_names_of_100_characters_stay_on_their_pages() -> None:
    long = "W" * 100
    some = [stored(n, FROM_MS + n * 4_000_000, 3000, 7000, vehicle_said=f"{long[:50]} {n % 40}") for n in range(500)]
    report = made(some, of=about(unit_name=long, reader=long))
    written = report_pdf(report)
    assert len(written) < 200_000
    texts = pages_of(report)
    assert len(texts) < 25 and texts[-1].endswith(f"page {len(texts)} of {len(texts)}")
    assert sum(len(re.findall(r"\b7\.000\b", text)) for text in texts) >= 500
    layout = Layout(report, lambda words, _font, size: len(words) * size * 0.6)
    for one in (text for page in layout.pages for text in page):
        assert MARGIN <= one.x <= RIGHT and BOTTOM - 12 <= one.y <= TOP, one


def test_the_longest_report_is_bounded() -> None:
    some = [stored(n, FROM_MS + n * 2_000_000, 3000, 7000) for n in range(MAX_BEGUN)]
    assert len(report_pdf(made(some, left_out=True))) < 300_000


def test_nobody_s_vehicle_comes_last() -> None:
    some = [stored(n, FROM_MS, 1, 1, vehicle=name) for n, name in enumerate(["Zoe", None, "Ape"])]
    assert [one.name for one in made(some).by_vehicle] == ["Ape", "Zoe", UNKNOWN_VEHICLE]


def test_a_process_that_makes_no_report_does_not_import_what_draws_it() -> None:
    modules = "cloud_bridge.alerts.delivery, cloud_bridge.web.pages.driver.monthly_report"
    asked = f"import sys, {modules}; print([one for one in ('reportlab', 'PIL', 'font_roboto') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
