"""Does a board's document agree with its table and record, and can a virtual rig never prove a check?"""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from hil_tests.rig import image
from hil_tests.rig.loop import LINKS
from hil_tests.station.bring_up import (
    BOARDS,
    HARDWARE,
    RIG,
    Sight,
    boards,
    checks,
    document,
    read_record,
    read_table,
    write_sight,
)
from hil_tests.station.bring_up_probes import PROBES
from hil_tests.station.bring_up_walk import walk, where_is
from hil_tests.station.errors import StationTrouble
from hil_tests.station.fixture import Fixture, Ports
from hil_tests.station.flashing import write_firmware
from hil_tests.station.virtual import IMAGE, VirtualFixture

SIGHT = Sight(on="2026-02-03", version="1.4.0", is_so=True, seen="12.01 V by a Fluke 87")
TABLE = """[[step]]
do = "Look at it."
[[step.check]]
name = "answers"
expect = "it answers"
probe = "console"
[[step.check]]
name = "green"
expect = "the light is green"
[[step]]
do = "Once more."
[[step.check]]
name = "loop"
expect = "steps are close"
probe = "control_loop"
"""
DOCUMENT = """# A board
<!-- of x_bring_up.toml, written by hil_tests.station -->
old
<!-- end of x_bring_up.toml -->
The end.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of a board x."""
    (tmp_path / "x_bring_up.toml").write_text(TABLE)
    (tmp_path / "x.md").write_text(DOCUMENT)
    return tmp_path


@pytest.mark.parametrize("board", boards())
def test_the_document_agrees_with_table_and_record(board: str) -> None:
    """If not, run python -m hil_tests.station bring-up BOARD."""
    text = (BOARDS / f"{board}.md").read_text()
    assert text == document(text, board)
    assert {check.probe for check in checks(read_table(board))} <= {None, *PROBES}
    is_proven = any(HARDWARE in sights for sights in read_record(board).values())
    assert ("Nobody has run this on hardware yet" in text) != is_proven


def test_a_check_is_unproven_until_it_was_seen_on_hardware(folder: Path) -> None:
    assert document(DOCUMENT, "x", folder).count("**unproven**") == 3
    write_sight("x", "green", RIG, SIGHT, folder)
    told = document(DOCUMENT, "x", folder)
    assert "the light is green: **unproven** (passed on the virtual rig on 2026-02-03 with 1.4.0)" in told
    assert "0 of 3 checks have been seen to pass on hardware." in told
    write_sight("x", "green", HARDWARE, SIGHT, folder)
    told = document(told, "x", folder)
    assert "the light is green: passed on 2026-02-03 with 1.4.0: 12.01 V by a Fluke 87" in told
    assert "1 of 3 checks have been seen to pass on hardware, the last on 2026-02-03." in told
    write_sight("x", "green", HARDWARE, SIGHT.model_copy(update={"is_so": False}), folder)
    assert "**failed** on 2026-02-03" in document(told, "x", folder)
    assert told.startswith("# A board\n") and told.endswith("The end.\n")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("x_bring_up.toml", TABLE + TABLE),
        ("x_bring_up.toml", "[[step]]\ndo = 'a'"),
        ("x_bring_up.toml", "step = 3"),
        ("x_seen.json", "[]"),
        ("x_seen.json", '{"green": {"rig": {"on": "yesterday"}}}'),
        ("x_seen.json", json.dumps({"blue": {RIG: SIGHT.model_dump()}})),
    ],
)
def test_files_that_make_no_sense_are_told_in_one_line(folder: Path, file: str, text: str) -> None:
    (folder / file).write_text(text)
    with pytest.raises(StationTrouble) as told:
        document(DOCUMENT, "x", folder)
    assert "\n" not in str(told.value)


def test_a_line_that_a_program_has_made_is_no_hardware(tmp_path: Path) -> None:
    (tmp_path / "console").symlink_to("/dev/pts/7")
    assert (where_is(str(tmp_path / "console")), where_is("/dev/ttyUSB0")) == (RIG, HARDWARE)


def test_each_board_of_the_rig_is_flashed_in_the_virtual_fixture(tmp_path: Path) -> None:
    (tmp_path / "console").symlink_to("/dev/pts/7")
    write_firmware("virtual_unguarded", str(tmp_path / "console"), None)
    assert (tmp_path / IMAGE).read_bytes() == image.build("virtual_unguarded").read_bytes()


def test_a_walk_asks_what_it_cannot_see_and_goes_on_where_it_was(folder: Path) -> None:
    """The unit runs on real MicroPython; its console answers the other checks."""
    shutil.copyfile(image.build(), folder / IMAGE)
    answers = iter(["q", "?", "y", "", "yes", "green, by eye"])

    async def story() -> set[str]:
        unit = VirtualFixture(folder)
        await unit.start()
        try:
            async with Fixture(Ports(str(folder / LINKS["console"]), None)) as fixture:
                assert await fixture.answers(60)
                await walk("x", fixture, RIG, lambda _: next(answers), folder)
                before = set(read_record("x", folder))
                await walk("x", fixture, RIG, lambda _: next(answers), folder)
        finally:
            await unit.stop()
            unit.close()
        return before

    assert asyncio.run(story()) == {"answers"}, "it was ended at the second check"
    seen = read_record("x", folder)
    assert set(seen) == {"answers", "green", "loop"} and all(set(one) == {RIG} for one in seen.values())
    assert seen["green"][RIG].seen == "green, by eye"
    assert document((folder / "x.md").read_text(), "x", folder) == (folder / "x.md").read_text()
