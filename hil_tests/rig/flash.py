"""`python -m hil_tests.rig.flash PORT [--image FILE]`: copy the product to a board that runs a stock MicroPython image.

The environment variable BOARD names the board, as for the image (image.py).

The compiled files go to /chargekeeper on the board's file system. The starter, with the board's wires
(firmware/boards/stock), goes to its root. The board forgets earlier updates: it runs what was flashed. The list of
files is deleted first and copied last, so an interrupted copy counts as none. `--image` writes the image first, which
erases the whole board.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from firmware.boards.stock import main as starter
from firmware.version import VERSION
from hil_tests.rig import image

STOCK = image.CHECKOUT / "build" / "stock"
# A stock image reads the files into memory: 200.6 kB with the whole unit (hil_tests/cortex_m). The unit needs 50 kB
# more to work: an ESP32 with PSRAM, as the WROVER of a T-Call.
HEAP_BYTES = 251_000
MADE_FOR = "ESP32_GENERIC-SPIRAM, MicroPython 1.25 or newer"
IMAGE_OFFSET = "0x1000"  # ESP32 (ports/esp32/boards/ESP32_GENERIC/board.json)
COPY_WITHIN_S = 600
WIRES = "wires.py"  # the board's: wires_BOARD.py of firmware/boards/stock
STARTERS = ("starter.py", WIRES, "main.py")
# Before the copy: delete the list, so that the rest of an old copy counts as none; then delete the old copy.
FORGET = f"""
import os
def forget(path):
    for name, kind, *_ in os.ilistdir(path):
        inside = path + '/' + name
        if kind == 0x4000:
            forget(inside)
            os.rmdir(inside)
        else:
            os.remove(inside)
for name in ({starter.HOME + "/" + starter.LIST!r}, "/slots", "/update"):
    try:
        os.remove(name)
    except OSError:
        pass
try:
    forget({starter.HOME!r})
    os.rmdir({starter.HOME!r})
except OSError:
    pass
"""
CHECK = "import sys; sys.path.insert(0, '/'); import main; print(main.complaint() or 'complete')"


class NotFlashed(Exception):
    """The board does not hold the product. The text gives the reason."""


def prepare(board: str, made_for: str = MADE_FOR) -> Path:
    """Build the folder to copy: `chargekeeper` with the files of `board`, their list, and the starter's files.

    Raises NotFlashed if the starter has no wires for the board, and DoesNotCompile.
    """
    if not (image.CHECKOUT / "firmware" / "boards" / "stock" / f"wires_{board}.py").is_file():
        raise NotFlashed(f"there is no firmware/boards/stock/wires_{board}.py; write it as wires_tcall.py is")
    image.build(board)
    compiled = image.BUILD / board
    shutil.rmtree(STOCK, ignore_errors=True)
    home = STOCK / starter.HOME.strip("/")
    for path in compiled.rglob("*.mpy"):
        target = home / path.relative_to(compiled)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    image.write_list(board, STOCK, made_for, HEAP_BYTES)
    for name in STARTERS:
        source = f"wires_{board}.py" if name == WIRES else name
        shutil.copy(image.CHECKOUT / "firmware" / "boards" / "stock" / source, STOCK / name)
    return STOCK


def copy(port: str, folder: Path, connect: Sequence[str] = ("soft-reset",)) -> None:
    """Copy `folder` to the board at `port` and let its starter check that it is complete. Raises NotFlashed."""
    home = starter.HOME
    listed = folder / starter.LIST
    _mpremote(port, *connect, "exec", FORGET, within_s=120)
    _mpremote(port, "resume", "fs", "cp", "-r", str(folder / home.strip("/")), ":/")
    for name in STARTERS:
        _mpremote(port, "resume", "fs", "cp", str(folder / name), f":/{name}")
    _mpremote(port, "resume", "fs", "cp", str(listed), f":{home}/{starter.LIST}")
    found = _mpremote(port, "resume", "exec", CHECK, within_s=120).strip().splitlines()
    if not found or found[-1] != "complete":
        raise NotFlashed(f"the board reports: {found[-1] if found else 'nothing'}")


def _mpremote(port: str, *command: str, within_s: float = COPY_WITHIN_S) -> str:
    whole = [sys.executable, "-m", "mpremote", "connect", port, *command]
    try:
        done = subprocess.run(whole, capture_output=True, text=True, timeout=within_s, check=False)
    except subprocess.TimeoutExpired:
        raise NotFlashed(f"{port}: not done within {within_s} s; is a MicroPython prompt there?") from None
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise NotFlashed(f"{port}: {said[-1] if said else 'mpremote failed'}")
    return done.stdout


def _write_image(port: str, path: Path) -> None:
    for command in (["erase-flash"], ["write-flash", IMAGE_OFFSET, str(path)]):
        if subprocess.run([sys.executable, "-m", "esptool", "--port", port, *command], check=False).returncode != 0:
            raise NotFlashed(f"{port}: the image was not written; hold BOOT while the board is reset, and try again")


def flash(port: str, board: str, image_file: Path | None = None) -> None:
    """Write the product to the board at `port`. `image_file`: write this MicroPython image first, which erases the
    board.

    Raises NotFlashed and DoesNotCompile.
    """
    if image_file:
        if not image_file.is_file():
            raise NotFlashed(f"there is no image {image_file}")
        _write_image(port, image_file)
    folder = prepare(board, image_file.name if image_file else MADE_FOR)
    copy(port, folder)
    _mpremote(port, "resume", "reset", within_s=30)


def main() -> int:
    """Run the command line. Return 1 if the board does not hold the product afterwards."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.rig.flash")
    parser.add_argument("port")
    parser.add_argument("--image", type=Path, help="image of MicroPython to write first: this erases the board")
    asked = parser.parse_args()
    try:
        flash(asked.port, image.chosen(), asked.image)
    except (NotFlashed, image.DoesNotCompile) as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"version {VERSION} is on the board at {asked.port}, made for {asked.image.name if asked.image else MADE_FOR}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
