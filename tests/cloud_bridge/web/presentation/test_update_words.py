"""Does an owner get plain words before and after an update, and none when there is nothing to report?"""

import pytest

from cloud_bridge.durations import DAY_MS
from cloud_bridge.releases.roll_out_states import UnitState
from cloud_bridge.store.roll_outs import UnitUpdate
from cloud_bridge.web.presentation.update_words import NEWS_MS, REASONS, STATES, mark, news, progress
from tests.cloud_bridge.releases.making import release
from tests.cloud_bridge.running import START_MS

MADE = release()
ZONE = "Europe/London"
UPDATE = UnitUpdate(1, "1.4.0", MADE.whole, UnitState.TAKEN, START_MS, False, True, 0, "", None)


def said(update: UnitUpdate, now_ms: int = START_MS, firmware: str | None = "1.3.0") -> str | None:
    return news(update, firmware, now_ms, ZONE)


def test_before_it_is_said_what_comes_and_when() -> None:
    """[S1-3d]"""
    assert said(UPDATE) == (
        "Its firmware is being updated to 1.4.0. It loads while no vehicle charges. What changes: Charges faster."
    )
    half = UPDATE._replace(loaded=MADE.manifest.size // 2, required_by_ms=START_MS + DAY_MS)
    assert said(half) == (
        "Its firmware is being updated to 1.4.0, 49 % loaded. It loads while no vehicle charges. This is a security update, "
        "and is made at once from 2 January 2026 on. What changes: Charges faster."
    )


def test_afterwards_it_is_said_for_a_week() -> None:
    """[S1-3d]"""
    good = UPDATE._replace(state=UnitState.GOOD)
    assert said(good) == "Its firmware was updated to 1.4.0 on 1 Jan. Charges faster."
    assert said(good, START_MS + NEWS_MS) is not None
    assert said(good, START_MS + NEWS_MS + 1) is None
    back = UPDATE._replace(state=UnitState.ROLLED_BACK, why="late")
    assert said(back) == (
        "The update to 1.4.0 did not run well on 1 Jan. Your charger went back by itself and runs 1.3.0 again: it "
        "charges as before, and there is nothing to do."
    )


def test_an_owner_is_told_of_firmware_that_was_changed() -> None:
    """[S1-3c]"""
    assert said(UPDATE._replace(state=UnitState.CORRUPT, why="integrity")) == (
        "Your charger found on 1 Jan that its firmware was not what we have signed, and runs 1.3.0 again. Nobody but us may "
        "change it: please tell us if somebody has opened your charger."
    )


@pytest.mark.parametrize("state", [UnitState.WAITING, UnitState.REFUSED, UnitState.WITHDRAWN])
def test_what_concerns_no_owner_is_not_said(state: UnitState) -> None:
    assert said(UPDATE._replace(state=state)) is None
    assert said(UPDATE._replace(is_stopped=True)) is None
    assert news(None, None, START_MS, ZONE) is None


def test_the_operator_reads_how_far_it_is_and_why_not() -> None:
    assert set(STATES) == set(UnitState)
    assert progress(UPDATE._replace(loaded=MADE.manifest.size)) == "1.4.0: loading, 100 % of the image sent"
    refused = UPDATE._replace(state=UnitState.REFUSED, why="board")
    assert progress(refused) == f"1.4.0: refused ({REASONS['board']})"
    assert progress(refused._replace(why="gremlins", is_stopped=True)) == (
        "1.4.0: refused (gremlins). The roll-out was stopped"
    )


def test_the_page_changes_with_the_state_and_every_tenth() -> None:
    assert mark(None) == ""
    tenth = MADE.manifest.size // 10 + 10
    marks = [mark(UPDATE._replace(loaded=loaded)) for loaded in (0, tenth // 2, tenth)]
    assert marks[0] == marks[1] != marks[2]
    assert mark(UPDATE._replace(state=UnitState.GOOD)) != marks[0]
