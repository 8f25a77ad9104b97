"""Does the same tag give the same bytes, can openssl sign a release, and is a failure reported in one clear line?"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
WITHIN_S = 100
IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a"}
ENVIRONMENT = os.environ | IDENTITY | {"GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull}


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with the firmware of this tree, and the tag v0.1.0."""
    folder = tmp_path / "repository"
    for room in ("firmware", "modem"):
        shutil.copytree(CHECKOUT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "all"), ("tag", "v0.1.0")):
        assert run("git", *words, folder=folder).returncode == 0
    return folder


def release(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m cloud_bridge release` of this tree. Files are written to `folder`."""
    folder.mkdir(exist_ok=True)
    python = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); from cloud_bridge.command_line import main; sys.exit(main())"
    environment = ENVIRONMENT | {"CHARGEKEEPER_DATA": str(folder / "store")}
    return subprocess.run(
        [sys.executable, "-c", python, "release", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


def build(repository: Path, folder: Path, tag: str = "v0.1.0") -> subprocess.CompletedProcess[str]:
    return release(folder, "build", tag, "--board", "tcall", "--repository", repository)


def test_the_same_tag_is_the_same_bytes_and_openssl_signs_it(repository: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        done = build(repository, folder)
        assert done.returncode == 0, done.stderr
    image, manifest = "chargekeeper-0.1.0-tcall.image", "chargekeeper-0.1.0-tcall.manifest"
    assert (first / image).read_bytes() == (second / image).read_bytes()
    assert (first / manifest).read_bytes() == (second / manifest).read_bytes()
    (first / "line").write_bytes((first / manifest).read_bytes().split(b"\n")[0])
    for words in (
        ("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem"),
        ("ec", "-in", "key.pem", "-pubout", "-out", "public.pem"),
        ("dgst", "-sha256", "-sign", "key.pem", "-out", "der", "line"),
    ):
        assert run("openssl", *words, folder=first).returncode == 0
    for line in (f"sign {manifest} --signature der", f"add {manifest} {image} --public public.pem"):
        done = release(first, *line.split())
        assert done.returncode == 0, done.stderr
    listed = release(first, "list").stdout
    assert listed.startswith("version 0.1.0  boards tcall")
    print(f"{(first / image).stat().st_size:,} bytes of image, {(first / manifest).stat().st_size:,} of manifest")


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("v9.9.9", "there is no tag v9.9.9"),
        ("latest", "'latest' is not a version"),
        ("v0.2.0", "firmware/version.py of v0.2.0 does not contain 0.2.0"),
    ],
)
def test_a_tag_that_is_no_release_is_one_line(repository: Path, tmp_path: Path, tag: str, reason: str) -> None:
    run("git", "tag", "v0.2.0", folder=repository)
    done = build(repository, tmp_path / "out", tag)
    assert done.returncode == 1
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_tag_that_is_checked_out_with_changes_is_refused(repository: Path, tmp_path: Path) -> None:
    (repository / "firmware" / "app.py").write_text("")
    done = build(repository, tmp_path / "out")
    assert done.returncode == 1
    assert "changes that are not in v0.1.0" in done.stderr
    assert not list((tmp_path / "out").glob("*.image"))


def test_an_image_that_no_slot_takes_and_a_board_that_is_none_are_refused(repository: Path, tmp_path: Path) -> None:
    done = release(tmp_path / "out", "build", "v0.1.0", "--board", "kettle", "--repository", repository)
    assert done.returncode == 1
    assert "BOARD=kettle" in done.stderr
    noise = f"NOISE = {os.urandom(400_000)!r}\n"
    (repository / "firmware" / "clock.py").write_text(noise + (repository / "firmware" / "clock.py").read_text())
    for words in (("commit", "-q", "-a", "-m", "noise"), ("tag", "-f", "v0.1.0")):
        assert run("git", *words, folder=repository).returncode == 0
    done = build(repository, tmp_path / "out")
    assert done.returncode == 1
    assert "and a slot takes 262,144" in done.stderr
