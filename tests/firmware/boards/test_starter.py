"""Does the starter of a stock image start a whole copy alone, and say in one line what is wrong with any other?"""

import binascii
import json
import shutil
from pathlib import Path

import pytest

from firmware.boards import board
from firmware.boards.stock import main as starter

FILES = {
    "firmware/app.mpy": b"M\x06\x00\x1f app",
    "firmware/version.mpy": b"M\x06\x00\x1f 0.1.0",
    "modem/at.mpy": b"M\x06\x00\x1f at",
}
ROOM_BYTES = 300_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "chargekeeper"
    for name, content in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    write_list(home)
    return home


def write_list(home: Path, **changed: object) -> None:
    files = {name: binascii.crc32(content) for name, content in FILES.items()}
    made = {"version": "0.1.0", "image": "ESP32_GENERIC-SPIRAM", "mpy": 6, "heap_bytes": 215_000, "files": files}
    (home / starter.LIST).write_text(json.dumps({**made, **changed}))


def complaint(home: Path, mpy: int = 6, free_bytes: int = ROOM_BYTES) -> str | None:
    why = starter.complaint(str(home), mpy, free_bytes)
    assert why is None or "\n" not in why
    return why


def test_it_mounts_as_the_board_would() -> None:
    assert (board.Board.flash, board.PROGRAM_BYTES) == (starter.FLASH, starter.PROGRAM_BYTES)


def test_a_whole_copy_is_started(home: Path) -> None:
    assert complaint(home) is None


def test_no_copy_and_a_copy_that_was_cut_before_its_list(home: Path) -> None:
    (home / starter.LIST).unlink()
    assert "is not complete; run `make flash` again" in str(complaint(home))
    shutil.rmtree(home)
    assert "is not complete; run `make flash` again" in str(complaint(home))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(home: Path, name: str) -> None:
    (home / name).unlink()
    assert complaint(home) == f"{name} of version 0.1.0 is missing; run `make flash` again"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "spoil", [lambda whole: whole[:-1], lambda whole: whole + b"x", lambda whole: b"", lambda whole: whole[::-1]]
)
def test_half_a_file_and_another_versions_file_are_named(home: Path, name: str, spoil: object) -> None:
    (home / name).write_bytes(spoil(FILES[name]))  # type: ignore[operator]  # one of the above
    assert complaint(home) == f"{name} is not that of version 0.1.0; run `make flash` again"


def test_a_list_cut_anywhere_is_one_line(home: Path) -> None:
    whole = (home / starter.LIST).read_bytes()
    for end in range(len(whole)):
        (home / starter.LIST).write_bytes(whole[:end])
        assert "cannot be read" in str(complaint(home)), end


@pytest.mark.parametrize("missing", ["version", "image", "mpy", "heap_bytes", "files"])
def test_a_list_without_a_field_is_one_line(home: Path, missing: str) -> None:
    made = json.loads((home / starter.LIST).read_text())
    del made[missing]
    (home / starter.LIST).write_text(json.dumps(made))
    assert "cannot be read" in str(complaint(home))


@pytest.mark.parametrize("field", ["mpy", "heap_bytes", "files"])
@pytest.mark.parametrize("value", [None, "x", [1], {"a": None}])
def test_a_list_with_a_wrong_value_is_one_line(home: Path, field: str, value: object) -> None:
    write_list(home, **{field: value})
    assert complaint(home) is not None


def test_another_image_is_told_which_one_it_takes(home: Path) -> None:
    assert complaint(home, mpy=5) == (
        "version 0.1.0 was made for ESP32_GENERIC-SPIRAM (.mpy files of version 6; this image runs 5); flash that image"
    )
    assert complaint(home, free_bytes=110_000) == (
        "version 0.1.0 needs 215000 bytes of memory, and this image has 110000; flash ESP32_GENERIC-SPIRAM"
    )


def test_the_line_is_printed_and_nothing_else(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(starter, "complaint", lambda: "the copy is not complete")
    starter.start()
    assert capsys.readouterr().out == "chargekeeper: the copy is not complete\n"
