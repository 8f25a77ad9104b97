"""Packages of Debian's archive, unpacked into a folder of ours: no root, and the machine stays as it was.

apt is asked with its state in a private folder and with the machine's own source entries, so the mirror, its proxy and
the signing keys are those that the machine already trusts.
"""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hil_tests.environment.errors import SetUpError, run

SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))
ADVICE = "Is the machine's own `apt-get update` working?"


def release() -> tuple[str, str]:
    """(distribution, suite) of this machine, as in ("debian", "bookworm")."""
    try:
        text = Path("/etc/os-release").read_text()
    except OSError as error:
        raise SetUpError("this machine has no /etc/os-release, so it is not a Debian or Ubuntu.") from error
    facts = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    return facts.get("ID", "unknown"), facts.get("VERSION_CODENAME", "")


def unpack(packages: Sequence[str], suite: str, root: Path) -> None:
    """Fetch `packages` of `suite` and lay their files below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chargekeeper-apt-") as folder:
        private = Path(folder)
        for name in ("sources", "state/lists/partial", "cache/archives/partial", "fetched"):
            (private / name).mkdir(parents=True)
        _copy_sources(release()[1], suite, private / "sources")
        options = [
            "-oDir::Etc::SourceList=/dev/null",
            f"-oDir::Etc::SourceParts={private / 'sources'}",
            f"-oDir::State={private / 'state'}",
            "-oDir::State::status=/var/lib/dpkg/status",
            f"-oDir::Cache={private / 'cache'}",
            "-oAPT::Sandbox::User=",  # the private folder is closed to apt's own user
            "-oAcquire::Languages=none",
            "-oAcquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false",
        ]
        run(["apt-get", *options, "update"], ADVICE)
        run(["apt-get", *options, "download", *packages], ADVICE, cwd=private / "fetched")
        for package in sorted((private / "fetched").glob("*.deb")):
            run(["dpkg", "-x", package, root], "Is the disk full?")


def _copy_sources(own_suite: str, suite: str, folder: Path) -> None:
    """The machine's enabled source entries, each suite name replaced by that of `suite`."""
    found = [path for source in SOURCES for path in ([source] if source.is_file() else sorted(source.glob("*")))]
    entries = [path for path in found if path.suffix in (".list", ".sources")]
    for number, path in enumerate(entries):
        text = path.read_text()
        if own_suite in text:  # other people's repositories do not carry the suite we ask for
            (folder / f"{number}{path.suffix}").write_text(text.replace(own_suite, suite))
    if not any(folder.iterdir()):
        raise SetUpError(f"apt knows no source for {own_suite or 'this machine'}. {ADVICE}")
