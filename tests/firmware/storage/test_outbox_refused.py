"""What happens to records if the flash refuses? Only on CPython, where opening and removing can be made to fail."""

import errno
import io
import os
from pathlib import Path
from typing import Any

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


def refuse_all(*_: object) -> None:
    raise OSError(errno.EIO)


def test_a_flash_that_takes_nothing_for_months_costs_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither opening nor removing works; a file that was never created needs no memory."""
    box = filled(tmp_path, range(0))
    monkeypatch.setattr(outbox, "open", refuse_all, raising=False)
    monkeypatch.setattr(os, "remove", refuse_all)
    fill(box, range(100))
    assert len(box._memory) == outbox.MEMORY_MAX and box._not_removed == []


@pytest.mark.parametrize(("error", "left"), [(errno.EAGAIN, 5), (errno.ENOSPC, 3)])
def test_a_flash_that_is_busy_costs_no_record_and_a_full_one_costs_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, left: int
) -> None:
    """Freeing room does not help on a flash that refuses to erase (boards/unguarded_flash.py)."""
    box = filled(tmp_path, range(3))

    def refuse_writes(path: str, mode: str) -> object:
        if mode == "wb":
            raise OSError(error)
        return open(path, mode)

    monkeypatch.setattr(outbox, "open", refuse_writes, raising=False)
    fill(box, range(3, 5))
    assert box.flash_failed and box.waiting() == left and box.dropped == 5 - left


def test_a_flash_that_other_files_have_filled_takes_a_record_in_place_of_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = filled(tmp_path, range(3))

    def room_for_three(path: str, mode: str) -> object:
        if mode == "wb" and len(os.listdir(tmp_path / "outbox")) >= 3:
            raise OSError(errno.ENOSPC, "full")
        return open(path, mode)

    monkeypatch.setattr(outbox, "open", room_for_three, raising=False)
    fill(box, range(3, 5))
    assert not box.flash_failed and box.dropped == 2
    again = Outbox(str(tmp_path / "outbox"))
    oldest = again.oldest()
    assert oldest is not None and oldest.sequence == 2 and again.waiting() == 3


def busy(*_: object) -> None:
    raise OSError(errno.EAGAIN)


def test_a_record_that_lives_in_memory_goes_out_in_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = filled(tmp_path, range(2))
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "open", busy, raising=False)
        fill(box, range(2, 3))
    fill(box, range(3, 4))
    assert not box.flash_failed, "it works again"
    gone_out = []
    while (record := box.oldest()) is not None:
        gone_out.append(record.sequence)
        box.remove(record)
    assert gone_out == [0, 1, 2, 3] and box.waiting() == 0


def test_a_record_of_which_only_a_part_could_be_written_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Torn(io.FileIO):
        def write(self, stored: Any) -> int:
            super().write(bytes(stored)[:3])
            raise OSError(errno.EAGAIN)

    box = filled(tmp_path, range(1))
    monkeypatch.setattr(outbox, "open", Torn, raising=False)
    fill(box, range(1, 2))
    assert len(os.listdir(tmp_path / "outbox")) == 1 and box.waiting() == 2


@pytest.mark.parametrize(("error", "stays"), [(errno.EIO, True), (errno.ENOENT, False)])
def test_a_file_that_cannot_be_removed_is_not_sent_again_and_is_remembered_only_if_it_may_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, stays: bool
) -> None:
    box = filled(tmp_path, range(2))
    first = box.oldest()
    assert first is not None

    def refuse(path: str) -> None:
        if not stays:
            Path(path).unlink()
        raise OSError(error)

    monkeypatch.setattr(os, "remove", refuse)
    box.remove(first)
    second = box.oldest()
    assert second is not None and second.sequence == 1 and box.waiting() == 1
    assert len(box._not_removed) == stays


def test_where_no_record_can_make_room_the_flash_is_not_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, opened = filled(tmp_path, range(0)), []

    def full(path: str, mode: str) -> None:
        opened.append(path)
        raise OSError(errno.ENOSPC)

    monkeypatch.setattr(outbox, "open", full, raising=False)
    fill(box, range(1))
    assert len(opened) == 1 and box.dropped == 0 and box.waiting() == 1


def test_a_flash_that_does_not_read_for_a_moment_costs_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, range(20))
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "open", refuse_all, raising=False)
        box = Outbox(str(tmp_path / "outbox"))
        assert box.oldest() is None and box.waiting() == 20 and box.damaged == 0
    fill(box, range(20, 21))
    gone_out = []
    while (record := box.oldest()) is not None:
        gone_out.append(record.sequence)
        box.remove(record)
    assert gone_out == [20, *range(20)] and box.waiting() == 0


def test_a_file_that_is_not_read_keeps_no_other_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path, range(3))

    def one_refused(path: str, mode: str) -> object:
        if mode == "rb" and path.endswith("00"):
            raise OSError(errno.EIO)
        return open(path, mode)

    monkeypatch.setattr(outbox, "open", one_refused, raising=False)
    box = Outbox(str(tmp_path / "outbox"))
    gone_out = []
    while (record := box.oldest()) is not None:
        gone_out.append(record.sequence)
        box.remove(record)
    assert gone_out == [1, 2] and box.waiting() == 1 and box.damaged == 0


def test_a_file_that_littlefs_calls_damaged_is_counted_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, range(2))

    def one_damaged(path: str, mode: str) -> object:
        if mode == "rb" and path.endswith("00"):
            raise OSError(outbox.CORRUPT, "damaged")
        return open(path, mode)

    monkeypatch.setattr(outbox, "open", one_damaged, raising=False)
    box = Outbox(str(tmp_path / "outbox"))
    oldest = box.oldest()
    assert oldest is not None and oldest.sequence == 1 and box.damaged == 1 and box.waiting() == 1
