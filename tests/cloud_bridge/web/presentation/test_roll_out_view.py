"""Does the bar show every state that has units, and the graph every hour since the beginning?"""

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.releases.roll_out_states import RollOutState, UnitState
from cloud_bridge.store.roll_out_start import ChosenBy
from cloud_bridge.store.roll_outs import RollOut
from cloud_bridge.web.presentation.roll_out_view import TONES, WIDTH, bar_of, chosen_words, hours_of, rings_of
from tests.cloud_bridge.running import START_MS

ONE = RollOut(
    1,
    "1.4.0",
    ChosenBy.ALL,
    "",
    2000,
    0,
    True,
    DAY_MS,
    None,
    START_MS,
    RollOutState.RUNNING,
    1,
    START_MS,
    None,
    "",
)


def test_every_state_has_a_place_in_the_bar_and_even_one_unit_is_seen() -> None:
    assert set(TONES) == set(UnitState)
    parts = bar_of({UnitState.WAITING: 1998, UnitState.ROLLED_BACK: 1, UnitState.GOOD: 1})
    assert [(part.tone, part.units) for part in parts] == [("good", 1), ("bad", 1), ("waiting", 1998)]
    assert [part.at for part in parts] == [0, 8, 16]
    assert parts[-1].at + parts[-1].width == WIDTH
    parts = bar_of({UnitState.GOOD: 1990, UnitState.ROLLED_BACK: 5, UnitState.REFUSED: 4, UnitState.WITHDRAWN: 1})
    assert all(part.width >= 8 for part in parts) and parts[-1].at + parts[-1].width == WIDTH
    assert bar_of({}) == []


def test_rings_show_what_is_good_and_what_went_back() -> None:
    rings = rings_of(ONE, {0: {UnitState.GOOD: 1}, 1: {UnitState.GOOD: 10, UnitState.CORRUPT: 1, UnitState.REFUSED: 2}})
    assert [(ring.name, ring.units, ring.good, ring.refused, ring.bad, ring.is_present) for ring in rings] == [
        ("one unit", 1, 1, 0, 0, False),
        ("1 %", 13, 10, 2, 1, True),
    ]


def test_the_graph_adds_up_by_the_hour_and_by_the_day() -> None:
    good = [(START_MS, 1), (START_MS + 2 * HOUR_MS, 4)]
    _, bars = hours_of(ONE, good, START_MS + 3 * HOUR_MS)
    assert [bar.value for bar in bars] == [1, 1, 5]
    _, bars = hours_of(ONE, good, START_MS + 10 * DAY_MS)
    assert [bar.value for bar in bars] == [5] * 10
    _, bars = hours_of(ONE._replace(ended_ms=START_MS + HOUR_MS), good, START_MS + 10 * DAY_MS)
    assert [bar.value for bar in bars] == [1]


def test_it_is_said_which_units_are_chosen() -> None:
    assert chosen_words(ONE) == "all units"
    assert chosen_words(ONE._replace(chosen_by=ChosenBy.SITE, chosen="Mill")) == "units whose name begins with Mill"
