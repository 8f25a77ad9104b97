"""What runs on the machine, as a ROMFS: the core tests with their imports, and programs that measure."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from hil_tests.cortex_m.machine import IMAGE_ADDRESS, Machine
from hil_tests.environment.cortex_m import BOARD, BUILD, CHECKOUT
from hil_tests.rig import image as rig_image

MODULES = CHECKOUT / "hil_tests" / "cortex_m" / "modules"
TLS = CHECKOUT / "tests" / "on_cpython" / "tls.py"  # only its names are needed
RUNNER = CHECKOUT / "tests" / "on_micropython"
STARTER = (
    CHECKOUT / "firmware" / "boards" / "stock" / "starter.py"
)  # frozen into the production image, and on a board with a stock image
SAMPLES = CHECKOUT / "tests" / "samples"
PRODUCT = "product"
DISK_ADDRESS = IMAGE_ADDRESS + 0x800000
IMPORTS = re.compile(r"^(?:from|import) (tests\S*)(?: import ([^#\n]*))?", re.MULTILINE)
PRODUCT_IMPORTS = re.compile(r"^(?:from|import) ((?:firmware|modem)\S*)(?: import ([^#\n]*))?", re.MULTILINE)
# An image with all modules that are not frozen, and a littlefs for the tests to write to.
BOOT = f"""
import sys, uctypes, vfs
vfs.mount(vfs.VfsRom(uctypes.bytearray_at({IMAGE_ADDRESS:#x}, %(size)d)), "%(at)s")
sys.path[:] = ["%(at)s".rstrip("/"), ".frozen"]
import on_board
on_board.mount({DISK_ADDRESS:#x}, "/build")
"""


class NotBuilt(Exception):
    """The image cannot be made. The text is mpremote's output."""


def imported(modules: Iterable[str]) -> dict[str, Path]:
    """Return the modules of tests/ among `modules` and those that they import: name -> file."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = CHECKOUT / (name.replace(".", "/") + ".py")
        if name in found or not path.exists():
            continue
        found[name] = path
        for module, names in IMPORTS.findall(path.read_text()):
            waiting += [module, *(f"{module}.{part.strip()}" for part in names.split(","))]
    return found


def product() -> Path:
    """Return the folder of the product's compiled files."""
    rig_image.build(BOARD)
    return rig_image.BUILD / BOARD


def runs_on(module: str) -> bool:
    """Return whether the board's image contains all of the product that this module of tests needs."""
    rooms = ("firmware/", "modem/")
    product = {name for name in rig_image.sources(BOARD) if name.startswith(rooms)}
    needed: set[str] = set()
    for source in imported([module]).values():
        for wanted, names in PRODUCT_IMPORTS.findall(source.read_text()):
            path = wanted.replace(".", "/")
            needed |= {f"{path}.py", *(f"{path}/{name.strip()}.py" for name in names.split(","))}
    return {name for name in needed if (CHECKOUT / name).exists()} <= product


def image(name: str, modules: Iterable[str], product: Path | None = None) -> Path:
    """Build a ROMFS of these modules of tests/ with all that they need. `product` is a folder to add as PRODUCT."""
    folder = BUILD / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if product:
        shutil.copytree(product, folder / PRODUCT)
    for source in (*MODULES.glob("*.py"), TLS, STARTER, *RUNNER.glob("*.py")):
        shutil.copy(source, folder)
    for source in imported(modules).values():
        target = folder / source.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    shutil.copytree(SAMPLES, folder / SAMPLES.relative_to(CHECKOUT))
    built = folder.with_suffix(".romfs")
    command = [sys.executable, "-m", "mpremote", "romfs", "--output", str(built), "build", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotBuilt(done.stdout + done.stderr)
    return built


def boot(machine: Machine, at: str = "/rom") -> None:
    """Do a soft reset, then mount the image at `at` and a new littlefs at /build."""
    machine.restart()
    machine.run(BOOT % {"size": machine.image_bytes, "at": at}, within_s=30)


def run_tests(machine: Machine, module: str, within_s: float) -> str:
    """Run a module of tests by tests/on_micropython/run.py. Return its output, which ends with `exit (0,)` if all passed."""
    boot(machine, "/")  # tests open their samples by names relative to the checkout
    return machine.run(
        f"sys.argv[:] = ['run.py', {module!r}]\n"
        "try:\n    import run\nexcept SystemExit as ended:\n    print('exit', ended.args)",
        within_s,
    )
