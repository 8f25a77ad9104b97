"""Is the start of a fault shown correctly, in whatever order its events arrive?"""

from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.support.fault_times import CLEARED, RAISED, FaultTime, fault_times, set_since
from cloud_bridge.support.unit_events import UnitEvent

CHANGES = st.lists(st.tuples(st.sampled_from([RAISED, CLEARED]), st.sampled_from(["meter", "pilot", "", 7, None])))


def events(changes: list[tuple[str, object]]) -> list[UnitEvent]:
    return [UnitEvent(at_ms, kind, {"fault": name}) for at_ms, (kind, name) in enumerate(changes)]


def test_a_fault_that_comes_back_counts_from_its_return() -> None:
    times = fault_times(events([(RAISED, "meter"), (RAISED, "pilot"), (CLEARED, "meter"), (RAISED, "meter")]))
    assert times == [FaultTime("meter", 0, 2), FaultTime("pilot", 1, None), FaultTime("meter", 3, None)]
    assert set_since(times, ["meter"]) == {"meter": 3}, "the heartbeat has no pilot fault: a restart forgot it"


def test_one_that_is_raised_again_goes_on() -> None:
    assert fault_times(events([(RAISED, "rcd_dc"), (RAISED, "rcd_dc")])) == [FaultTime("rcd_dc", 0, None)]


@given(CHANGES)
def test_no_time_ends_before_it_began_and_one_fault_is_set_once(changes: list[tuple[str, object]]) -> None:
    times = fault_times(events(changes))
    assert all(time.to_ms is None or time.from_ms < time.to_ms for time in times)
    still_set = [time.name for time in times if time.to_ms is None]
    assert len(still_set) == len(set(still_set))
    assert sorted(times, key=lambda time: time.from_ms) == times
