"""Are two charge points with one identity always distinguished from one whose connection or memory has a problem?

IDENTITY_STORIES sets how many stories of either kind hypothesis makes (`make fuzz`: 10,000); a failure prints the story.
"""

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.duplicate_identity import (
    CONCLUSIVE,
    LATE_MS,
    MAX_COUNTS,
    MAX_RETURNS,
    WITHIN_MS,
    Connection,
    Counts,
    Evidence,
    Numbered,
    Record,
    compare,
    compare_record,
    evidence,
)
from cloud_bridge.durations import HOUR_MS, MINUTE_MS

START_MS = 1_767_225_600_000
FEW = 300
STORIES = int(os.environ.get("IDENTITY_STORIES", FEW))
TURN_MS = MINUTE_MS

Heard = tuple[int, int]  # boot and sequence


def found(heartbeats: Sequence[Numbered]) -> int | None:
    """Return after how many heartbeats the verdict is "two"; None: never."""
    if not heartbeats:
        return None
    counts = Counts((heartbeats[0],))
    for number, heartbeat in enumerate(heartbeats[1:], 2):
        counts = compare(counts, heartbeat).counts
        assert len(counts.newest) <= MAX_COUNTS
        assert len(counts.returns) <= MAX_RETURNS
        if evidence(counts, heartbeat.received_ms) is not None:
            return number
    return None


def each_minute(*heard: Heard, knows_time: bool = True, every_ms: int = TURN_MS) -> list[Numbered]:
    """Return these heartbeats as an external broker delivers them, one every `every_ms`."""
    times = range(START_MS, START_MS + len(heard) * every_ms, every_ms)
    return [
        Numbered(*numbers, at_ms // 1000 if knows_time else None, at_ms, None)
        for numbers, at_ms in zip(heard, times, strict=True)
    ]


def over(heartbeats: Sequence[Numbered], *connections: Connection) -> list[Numbered]:
    return [one._replace(connection=via) for one, via in zip(heartbeats, connections, strict=True)]


def turns(first: Heard, second: Heard, count: int) -> list[Heard]:
    """Return the heartbeats of two boards in turn, each with its own count."""
    return [(boot, sequence + turn // 2) for turn in range(count) for boot, sequence in [(first, second)[turn % 2]]]


# --- one by one, as the table of the module has them -------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [((17, 5), (4, 9)), ((17, 500), (17, 3)), ((4, 9), (9000, 0))])
@pytest.mark.parametrize("knows_time", [True, False])
def test_two_that_take_turns_are_found_by_their_counts_alone(first: Heard, second: Heard, knows_time: bool) -> None:
    heartbeats = each_minute(*turns(first, second, 12), knows_time=knows_time)
    assert found(heartbeats) == CONCLUSIVE + 2, "the first turn of each is no return"


@pytest.mark.parametrize(("first", "second"), [((17, 5), (4, 9)), ((17, 500), (17, 3))])
def test_take_overs_halve_what_it_takes(first: Heard, second: Heard) -> None:
    connections = [Connection(number, took_over=number > 1) for number in range(1, 13)]
    assert found(over(each_minute(*turns(first, second, 12)), *connections)) == CONCLUSIVE // 2 + 2


def test_copies_in_step_are_found_by_one_number_with_two_times() -> None:
    heard = [(17, 5 + turn // 2) for turn in range(24)]
    assert found(each_minute(*heard)) == 2 * CONCLUSIVE
    assert found(each_minute(*heard, knows_time=False)) is None, "may be the same message twice"


def test_three_with_one_identity_are_found_too() -> None:
    heard = [(boot, 5 + turn) for turn in range(6) for boot in (17, 4, 9)]
    number = found(each_minute(*heard))
    assert number is not None and number <= CONCLUSIVE + 4


def test_the_verdict_names_both_boot_counts_and_the_time_of_the_first_return() -> None:
    counts = Counts((each_minute((17, 5))[0],))
    heartbeats = each_minute(*turns((17, 5), (4, 9), 9))
    for heartbeat in heartbeats[1:]:
        counts = compare(counts, heartbeat).counts
    verdict = evidence(counts, heartbeats[-1].received_ms)
    assert isinstance(verdict, Evidence)
    assert (verdict.boot, verdict.other_boot) == (17, 4)
    assert verdict.returns[0].at_ms == heartbeats[2].received_ms
    assert evidence(counts, heartbeats[-1].received_ms + WITHIN_MS + 1) is None, "it was too long ago"


INNOCENT = {
    "a restart every minute": [(boot, 1) for boot in range(17, 40)],
    "restarts without a connection between": [(17, 5), (60, 1), (61, 1), (140, 3)],
    "a count of months": [(17, sequence) for sequence in range(0, 200_000, 9_000)],
    "replaced once": [(17, 5), (17, 6), *((4, sequence) for sequence in range(20))],
    "replaced, and the boot counts pass the old one": [(17, 5), *((boot, 9) for boot in range(4, 30))],
    "erased again and again": [(boot, n) for boot in (300_001, 12_345_678, 500, 99_000_000) for n in (1, 2, 3)],
    "replaced, and put back": [(17, 5), (4, 9), (4, 10), (17, 6), (17, 7)],
    "a flash that cannot count": [
        (0, first + n) for first in random.Random(15).sample(range(2**30), 60) for n in (0, 1)
    ],
    "the same message again and again": [(17, 5)] * 20,
}


@pytest.mark.parametrize("heard", INNOCENT.values(), ids=INNOCENT)
def test_one_charge_point_is_never_taken_for_two(heard: list[Heard]) -> None:
    same_time = each_minute(*heard) if len(set(heard)) > 1 else [each_minute(heard[0])[0]] * len(heard)
    for heartbeats in (same_time, each_minute(*heard, knows_time=False)):
        assert found(heartbeats) is None
        connections = [Connection(number, took_over=True) for number in range(len(heard))]
        assert found(over(heartbeats, *connections)) is None


def test_a_board_that_is_tried_out_against_a_spare_one_twice_is_not_two() -> None:
    """Exchanging boards takes longer than ALIVE_MS, so no live connection is taken over."""
    heard = [(17, 5), (4, 9), (17, 6), (4, 10), (17, 7), (17, 8)]
    connections = [Connection(number, took_over=False) for number in range(len(heard))]
    assert found(over(each_minute(*heard), *connections)) is None
    assert found(each_minute(*heard)) is None


def test_a_modem_that_reconnects_all_day_takes_over_only_itself() -> None:
    heard = [(17, sequence) for sequence in range(500)]
    connections = [Connection(number, took_over=True) for number in range(500)]
    assert found(over(each_minute(*heard, every_ms=5000), *connections)) is None


def test_what_comes_over_one_connection_is_of_one_charge_point() -> None:
    heartbeats = each_minute(*turns((17, 5), (4, 9), 40))
    assert found(over(heartbeats, *[Connection(1, took_over=True)] * 40)) is None


@pytest.mark.parametrize("knows_time", [True, False])
def test_what_a_broker_delivers_out_of_order_is_no_return(knows_time: bool) -> None:
    """Every other message is overtaken by the next one, also across a restart."""
    heard = [(boot, sequence) for boot in (17, 18) for sequence in range(40)]
    heartbeats = each_minute(*heard, knows_time=knows_time, every_ms=LATE_MS - 1000)
    swapped = [heartbeats[at ^ 1] for at in range(len(heartbeats))]
    received = [one._replace(received_ms=heartbeats[at].received_ms) for at, one in enumerate(swapped)]
    assert found(received) is None


def test_turns_of_months_apart_are_not_counted_together() -> None:
    heartbeats = each_minute(*turns((17, 5), (4, 9), 60), every_ms=WITHIN_MS // 4)
    assert found(heartbeats) is None


def test_a_clock_that_is_set_changes_nothing() -> None:
    heartbeats = each_minute(*turns((17, 5), (4, 9), 12))
    counts = Counts((heartbeats[0],))
    for heartbeat in heartbeats[1:6]:
        counts = compare(counts, heartbeat).counts
    by_ms = -400 * 24 * HOUR_MS
    counts = counts.stepped(by_ms)
    for heartbeat in heartbeats[6:8]:
        counts = compare(counts, heartbeat._replace(received_ms=heartbeat.received_ms + by_ms)).counts
    assert evidence(counts, heartbeats[7].received_ms + by_ms) is not None


RECORD = Record(17, 7, content=1, unit_time_s=1000, connection=Connection(1, True))
ELSEWHERE = RECORD._replace(connection=Connection(2, True))


@pytest.mark.parametrize(
    ("record", "is_return"),
    [
        (ELSEWHERE._replace(content=2), True),
        (ELSEWHERE._replace(unit_time_s=1030), True),
        (ELSEWHERE._replace(unit_time_s=None, content=2), True),
        (ELSEWHERE, False),  # delivered again, because its acknowledgement was lost
        (ELSEWHERE._replace(unit_time_s=None), False),
        (ELSEWHERE._replace(unit_time_s=1001), False),
        (ELSEWHERE._replace(sequence=8, content=2), False),
        (ELSEWHERE._replace(sequence=6, content=2), False),  # an outbox may deliver in any order
        (ELSEWHERE._replace(boot=16, content=2), False),
        (RECORD._replace(content=2), False),  # over one connection
    ],
)
def test_two_records_under_one_number_are_a_return_and_one_delivered_twice_is_not(
    record: Record, is_return: bool
) -> None:
    counts, found = compare_record(Counts((each_minute((17, 5))[0],)), RECORD, record, START_MS)
    assert found is is_return
    assert [one.weight for one in counts.returns] == [2] * is_return


# --- any story of one charge point ------------------------------------------------------------------------------------


@dataclass
class Board:
    """A charge point that counts as the firmware does."""

    boot: int
    sequence: int
    knows_time: bool = True

    def heartbeat(self, at_ms: int, step: int, connection: Connection | None) -> Numbered:
        self.sequence += step
        return Numbered(self.boot, self.sequence, at_ms // 1000 if self.knows_time else None, at_ms, connection)

    def restart(self) -> None:
        self.boot += 1
        self.sequence = 0


STEPS = ("heartbeat", "heartbeat", "heartbeat", "late", "again", "restart", "restart", "reconnect", "learn the time")
RARE = ("erase", "lose the count", "replace")  # at most once each
Step = tuple[str, int, int]  # event, delay in ms, numbers used meanwhile

ordinary = st.tuples(st.sampled_from(STEPS), st.integers(1000, 10 * MINUTE_MS), st.integers(1, 300))


@st.composite
def lives(draw: st.DrawFn) -> list[Step]:
    steps = draw(st.lists(ordinary, min_size=1, max_size=80))
    for name in draw(st.permutations(RARE))[: draw(st.integers(0, len(RARE)))]:
        steps.insert(draw(st.integers(0, len(steps))), (name, MINUTE_MS, 1))
    return steps


def told(
    steps: Sequence[Step], boot: int, replacement: int, is_embedded: bool, dice: random.Random
) -> Iterator[Numbered]:
    """Return what reaches us. `replacement` is the boot count of the board that replaces the first one."""
    now_ms, number = START_MS, 1
    board = Board(boot, dice.randrange(1000), dice.random() < 0.5)
    held: Numbered | None = None
    for name, after_ms, used in steps:
        now_ms += after_ms
        connection = Connection(number, dice.random() < 0.8) if is_embedded else None
        if name in ("restart", "reconnect", *RARE):
            number += 1
            connection = Connection(number, dice.random() < 0.8) if is_embedded else None
        if name == "restart":
            board.restart()
        elif name == "erase":
            board = Board(dice.randrange(2**29), 0, board.knows_time)
        elif name == "lose the count":
            board = Board(0, dice.randrange(2**30), board.knows_time)
        elif name == "replace":
            board = Board(replacement, dice.randrange(1000), board.knows_time)
        elif name == "learn the time":
            board.knows_time = True
        heartbeat = board.heartbeat(now_ms, used, connection)
        yield heartbeat
        if name == "again":
            yield heartbeat._replace(received_ms=now_ms + 500)
        if held is not None:  # overtaken by the previous one
            yield held._replace(received_ms=now_ms + dice.randrange(LATE_MS))
            held = None
        if name == "late" and not is_embedded:
            held = board.heartbeat(now_ms + 1, 1, None)


@pytest.mark.timeout(300 + STORIES)
@settings(max_examples=STORIES, deadline=None, derandomize=STORIES <= FEW)
@given(lives(), st.integers(0, 10_000), st.integers(0, 10_000), st.booleans(), st.randoms(use_true_random=False))
def test_no_story_of_one_charge_point_looks_like_two(
    steps: list[Step], boot: int, replacement: int, is_embedded: bool, dice: random.Random
) -> None:
    heartbeats = list(told(steps, boot, replacement, is_embedded, random.Random(dice.getrandbits(32))))
    assert found(heartbeats) is None, heartbeats


# --- any story of two -------------------------------------------------------------------------------------------------

MOST_TURNS = 20

turn = st.tuples(
    st.integers(LATE_MS // 1000 + 1, 600),  # seconds since the previous turn
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 10)), min_size=1, max_size=4),  # seconds, and numbers used
    st.booleans(),  # it took over; otherwise the previous connection had ended
)


@pytest.mark.timeout(300 + STORIES)
@settings(max_examples=STORIES, deadline=None, derandomize=STORIES <= FEW)
@given(
    st.lists(turn, min_size=MOST_TURNS, max_size=MOST_TURNS),
    st.integers(0, 2**29),
    st.one_of(st.just(0), st.integers(-3000, 3000)),
    st.integers(0, 10_000),
    st.tuples(st.booleans(), st.booleans()),
    st.sets(st.integers(1, MOST_TURNS), max_size=5),
    st.booleans(),
)
def test_two_are_found_within_twenty_turns(
    story: list[tuple[int, list[tuple[int, int]], bool]],
    boot: int,
    apart: int,
    sequence: int,
    know_time: tuple[bool, bool],
    restarts: set[int],
    is_embedded: bool,
) -> None:
    """Also copies of one flash image, with equal boot counts. One of the two restarts sometimes."""
    # Equal numbers in step are indistinguishable from one count, so the boards begin further apart than they can approach.
    boards = Board(boot + 3000, sequence + 5000, know_time[0]), Board(boot + 3000 + apart, sequence, know_time[1])
    now_ms, heartbeats = START_MS, []
    for number, (after_s, beats, took_over) in enumerate(story):
        now_ms += after_s * 1000
        board = boards[number % 2]
        if number in restarts and number % 2 == 0:
            board.restart()
        connection = Connection(number, took_over) if is_embedded else None
        for seconds, used in beats:
            heartbeats.append(board.heartbeat(now_ms, used, connection))
            now_ms += seconds * 1000
    assert found(heartbeats) is not None, heartbeats
