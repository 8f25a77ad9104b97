"""Does the London clock agree with the time zone database at any second from 2002 to 2099?"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from firmware.charging import uk_time

LONDON = ZoneInfo("Europe/London")
SECONDS = st.integers(
    int(datetime(2002, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2099, 12, 31, tzinfo=UTC).timestamp())
)


@given(SECONDS)
def test_any_second(epoch_s: int) -> None:
    there = datetime.fromtimestamp(epoch_s, LONDON)
    assert uk_time.local(epoch_s) == (there.weekday(), there.hour * 3600 + there.minute * 60 + there.second)
