"""A flash that refuses: what becomes of the records? On CPython alone, where opening and removing can be made to fail."""

import errno
import os
from pathlib import Path

import pytest

from firmware.storage import outbox
from firmware.storage.outbox import Outbox


def filled(folder: Path, numbers: range) -> Outbox:
    box = Outbox(str(folder / "outbox"))
    fill(box, numbers)
    return box


def fill(box: Outbox, numbers: range) -> None:
    for number in numbers:
        box.put("event", 1, number, b"%d" % number)


def test_a_flash_that_takes_nothing_for_months_costs_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither opening nor removing works; what was never created need not be remembered."""
    box = filled(tmp_path, range(0))

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO)

    monkeypatch.setattr(outbox, "open", refuse, raising=False)
    monkeypatch.setattr(os, "remove", refuse)
    fill(box, range(100))
    assert len(box._memory) == outbox.MEMORY_MAX and box._not_removed == []


@pytest.mark.parametrize(("error", "left"), [(errno.EAGAIN, 5), (errno.ENOSPC, 3)])
def test_a_flash_that_is_busy_costs_no_record_and_a_full_one_costs_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, left: int
) -> None:
    """Room is of no use to a flash that refuses to erase (boards/unguarded_flash.py)."""
    box = filled(tmp_path, range(3))

    def refuse_writes(path: str, mode: str) -> object:
        if mode == "wb":
            raise OSError(error)
        return open(path, mode)

    monkeypatch.setattr(outbox, "open", refuse_writes, raising=False)
    fill(box, range(3, 5))
    assert box.flash_failed and box.waiting() == left and box.dropped == 5 - left
