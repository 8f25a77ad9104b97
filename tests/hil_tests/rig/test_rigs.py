"""Does a rig list what it offers, and does a test that needs more say why it cannot run?"""

from pathlib import Path

import pytest

from hil_tests.rig.bench import Lines
from hil_tests.rig.contract import FAULTS, OFFERS
from hil_tests.rig.rigs import RigKind, kinds
from hil_tests.sim import board


def test_do_the_rigs_of_the_file_make_sense() -> None:
    """The virtual rig and the loop offer everything; a bench has three lines."""
    rigs = kinds()
    assert rigs["virtual"].serial is None and rigs["loop"].serial == "loop" and isinstance(rigs["tcall"].serial, Lines)
    assert all(rigs[name].offers == set(OFFERS) and rigs[name].faults == FAULTS for name in ("virtual", "loop"))


def test_is_what_is_lacking_named() -> None:
    """All of it, in words; and nothing where nothing is lacking?"""
    bare = RigKind(name="bare", offers=frozenset({"pilot"}))
    assert bare.lacking(("pilot",)) is None
    told = bare.lacking(("pilot", "mains", "light"))
    assert told is not None and told.startswith("rig bare has no mains (") and "no light (" in told


@pytest.mark.parametrize(
    "table",
    ['offers = ["levitation"]', "offers = []\nfaults = ['gremlins']", "units = 1", "offers = []\nunits = 0", "x = 1"],
)
def test_is_a_table_that_makes_no_sense_refused(tmp_path: Path, table: str) -> None:
    """By the name of what is wrong?"""
    (tmp_path / "rigs.toml").write_text(f"[odd]\n{table}\n")
    with pytest.raises(ValueError, match="RigKind"):
        kinds(tmp_path / "rigs.toml")


def test_can_the_virtual_board_break_all_that_the_contract_names() -> None:
    """The virtual board has its own list, because it imports nothing of ours."""
    assert set(board.FAULTS) == set(FAULTS)
