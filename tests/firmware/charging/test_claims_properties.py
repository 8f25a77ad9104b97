"""Whatever owner, cloud, clock and mains do: is no claim held too long, and is nothing delayed without a reason?"""

from hypothesis import given
from hypothesis import strategies as st

from firmware.charging import schedule
from firmware.charging.claims import LEASE_MS, Claims
from firmware.charging.delay import LONGEST_S
from firmware.charging.limits import Claim

HOURS = (schedule.read("default"), (), schedule.read("mon-sun 00:00-24:00"))
MOMENTS = st.tuples(
    st.integers(20, 700_000),  # ms since the previous step
    st.sampled_from([None, 1, 1, 1, 2]),  # session
    st.sampled_from(HOURS),
    st.sampled_from([None, 0, 10]),  # amperes that the cloud claims
    st.booleans(),  # does the unit have the time?
    st.sampled_from([None, None, "override", "skip"]),
)


Moment = tuple[int, int | None, tuple[object, ...], int | None, bool, str | None]


@given(st.lists(MOMENTS, max_size=60), st.integers(0, LONGEST_S), st.booleans())
def test_any_day(moments: list[Moment], drawn: int, resumed: bool) -> None:
    subject = Claims(lambda: drawn)
    now_ms = 0
    for passed_ms, session, hours, amps, knows, act in moments:
        now_ms += passed_ms
        subject.hours = hours
        subject.cloud = None if amps is None else Claim("cloud", amps, now_ms + 300_000, "ordered", None)
        if act == "override":
            subject.override = session
        elif act == "skip":
            subject.skip_delay(now_ms)
        epoch_s = 1_768_176_000 + now_ms // 1000 if knows else None
        made = subject.step(now_ms, epoch_s, session, resumed)
        sources = [claim.source for claim in made]

        assert len(sources) == len(set(sources))
        assert all(claim.until_ms is not None and now_ms < claim.until_ms <= now_ms + LEASE_MS for claim in made)
        assert ("override" in sources) == (subject.override is not None) and subject.override in (None, session)
        assert subject.delay.left_s(now_ms) <= drawn
        wanted = {"cloud"} if amps is not None else set()
        if schedule.avoided_until(hours, epoch_s) is not None:
            wanted.add("schedule")
        delayed = set(sources) - {"override"} != wanted
        if delayed:
            assert hours and session is not None and subject.override is None, "nothing asks for a delay here"
            assert subject.delay.running()
