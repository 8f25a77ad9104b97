"""MicroPython's unix port, on which the virtual unit and the core tests run: `.venv/bin/micropython`.

A capable MicroPython on PATH is used as it is. Otherwise Debian's package is unpacked with the C library that it was
built for, and started through that library's own loader, so that it also runs on an older Debian.
"""

import os
import shutil
import subprocess
from pathlib import Path

from hil_tests.environment import debian
from hil_tests.environment.errors import SetUpError

SUITES = {"debian": "trixie", "ubuntu": "resolute"}  # the first releases with a capable package
PACKAGES = ("micropython", "libc6", "libffi8", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7")
ROOT = Path("micropython/root")  # in .venv: where the packages are unpacked
ADVICE = "Put a MicroPython (unix port) that can do all this on PATH and try again."
# What firmware and rig need, as expressions that raise if it is missing. The interpreter is tested rather than its
# version, because the version does not tell how it was built.
NEEDED = {
    "threads": "__import__('_thread').start_new_thread",
    "TLS 1.3": "[tls.SSLContext(tls.PROTOCOL_TLS_CLIENT).set_ciphers((TLS_1_3,)) for tls in (__import__('tls'),)]",
    "checked certificates": "__import__('tls').CERT_REQUIRED, __import__('tls').SSLContext.load_verify_locations",
    "who verified": "__import__('tls').SSLContext(__import__('tls').PROTOCOL_TLS_CLIENT).verify_callback",
    "ROMFS": "__import__('vfs').VfsRom",
    "littlefs": "__import__('vfs').VfsLfs2",
    "ffi": "__import__('ffi').open",
    "serial lines": "__import__('termios').setraw",
    "poll": "__import__('select').poll",
}
QUESTION = f"""
TLS_1_3 = "TLS1-3-AES-128-GCM-SHA256"
for name, needed in {NEEDED!r}.items():
    try:
        eval(needed)
    except Exception:
        print(name)
"""


def fetch(venv: Path) -> None:
    command = venv / "bin" / "micropython"
    if lacking(command) == []:
        return
    print("2/4  MicroPython ...", flush=True)
    command.unlink(missing_ok=True)
    installed = shutil.which("micropython")
    if installed and lacking(Path(installed)) == []:
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
    missing = lacking(command)
    if missing is None:
        raise SetUpError(f"the MicroPython of {suite} does not run here. {ADVICE}")
    if missing:
        raise SetUpError(f"the MicroPython of {suite} lacks {', '.join(missing)}. {ADVICE}")


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


def lacking(command: Path) -> list[str] | None:
    """Return which of NEEDED this interpreter lacks, or None if it does not start."""
    if not os.access(command, os.X_OK):
        return None
    try:
        asked = subprocess.run([command, "-c", QUESTION], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.splitlines()
