"""Does verified time advance with real time, whatever the wall clock shows, and only jump with two witnesses?"""

import pytest

from cloud_bridge.clock import Step
from cloud_bridge.contact import Listened
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.verified_time import AGREES_MS, DOUBT_MS, Bounds, VerifiedTime, latest_at_start
from tests.cloud_bridge.running import START_MS, Machine

YEAR_MS = 365 * DAY_MS


def started(machine: Machine, kept_ms: int | None, units: int = 10, echoes: tuple[str, ...] = ()) -> VerifiedTime:
    clock = machine.clock()
    verified = VerifiedTime(clock, None if kept_ms is None else Bounds(kept_ms, 0), units, echoes)
    clock.on_step(verified.stepped)
    return verified


@pytest.mark.parametrize("by_ms", [-50 * YEAR_MS, -MINUTE_MS, MINUTE_MS, 50 * YEAR_MS])
def test_it_goes_on_by_what_has_passed(by_ms: int) -> None:
    machine = Machine()
    verified = started(machine, START_MS)
    machine.set_by(by_ms)
    machine.advance(HOUR_MS)
    assert verified.now_ms() == START_MS + HOUR_MS


def test_the_time_between_two_processes_does_not_count_before_units_agree() -> None:
    machine = Machine()
    verified = started(machine, START_MS - 3 * DAY_MS)
    assert verified.unverified_ms == 3 * DAY_MS
    for unit in ("a", "b", "b", "b"):
        verified.witness(unit, START_MS + AGREES_MS, START_MS)
    assert verified.now_ms() == START_MS - 3 * DAY_MS, "two are too few"
    verified.witness("c", START_MS - AGREES_MS, START_MS)
    assert verified.now_ms() == START_MS


def test_in_a_small_fleet_all_units_are_enough() -> None:
    verified = started(Machine(), START_MS - DAY_MS, units=1)
    verified.witness("a", START_MS, START_MS)
    assert verified.now_ms() == START_MS


def test_units_that_disagree_move_nothing() -> None:
    verified = started(Machine(), START_MS - DAY_MS, units=1)
    verified.witness("a", START_MS - DAY_MS, START_MS)
    assert verified.now_ms() == START_MS - DAY_MS


def test_one_that_changes_its_mind_does_not_count() -> None:
    verified = started(Machine(), START_MS - DAY_MS)
    for unit, told_ms in (("a", START_MS), ("b", START_MS), ("b", 0), ("c", START_MS)):
        verified.witness(unit, told_ms, START_MS)
    assert verified.now_ms() == START_MS - DAY_MS


def test_an_echo_of_our_own_clock_is_no_witness() -> None:
    verified = started(Machine(), START_MS - DAY_MS, units=1, echoes=("a",))
    verified.witness("a", START_MS, START_MS)
    verified.told("b")
    verified.witness("b", START_MS, START_MS)
    assert verified.now_ms() == START_MS - DAY_MS
    assert verified.is_wrong_echo("b", START_MS, START_MS + DAY_MS)
    assert not verified.is_wrong_echo("b", START_MS, START_MS)
    assert not verified.is_wrong_echo("c", START_MS, START_MS + DAY_MS)


def test_what_was_said_before_a_step_is_void() -> None:
    machine = Machine()
    verified = started(machine, START_MS - DAY_MS)
    for unit in ("a", "b"):
        verified.witness(unit, START_MS, START_MS)
    verified.stepped(Step(START_MS, YEAR_MS))
    verified.witness("c", START_MS, START_MS)
    assert verified.now_ms() == START_MS - DAY_MS


def test_a_wall_clock_that_is_behind_for_a_day_is_right() -> None:
    """Otherwise a first start with a clock 50 years ahead would last for 50 years."""
    machine = Machine()
    verified = started(machine, START_MS + 50 * YEAR_MS)
    verified.look()
    machine.advance(DOUBT_MS - 1)
    verified.look()
    assert verified.unverified_ms == -50 * YEAR_MS
    machine.advance(1)
    verified.look()
    assert verified.unverified_ms == 0


def test_a_wall_clock_that_is_behind_for_a_moment_moves_nothing() -> None:
    machine = Machine(START_MS - 50 * YEAR_MS)
    verified = started(machine, START_MS)
    verified.look()
    machine.advance(DOUBT_MS // 2)
    verified._clock.now_ms()
    machine.set_by(50 * YEAR_MS)
    verified._clock.now_ms()
    machine.advance(DOUBT_MS)
    verified.look()
    assert verified.now_ms() == START_MS + DOUBT_MS * 3 // 2


def test_a_wall_clock_ahead_moves_nothing_however_long() -> None:
    machine = Machine(START_MS + YEAR_MS)
    verified = started(machine, START_MS)
    for _ in range(10):
        machine.advance(DAY_MS)
        verified.look()
    assert verified.now_ms() == START_MS + 10 * DAY_MS


@pytest.mark.parametrize("by_ms", [-50 * YEAR_MS, -MINUTE_MS, MINUTE_MS, 50 * YEAR_MS])
def test_how_late_it_may_be_goes_on_by_what_has_passed_too(by_ms: int) -> None:
    machine = Machine()
    verified = started(machine, START_MS)
    machine.set_by(by_ms)
    machine.advance(HOUR_MS)
    assert verified.latest_ms() == START_MS + HOUR_MS


@pytest.mark.parametrize(
    ("before", "latest_ms"),
    [
        (None, START_MS),
        (Listened(START_MS - DAY_MS, 0, START_MS - DAY_MS), START_MS),
        (Listened(START_MS - DAY_MS, 0, START_MS - 2 * DAY_MS), START_MS),
        (Listened(START_MS - DAY_MS, 0, START_MS + DAY_MS), START_MS + 2 * DAY_MS),
        (Listened(START_MS + DAY_MS, 0, START_MS + DAY_MS), START_MS + DAY_MS),
        (Listened(START_MS + DAY_MS, 0, START_MS + 3 * DAY_MS), START_MS + 3 * DAY_MS),
    ],
    ids=["first", "a day off", "was ahead", "was behind: put right, or a day off", "set back", "behind and set back"],
)
def test_how_late_it_may_be_when_a_process_begins(before: Listened | None, latest_ms: int) -> None:
    assert latest_at_start(START_MS, before) == latest_ms


def test_how_late_it_may_be_is_what_units_say_once_they_agree() -> None:
    verified = VerifiedTime(Machine().clock(), Bounds(START_MS, START_MS + HOUR_MS), 1)
    verified.witness("a", START_MS + HOUR_MS, START_MS)
    assert verified.latest_ms() == START_MS + HOUR_MS
    verified.witness("a", START_MS, START_MS)
    assert (verified.now_ms(), verified.latest_ms()) == (START_MS, START_MS)


def test_a_wall_clock_that_may_be_behind_for_a_day_is_right_and_verified_time_stays() -> None:
    """Verified time does not advance while we do not run."""
    machine = Machine()
    verified = VerifiedTime(machine.clock(), Bounds(START_MS - 3 * DAY_MS, START_MS + HOUR_MS))
    verified.look()
    machine.advance(DOUBT_MS)
    verified.look()
    assert verified.now_ms() == START_MS - 2 * DAY_MS
    assert verified.latest_ms() == START_MS + DOUBT_MS
