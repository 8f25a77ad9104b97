"""Is the unit's health reported once a day, and are settings confirmed after ten minutes?"""

from firmware import daily_report
from firmware.daily_report import DAY_MS, LIVED_MS, DailyReport
from tests.firmware.link.fake_clock import FakeClock


class Rest:
    """Replaces exchange, settings, health with its journal, and memory."""

    worst_ms = 20
    cause, crashes = "soft", 2
    dropped = damaged = kept = 0
    closings = 1234
    air_bytes = 0

    @property
    def journal(self):
        return self

    outbox = traffic = journal

    def guard_openings(self):
        return 3

    def free(self):
        return 50000

    def largest_block(self):
        return 20000

    def keep_as_good(self):
        self.kept += 1


def daily():
    clock, rest = FakeClock(), Rest()
    daily_report.memory = rest
    told: list = []
    return (
        clock,
        rest,
        told,
        DailyReport(clock, rest, rest, rest, lambda *event: told.append(event)),
    )


def test_once_a_day_with_the_worst_of_the_day():
    clock, rest, told, kept = daily()
    for hour in range(49):
        clock.now = hour * DAY_MS // 24
        rest.worst_ms = 35 if hour == 5 else 20
        rest.air_bytes += 1000
        kept.poll()
    assert [kind for kind, _ in told] == ["day", "day"]
    assert [said["loop_worst_ms"] for _, said in told] == [35, 20]
    assert [said["air"] for _, said in told] == [25000, 24000]
    first = told[0][1]
    assert first["cause"] == "soft" and first["crashes"] == 2 and first["up_h"] == 24
    assert first["guard"] == 3 and first["closings"] == 1234
    assert first["heap_floor"] == 50000 and first["heap_block"] == 20000


def test_settings_are_good_after_ten_minutes_and_once():
    clock, rest, told, kept = daily()
    for now_ms in (0, LIVED_MS - 1):
        clock.now = now_ms
        kept.poll()
    assert rest.kept == 0
    for _ in range(3):
        clock.now = LIVED_MS
        kept.poll()
    assert rest.kept == 1
