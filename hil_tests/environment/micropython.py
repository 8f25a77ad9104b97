"""MicroPython's unix port, on which the virtual unit and the core tests run: `.venv/bin/micropython`.

A new enough one on PATH is used as it is; else Debian's package is unpacked beside it with the C library it was built
for, and started through that library's own loader, so an older Debian can run it.
"""

import os
import shutil
import subprocess
from pathlib import Path

from hil_tests.environment import debian
from hil_tests.environment.errors import SetUpError

OLDEST = (1, 25)  # the firmware was proven on 1.25.0: `tls` over a Python stream, `vfs`, `_thread`
SUITES = {"debian": "trixie", "ubuntu": "resolute"}  # the first releases that carry 1.25 or newer
PACKAGES = ("micropython", "libc6", "libffi8", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7")
ROOT = Path("micropython/root")  # in .venv: where the packages are unpacked
ADVICE = "Put a MicroPython of at least 1.25 (unix port) on PATH and try again."
VERSION = "import sys; print('.'.join(str(part) for part in sys.implementation.version[:3]))"


def fetch(venv: Path) -> None:
    command = venv / "bin" / "micropython"
    if _version(command) >= OLDEST:
        return
    print("2/4  MicroPython ...", flush=True)
    command.unlink(missing_ok=True)
    installed = shutil.which("micropython")
    if installed and _version(Path(installed)) >= OLDEST:
        command.symlink_to(installed)
        return
    distribution, _ = debian.release()
    if distribution not in SUITES:
        raise SetUpError(f"this is neither Debian nor Ubuntu. {ADVICE}")
    suite = SUITES[distribution]
    root = venv / ROOT
    shutil.rmtree(root, ignore_errors=True)
    debian.unpack(PACKAGES, suite, root)
    _write_starter(command, root)
    if _version(command) < OLDEST:
        raise SetUpError(f"the MicroPython of {suite} does not run here. {ADVICE}")


def _write_starter(command: Path, root: Path) -> None:
    loader = next(
        iter(sorted(root.glob("usr/lib*/ld-linux*.so.*")) or sorted(root.glob("usr/lib/*/ld-linux*.so.*"))), None
    )
    library = next(iter(sorted(root.glob("usr/lib/*/libc.so.6"))), None)
    if not loader or not library:
        raise SetUpError(f"the unpacked C library has no loader. {ADVICE}")
    inside = {"loader": loader.relative_to(root), "libraries": library.parent.relative_to(root)}
    command.write_text(
        "#!/bin/sh\n"
        f'root="$(dirname "$(dirname "$0")")/{ROOT}"\n'
        f'exec "$root/{inside["loader"]}" --library-path "$root/{inside["libraries"]}" "$root/usr/bin/micropython" "$@"\n'
    )
    command.chmod(0o755)


def _version(command: Path) -> tuple[int, ...]:
    """(1, 25, 0), or () where it does not start."""
    if not os.access(command, os.X_OK):
        return ()
    try:
        asked = subprocess.run([command, "-c", VERSION], capture_output=True, text=True, timeout=20, check=True)
        return tuple(int(part) for part in asked.stdout.strip().split("."))
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()
