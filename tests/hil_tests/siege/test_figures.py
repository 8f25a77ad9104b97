"""Is each figure of a siege marked as broken if it exceeds its limit, and only then?"""

import pytest

from hil_tests.siege.figures import (
    LOG_LIMIT_KB_PER_MIN,
    MEMORY_LIMIT_MB,
    PAGE_P99_LIMIT_MS,
    UNACKNOWLEDGED_LIMIT_S,
    Seen,
    figures,
    p99,
)

AT_THE_BOUNDS = Seen(
    minutes=2.0,
    unit_waits_s=[0.01] * 500 + [UNACKNOWLEDGED_LIMIT_S],
    records_lost=0,
    page_times_s=[0.01] * 98 + [PAGE_P99_LIMIT_MS / 1000] * 2,
    pages_failed=0,
    server_errors=0,
    faults=0,
    log_faults=0,
    log_bytes=int(2 * 1000 * LOG_LIMIT_KB_PER_MIN),
    memory_mb=[100.0, MEMORY_LIMIT_MB, 90.0],
    duties_late=0,
)


def test_what_is_at_its_bound_holds() -> None:
    assert [str(one) for one in figures(AT_THE_BOUNDS) if one.is_broken] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("unit_waits_s", [0.01] * 500 + [UNACKNOWLEDGED_LIMIT_S + 0.1]),
        ("records_lost", 1),
        ("page_times_s", [0.01] * 98 + [PAGE_P99_LIMIT_MS / 1000 + 0.001] * 2),
        ("pages_failed", 1),
        ("server_errors", 1),
        ("faults", 1),
        ("log_faults", 1),
        ("log_bytes", int(2 * 1000 * LOG_LIMIT_KB_PER_MIN) + 100),
        ("memory_mb", [100.0, MEMORY_LIMIT_MB + 0.1, 90.0]),
        ("duties_late", 1),
    ],
)
def test_beyond_a_bound_one_figure_breaks(field: str, value: object) -> None:
    broken = [str(one) for one in figures(AT_THE_BOUNDS._replace(**{field: value})) if one.is_broken]  # type: ignore[arg-type]
    assert len(broken) == 1
    assert broken[0].endswith("BROKEN")


def test_one_percent_may_be_slower_than_the_p99() -> None:
    assert p99([*range(100), 1000]) == 99
    assert p99([7.0]) == 7.0
