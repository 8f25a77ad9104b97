"""Does our time only ever move forward, and end up at the wall clock's?"""

from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.clock import MAX_AHEAD_MS, SystemClock
from cloud_bridge.durations import HOUR_MS


class Machine:
    """Both clocks of a machine; `step` moves only the one on the wall."""

    def __init__(self) -> None:
        self.wall_ms = 1_767_225_600_000
        self.monotonic_ms = 5000

    def passes(self, ms: int) -> None:
        self.wall_ms += ms
        self.monotonic_ms += ms

    def step(self, ms: int) -> None:
        self.wall_ms += ms

    def clock(self, floor_ms: int = 0) -> SystemClock:
        return SystemClock(floor_ms, lambda: self.wall_ms, lambda: self.monotonic_ms)


def test_it_is_the_wall_clock_while_nobody_touches_that() -> None:
    machine = Machine()
    clock = machine.clock()
    for _ in range(100):
        machine.passes(977)
        assert clock.now_ms() == machine.wall_ms
    assert clock.steps == 0


def test_a_step_forward_is_followed_at_once() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.step(HOUR_MS)
    assert clock.now_ms() == machine.wall_ms
    assert clock.steps == 1


def test_a_step_back_is_worked_off_a_tenth_at_a_time() -> None:
    machine = Machine()
    clock = machine.clock()
    before_ms = clock.now_ms()
    machine.step(-HOUR_MS)
    assert clock.now_ms() == before_ms, "not back"
    machine.passes(HOUR_MS)
    assert clock.now_ms() == before_ms + HOUR_MS * 9 // 10
    machine.passes(9 * HOUR_MS)
    assert clock.now_ms() == machine.wall_ms


def test_a_step_back_that_is_put_right_leaves_nothing() -> None:
    machine = Machine()
    clock = machine.clock()
    for ms in (-HOUR_MS, HOUR_MS):
        machine.step(ms)
        clock.now_ms()
    machine.passes(1000)
    assert clock.now_ms() == machine.wall_ms


def test_a_restart_after_a_step_back_starts_where_the_process_before_ended() -> None:
    machine = Machine()
    assert machine.clock(machine.wall_ms + HOUR_MS).now_ms() == machine.wall_ms + HOUR_MS


def test_a_store_from_the_far_future_does_not_move_us_there() -> None:
    machine = Machine()
    assert machine.clock(machine.wall_ms + MAX_AHEAD_MS + 1).now_ms() == machine.wall_ms


@given(st.lists(st.tuples(st.integers(0, HOUR_MS), st.integers(-HOUR_MS, HOUR_MS)), max_size=40))
def test_it_never_goes_back(changes: list[tuple[int, int]]) -> None:
    machine = Machine()
    clock = machine.clock()
    told_ms = clock.now_ms()
    for passed_ms, step_ms in changes:
        machine.passes(passed_ms)
        machine.step(step_ms)
        assert told_ms <= clock.now_ms()
        told_ms = clock.now_ms()
