"""Does the checks' parser of hours to avoid read what people write?"""

from datetime import UTC, datetime

import pytest

from hil_tests.years.hours import avoids


@pytest.mark.parametrize(
    ("text", "at", "is_avoided"),
    [
        ("off", "2027-01-04 09:00", False),
        ("default", "2027-01-04 09:00", True),  # a Monday
        ("default", "2027-01-02 09:00", False),
        ("default", "2027-01-04 22:00", False),
        ("mon-sun 18:00-18:40", "2027-01-03 18:39", True),
        ("mon-sun 18:00-18:40", "2027-06-06 17:00", True),  # by local time, in summer
        ("mon 08:00-09:00; sat 10:00-12:00", "2027-01-02 11:59", True),
    ],
)
def test_hours_are_local(text: str, at: str, is_avoided: bool) -> None:
    assert avoids(text, datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()) is is_avoided


def test_what_is_no_schedule_raises() -> None:
    with pytest.raises(ValueError):
        avoids("nonsense at all", 0)
