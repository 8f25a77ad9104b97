"""A clean Debian 12 in a folder. Its processes see no others, and have no network except loopback, unless they fetch.

debootstrap creates it once, in build/; each run gets a copy. The mirror, proxies, authorities and indexes are those of
this machine's apt, pip and npm. Nothing else of the machine is in it.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hil_tests.environment.errors import SetUpError, run
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent

SUITE = "bookworm"
MADE = CHECKOUT / "build" / "stranger" / SUITE
WITH = "systemd,ca-certificates"  # Debian's installer installs these too
IN_ROOT = Path(__file__).parent / "in_root"  # copied to /usr/local
ADVICE = "Does `apt-get update` work on this machine?"
SET_UP_FOR_FETCHING = (  # where this machine fetches from, and which authorities it trusts
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/pip.conf",
    "/etc/xdg/pip",
    "/root/.config/pip",
    "/etc/npmrc",
    "/root/.npmrc",
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d",
    "/usr/share/keyrings",
    "/usr/local/share/ca-certificates",
    "/etc/ssl/certs/ca-certificates.crt",
)
FETCHING = re.compile(r"^(?i:pip_|npm_|node_|ssl_cert|requests_|curl_|https?_proxy|no_proxy)")
UNSHARE = ("unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child")
# The first process makes the folder the root of its namespaces, with the indexes of pip in it, and then only reaps
# processes that have ended. It mounts no control groups: podman would want those of systemd.
FIRST = """
root=$1; shift
mount --bind "$root" "$root"
cd "$root"
mount --rbind /dev dev
mount -t tmpfs tmpfs dev/shm
mount -t sysfs sysfs sys
mount -t tmpfs tmpfs sys/fs/cgroup
mount -t proc proc proc
for index; do mkdir -p ".$index"; mount --bind "$index" ".$index"; done
ip link set lo up
mkdir -p .former
pivot_root . .former
exec chroot . bash -ec 'umount -l /.former; rmdir /.former; echo > /run/settled; while :; do sleep 3600 & wait $!; done'
"""
NO_SERVICES = "#!/bin/sh\nexit 101\n"  # policy-rc.d: packages start no services while they are installed
WITHIN_S = 1800.0


def reason_against() -> str | None:
    """Return why a clean root cannot be created here, or None."""
    if os.geteuid() != 0:
        return "a clean root takes root: chroot, and namespaces of its own"
    missing = [name for name in ("debootstrap", "unshare", "nsenter", "chroot") if shutil.which(name) is None]
    return f"{', '.join(missing)} is not installed" if missing else None


def make() -> None:
    """Create the root from which all are copied. Raises SetUpError."""
    if MADE.exists():
        return
    MADE.parent.mkdir(parents=True, exist_ok=True)
    target = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"]
    told = subprocess.run(target, capture_output=True, text=True, check=True).stdout
    mirrors = [line.split()[0] for line in told.splitlines() if line.split()[1:] == [SUITE]]
    if not mirrors:
        raise SetUpError(f"apt knows no source for {SUITE}. {ADVICE}")
    unfinished = MADE.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    print("debootstrap ...", flush=True)
    run(["debootstrap", "--variant=minbase", f"--include={WITH}", SUITE, unfinished, mirrors[0]], ADVICE)
    unfinished.rename(MADE)


class Done(NamedTuple):
    returncode: int
    stdout: str  # with standard error


class CleanRoot:
    """A clean root. Its processes end with it, or with this process."""

    def __init__(self) -> None:
        """Copy the root and start its first process. Raises SetUpError."""
        make()
        self._folder = Path(tempfile.mkdtemp(prefix="chargekeeper-root-"))
        self.path = self._folder / "root"
        run(["cp", "--archive", "--reflink=auto", MADE, self.path], "Is the disk full?")
        self._settle()
        self._first = subprocess.Popen(
            [*UNSHARE, "sh", "-ec", FIRST, "sh", self.path, *_indexes()], preexec_fn=die_with_parent
        )

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def run(self, text: str, environment: Mapping[str, str], fetches: bool = False) -> Done:
        """Run these lines in root's shell, up to the first failure. With `fetches`, in this machine's network."""
        enter = ["nsenter", f"--target={self._inside()}", "--mount", "--root", "--wd", "--pid", "--uts", "--ipc"]
        if not fetches:
            enter.append("--net")
        own = {
            "HOME": "/root",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
        }
        there = {name: value for name, value in os.environ.items() if FETCHING.match(name)}
        with tempfile.TemporaryFile("w+") as printed:  # not a pipe, which background processes would hold open
            done = subprocess.run(
                [*enter, "bash", "-euo", "pipefail", "-c", f"cd\n{text}"],
                env=there | own | {"DEBIAN_FRONTEND": "noninteractive"} | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                timeout=WITHIN_S,
                check=False,
            )
            printed.seek(0)
            return Done(done.returncode, printed.read())

    def close(self) -> None:
        self._first.kill()
        self._first.wait()
        run(["rm", "--recursive", "--force", "--one-file-system", self._folder], "It can be removed by hand.")

    def _inside(self) -> int:
        """Return the first process of the namespaces, whose parent is `unshare`."""
        while not (self.path / "run" / "settled").exists():
            if self._first.poll() is not None:
                raise SetUpError("this machine does not allow namespaces of its own")
            time.sleep(0.05)
        return int(Path(f"/proc/{self._first.pid}/task/{self._first.pid}/children").read_text().split()[0])

    def _settle(self) -> None:
        """Configure what Debian's installer would have asked for, and add the stand-ins."""
        (self.path / "etc/apt/sources.list").unlink(missing_ok=True)
        for name in SET_UP_FOR_FETCHING:
            if Path(name).exists():
                (self.path / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
                run(
                    ["cp", "--archive", "--dereference", "--no-target-directory", name, self.path / name.lstrip("/")],
                    "",
                )
        acquire = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=True).stdout
        kept = re.findall(r"^Acquire::(?:https?|Check-)\S* .*$", acquire, re.MULTILINE)
        self.write("/etc/apt/apt.conf.d/90machine", "".join(f"{line}\n" for line in kept))
        self.write("/usr/sbin/policy-rc.d", NO_SERVICES, 0o755)
        for file in IN_ROOT.glob("*.py"):
            self.write(f"/usr/local/bin/{file.stem}", file.read_text(), 0o755)


def _indexes() -> list[str]:
    """Return the folders of this machine from which its pip takes packages."""
    words = ["python3", "-m", "pip", "config", "list"]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    folders = {str(Path(*Path(name).parts[:3])) for name in re.findall(r"(?:file://|')(/[^\s',]+)", told)}
    return sorted(name for name in folders if Path(name).is_dir() and not name.startswith(("/etc", "/usr")))
