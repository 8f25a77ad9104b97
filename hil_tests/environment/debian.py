"""Unpack packages of Debian's archive into a given folder, without root and without changing the machine.

apt runs with its state in a private folder and with the machine's own source entries, so mirror, proxy and signing keys
are those that the machine already trusts.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hil_tests.environment.errors import NotToBeHad, SetUpError, run

SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))
NO_SOURCE = "no mirror of this machine has the source package"
ADVICE = "Is the machine's own `apt-get update` working?"


def release() -> tuple[str, str]:
    """Return (distribution, suite) of this machine, such as ("debian", "bookworm")."""
    try:
        text = Path("/etc/os-release").read_text()
    except OSError as error:
        raise SetUpError("this machine has no /etc/os-release, so it is not a Debian or Ubuntu.") from error
    facts = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    return facts.get("ID", "unknown"), facts.get("VERSION_CODENAME", "")


def unpack(packages: Sequence[str], suite: str, root: Path) -> None:
    """Fetch `packages` of `suite` and unpack them below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    with _apt(suite) as (apt_get, private):
        run([*apt_get, "download", *packages], ADVICE, cwd=private / "fetched")
        _lay(private / "fetched", root)


def unpack_with_dependencies(packages: Sequence[str], root: Path) -> None:
    """Fetch `packages` of this machine's suite, with their dependencies that are not installed. Unpack them below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    with _apt(release()[1]) as (apt_get, private):
        command = [*apt_get, "-oDebug::NoLocking=1", "install", "--download-only", "--no-install-recommends", "-y"]
        run([*command, *packages], ADVICE)
        _lay(private / "cache/archives", root)


def fetch_source(package: str, suite: str, folder: Path) -> None:
    """Unpack the upstream archive of a source package, checked by apt, into `folder`. Raises NotToBeHad if no mirror
    has it."""
    with ExitStack() as stack:
        try:
            apt_get, private = stack.enter_context(_apt(suite, sources=True))
            run([*apt_get, "source", "--download-only", package], ADVICE, cwd=private / "fetched")
        except SetUpError as error:
            raise NotToBeHad(f"{NO_SOURCE} {package}: {error}") from error
        archives = list((private / "fetched").glob("*.orig.tar.*"))
        if len(archives) != 1:
            raise SetUpError(f"the source package {package} of {suite} has no upstream archive.")
        folder.mkdir(parents=True, exist_ok=True)
        run(["tar", "-x", "-f", archives[0], "-C", folder, "--strip-components=1"], "Is the disk full?")


@contextmanager
def _apt(suite: str, sources: bool = False) -> Iterator[tuple[list[str], Path]]:
    """Yield an apt-get command line with the lists of `suite`, and the private folder with its state."""
    with tempfile.TemporaryDirectory(prefix="chargekeeper-apt-") as folder:
        private = Path(folder)
        for name in ("sources", "state/lists/partial", "cache/archives/partial", "fetched"):
            (private / name).mkdir(parents=True)
        _copy_sources(release()[1], suite, private / "sources", sources)
        apt_get = [
            "apt-get",
            "-oDir::Etc::SourceList=/dev/null",
            f"-oDir::Etc::SourceParts={private / 'sources'}",
            f"-oDir::State={private / 'state'}",
            "-oDir::State::status=/var/lib/dpkg/status",
            f"-oDir::Cache={private / 'cache'}",
            "-oAPT::Sandbox::User=",  # apt's own user cannot read the private folder
            "-oAcquire::Languages=none",
            "-oAcquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false",
        ]
        run([*apt_get, "update"], ADVICE)
        yield apt_get, private


def _lay(packages: Path, root: Path) -> None:
    for package in sorted(packages.glob("*.deb")):
        run(["dpkg", "-x", package, root], "Is the disk full?")


def _copy_sources(own_suite: str, suite: str, folder: Path, sources: bool) -> None:
    """Copy the machine's enabled source entries, with their suite replaced by `suite`, and add source packages if asked."""
    found = [path for source in SOURCES for path in ([source] if source.is_file() else sorted(source.glob("*")))]
    entries = [path for path in found if path.suffix in (".list", ".sources")]
    for number, path in enumerate(entries):
        text = path.read_text()
        if own_suite in text:  # other repositories do not have the requested suite
            entry = text.replace(own_suite, suite)
            (folder / f"{number}{path.suffix}").write_text(_with_sources(entry, path.suffix) if sources else entry)
    if not any(folder.iterdir()):
        raise SetUpError(f"apt knows no source for {own_suite or 'this machine'}. {ADVICE}")


def _with_sources(entry: str, form: str) -> str:
    """Return a source entry, in either of apt's forms (sources.list(5)), with its source packages added."""
    if form == ".sources":
        return re.sub(r"^Types:.*$", "Types: deb deb-src", entry, flags=re.MULTILINE)
    return entry + "".join(f"deb-src {rest}\n" for rest in re.findall(r"^deb\s+(.+)$", entry, re.MULTILINE))
