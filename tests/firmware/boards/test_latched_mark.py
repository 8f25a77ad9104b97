"""Is a board's record of latched faults read as it was written, and distinguished from anything else?"""

import pytest

from firmware.boards.latched_mark import decode, encode
from firmware.charging.faults import NEEDS_PERSON


@pytest.mark.parametrize("names", [(), ("rcd_dc",), NEEDS_PERSON])
def test_a_mark_is_read_as_it_was_written(names):
    assert decode(encode(names)) == names


def test_a_fault_that_clears_itself_is_not_kept():
    assert decode(encode(("pilot", "rcd_ac", "supply"))) == ("rcd_ac",)
    assert decode(encode(("pilot",))) == ()


@pytest.mark.parametrize(
    "mark",
    [b"", b" ", b"none ", b"non", b"rcd_ab", b"rcd_ac rcd_dd", b"\xff\x00", b"none rcd_ac", b"rcd_ac  rcd_dc"],
)
def test_what_is_no_mark_tells_nothing(mark):
    assert decode(mark) is None
