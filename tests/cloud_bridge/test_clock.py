"""Does our time follow the wall clock, report its steps, and otherwise only move forward?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.clock import SLEWED_MS, STEP_MS, Step, SystemClock
from cloud_bridge.durations import DAY_MS, HOUR_MS

ANY_STEP = [30_000, 12 * HOUR_MS, 30 * DAY_MS, 400 * DAY_MS, 50 * 365 * DAY_MS]


class Machine:
    """Both clocks of a machine; `step` only moves the wall clock."""

    def __init__(self) -> None:
        self.wall_ms = 1_767_225_600_000
        self.monotonic_ms = 5000
        self.steps: list[Step] = []

    def passes(self, ms: int) -> None:
        self.wall_ms += ms
        self.monotonic_ms += ms

    def step(self, ms: int) -> None:
        self.wall_ms += ms

    def clock(self, floor_ms: int = 0) -> SystemClock:
        clock = SystemClock(floor_ms, lambda: self.wall_ms, lambda: self.monotonic_ms)
        clock.on_step(self.steps.append)
        return clock


def test_it_is_the_wall_clock_while_nobody_touches_that() -> None:
    machine = Machine()
    clock = machine.clock()
    for _ in range(100):
        machine.passes(977)
        assert clock.now_ms() == machine.wall_ms
    assert machine.steps == []


@pytest.mark.parametrize("by_ms", ANY_STEP)
def test_a_step_forward_is_followed_at_once(by_ms: int) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.passes(1000)
    machine.step(by_ms)
    assert clock.now_ms() == machine.wall_ms
    assert machine.steps == [Step(machine.wall_ms, by_ms)]


@pytest.mark.parametrize("by_ms", ANY_STEP[1:])
def test_a_large_step_back_is_followed_at_once(by_ms: int) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.step(by_ms)
    clock.now_ms()
    machine.passes(1000)
    machine.step(-by_ms)
    assert clock.now_ms() == machine.wall_ms
    assert machine.steps[1:] == [Step(machine.wall_ms, -by_ms)]


def test_a_small_step_back_is_worked_off_a_tenth_at_a_time() -> None:
    machine = Machine()
    clock = machine.clock()
    before_ms = clock.now_ms()
    machine.step(-SLEWED_MS)
    assert clock.now_ms() == before_ms, "not back"
    machine.passes(SLEWED_MS)
    assert clock.now_ms() == before_ms + SLEWED_MS * 9 // 10
    machine.passes(9 * SLEWED_MS)
    assert clock.now_ms() == machine.wall_ms
    assert machine.steps == []


def test_small_steps_back_do_not_add_up_to_a_large_one() -> None:
    machine = Machine()
    clock = machine.clock()
    for _ in range(4):
        machine.step(-SLEWED_MS // 2)
        clock.now_ms()
    assert clock.now_ms() - machine.wall_ms <= SLEWED_MS
    assert sum(step.by_ms for step in machine.steps) <= -SLEWED_MS


def test_a_small_step_back_that_is_put_right_leaves_nothing() -> None:
    machine = Machine()
    clock = machine.clock()
    for ms in (-SLEWED_MS, SLEWED_MS):
        machine.step(ms)
        clock.now_ms()
    machine.passes(1000)
    assert clock.now_ms() == machine.wall_ms
    assert machine.steps == []


def test_a_restart_after_a_small_step_back_starts_where_the_process_before_ended() -> None:
    machine = Machine()
    assert machine.clock(machine.wall_ms + SLEWED_MS).now_ms() == machine.wall_ms + SLEWED_MS


@pytest.mark.parametrize("ahead_ms", [SLEWED_MS + 1, *ANY_STEP[1:]])
def test_a_store_from_the_future_does_not_move_us_there(ahead_ms: int) -> None:
    machine = Machine()
    assert machine.clock(machine.wall_ms + ahead_ms).now_ms() == machine.wall_ms


@given(st.lists(st.tuples(st.integers(0, HOUR_MS), st.integers(-HOUR_MS, HOUR_MS)), max_size=40))
def test_its_time_is_what_has_passed_and_the_steps_that_it_told(changes: list[tuple[int, int]]) -> None:
    """It never differs from the wall clock by more than a small step back."""
    machine = Machine()
    clock = machine.clock()
    told_ms, noticed = clock.now_ms(), 0
    for passed_ms, step_ms in changes:
        machine.passes(passed_ms)
        machine.step(step_ms)
        now_ms = clock.now_ms()
        assert now_ms >= told_ms + sum(step.by_ms for step in machine.steps[noticed:]) - STEP_MS
        assert 0 <= now_ms - machine.wall_ms <= SLEWED_MS + STEP_MS
        told_ms, noticed = now_ms, len(machine.steps)
