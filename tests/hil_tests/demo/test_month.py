"""Could a unit have sent the demo's month of history?"""

import json
from itertools import pairwise

import pytest

from cloud_bridge.wire import decode
from hil_tests.demo.month import DAY_MS, DAYS, month_before

NOW_MS = 1_767_225_600_000
SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_records_can_be_read_by_the_cloud(seed: int) -> None:
    """As messages of its own wire format?"""
    month = month_before(NOW_MS, seed)
    for kind, records in (("session", month.sessions), ("event", month.events)):
        for record in records:
            told = {key: value for key, value in record.items() if key != "received_ms"}
            decode(kind, json.dumps(told).encode())


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_lies_within_the_month_and_in_order(seed: int) -> None:
    """No session overlaps another, none charges for longer than it lasts, and no signal was received in a silence?"""
    month = month_before(NOW_MS, seed)
    assert len(month.sessions) >= 10
    begin_ms = NOW_MS - (DAYS + 1) * DAY_MS
    for before, after in pairwise(month.sessions):
        assert before["t1"] < after["t0"]
    for session in month.sessions:
        assert begin_ms / 1000 <= session["t0"] < session["t1"] < NOW_MS / 1000
        assert session["s"] <= session["t1"] - session["t0"]
    for from_ms, to_ms in month.contact_gaps:
        assert not [row for row in month.signal_5min if from_ms <= row[0] < to_ms]
    for at_ms, _, lowest, highest, total, samples in month.signal_5min:
        assert begin_ms <= at_ms < NOW_MS
        assert 0 <= lowest * samples <= total <= highest * samples <= 31 * samples


def test_the_meter_has_counted_the_sessions() -> None:
    month = month_before(NOW_MS)
    assert month.energy_wh == sum(session["e"] for session in month.sessions) > 50_000


def test_the_same_seed_gives_the_same_month() -> None:
    assert month_before(NOW_MS, 7) == month_before(NOW_MS, 7) != month_before(NOW_MS, 8)
