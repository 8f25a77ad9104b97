"""Can a decoder's failure only end its own process, and is the photo then refused? (Each process takes 50 ms.)"""

import asyncio
from pathlib import Path

import pytest

from cloud_bridge.support import photo, photo_process
from cloud_bridge.support.photo import BadPhoto, Photo
from cloud_bridge.support.photo_process import PhotoMaker, PhotosBusy

JPEG = b"\xff\xd8\xff and so on"
PROGRAMS = {
    "import sys; sys.stdout.write('too_small'); sys.exit(3)": photo.TOO_SMALL,
    "import sys; sys.stdout.write('<script>'); sys.exit(3)": photo.DAMAGED,
    "raise MemoryError": photo.DAMAGED,
    "import os; os.abort()": photo.DAMAGED,
    "import sys; sys.stdin.close(); sys.exit(1)": photo.DAMAGED,
    "while True: pass": photo.DAMAGED,
}


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    path = folder / "program.py"
    path.write_text(code)
    monkeypatch.setattr(photo, "__file__", str(path))


@pytest.mark.parametrize("code", PROGRAMS)
def test_what_goes_wrong_is_a_photo_that_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    program(tmp_path, monkeypatch, code)
    if code.startswith("while"):
        monkeypatch.setattr(photo_process, "WITHIN_S", 0.05)
    with pytest.raises(BadPhoto) as error:
        asyncio.run(PhotoMaker().remake(JPEG))
    assert error.value.problem == PROGRAMS[code]


def test_what_it_has_made_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = photo.packed(Photo(b"small", b"whole"))
    program(tmp_path, monkeypatch, f"import sys; sys.stdin.buffer.read(); sys.stdout.buffer.write({made!r})")
    assert asyncio.run(PhotoMaker().remake(JPEG)) == Photo(b"small", b"whole")


def test_of_too_many_at_once_one_is_told_so_and_a_text_needs_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_process, "AT_ONCE", 0)
    monkeypatch.setattr(photo_process, "TURN_WITHIN_S", 0.01)

    async def story() -> None:
        maker = PhotoMaker()
        with pytest.raises(PhotosBusy):
            await maker.remake(JPEG)
        with pytest.raises(BadPhoto):
            await maker.remake(b"This is a text")

    asyncio.run(story())
