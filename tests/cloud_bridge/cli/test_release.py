"""Does the command line sign, verify and store releases, and report what is wrong in one line?"""

import os
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from cloud_bridge.command_line import main
from cloud_bridge.releases.manifest import read_signed, write_line
from cloud_bridge.settings import read_settings
from cloud_bridge.store.database import open_database
from tests.cloud_bridge.releases.making import KEY, release
from tests.cloud_bridge.releases.rolling_out import add_heard
from tests.cloud_bridge.running import store_at

MADE = release()
PRIVATE = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `manifest` (not signed), `image`, `key.pem` and `public.pem`. The store is in another folder."""
    (tmp_path / "store").mkdir()
    where = store_at(tmp_path / "store")
    monkeypatch.setenv("CHARGEKEEPER_DATABASE" if isinstance(where, str) else "CHARGEKEEPER_DATA", str(where))
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(tmp_path / "store"))
    for name, content in (
        ("manifest", write_line(MADE.manifest) + b"\n"),
        ("image", MADE.image),
        ("key.pem", PRIVATE),
        ("public.pem", PUBLIC),
    ):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    return tmp_path


def run(files: Path, *words: str) -> int:
    """Run `release` with these words. A word that names a file of the folder becomes its path."""
    return main(["release", *(str(files / word) if (files / word).is_file() else word for word in words)])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the only line on standard error."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_a_release_is_signed_added_and_listed(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(files, "sign", "manifest", "--key", "key.pem") == 0
    assert read_signed((files / "manifest").read_bytes()).manifest == MADE.manifest
    for _ in range(2):  # a repetition changes nothing
        assert run(files, "add", "manifest", "image", "--public", "public.pem") == 0
    assert run(files, "list") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("version 1.4.0  boards tcall  least 1.0.0  bytes ")
    assert run(files, "sign", "manifest", "--key", "key.pem") == 0  # another signature, and therefore another manifest
    assert run(files, "add", "manifest", "image", "--public", "public.pem") == 1
    assert "1.4.0 for tcall is stored already with another manifest" in said(capsys)


def test_the_public_keys_of_the_data_folder_are_used(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(files, "sign", "manifest", "--key", "key.pem", "--number", "1") == 0
    assert run(files, "add", "manifest", "image") == 1
    assert "there is no public key 1" in said(capsys)
    (files / "store" / "update-keys").mkdir(parents=True)
    (files / "store" / "update-keys" / "1.pem").write_bytes(PUBLIC)
    assert run(files, "add", "manifest", "image") == 0


def test_an_outside_signer_signs_the_digest(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(files, "sign", "manifest") == 0
    digest = capsys.readouterr().out.split()[-1]
    prehashed = ec.ECDSA(Prehashed(hashes.SHA256()))
    (files / "der").write_bytes(KEY.sign(bytes.fromhex(digest), prehashed))
    assert run(files, "sign", "manifest", "--signature", "der") == 0
    assert run(files, "add", "manifest", "image", "--public", "public.pem") == 0


def test_a_key_that_is_missing_open_or_of_another_curve_is_one_line(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(files, "sign", "manifest", "--key", "nowhere.pem") == 1
    assert "the key nowhere.pem cannot be read" in said(capsys)
    (files / "key.pem").chmod(0o644)
    assert run(files, "sign", "manifest", "--key", "key.pem") == 1
    assert "chmod 600" in said(capsys)
    other = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (files / "key.pem").write_bytes(other)
    (files / "key.pem").chmod(0o600)
    assert run(files, "sign", "manifest", "--key", "key.pem") == 1
    assert "P-256" in said(capsys)


@pytest.mark.parametrize(
    ("bend", "reason"),
    [
        (lambda files: (files / "image").write_bytes(release(filling=b"x").image), "is not the one that the manifest"),
        (lambda files: (files / "image").write_bytes(bytes(262_145)), "has more than 262,144 bytes"),
        (lambda files: (files / "manifest").write_bytes(write_line(MADE.manifest) + b"\n"), "`release sign` adds that"),
        (lambda files: (files / "manifest").write_bytes(release("1.5.0").whole.replace(b"1.5.0", b"1.6.0")), "signed"),
        (lambda files: (files / "public.pem").write_bytes(b"hello"), "not a public key in PEM"),
        (lambda files: (files / "image").unlink(), "cannot be read"),
    ],
)
def test_what_does_not_fit_is_not_stored(
    files: Path, capsys: pytest.CaptureFixture[str], bend: "object", reason: str
) -> None:
    assert run(files, "sign", "manifest", "--key", "key.pem") == 0
    capsys.readouterr()
    bend(files)  # type: ignore[operator]
    assert run(files, "add", "manifest", "image", "--public", "public.pem") == 1
    assert reason in said(capsys)
    assert run(files, "list") == 0
    assert capsys.readouterr().out == ""


@pytest.fixture
def added(files: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """`files`, with the release in the store, and two units that were in contact."""
    assert run(files, "sign", "manifest", "--key", "key.pem") == 0
    assert run(files, "add", "manifest", "image", "--public", "public.pem") == 0
    with closing(open_database(read_settings(os.environ).store)) as database, database.writing() as connection:
        add_heard(connection, "cp-1", "cp-2")
    capsys.readouterr()
    return files


def test_a_roll_out_is_started_listed_and_stopped(added: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(added, "roll-out", "1.4.0", "--all", "--required-by", "2026-06-30") == 0
    assert run(added, "roll-outs") == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "roll-out 1  version 1.4.0  units 2"
    assert shown[1].startswith("roll-out 1  version 1.4.0  state running  ring one unit  started ")
    assert shown[1].endswith("waiting 2")
    assert run(added, "stop", "1") == 0
    assert run(added, "stop", "1") == 1
    assert said(capsys) == "chargekeeper: the roll-out is stopped already"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("roll-out", "1.9.0", "--all"), "there is no release 1.9.0"),
        (("roll-out", "1.4.0", "--network", "99999"), "no unit is chosen"),
        (("roll-out", "1.4.0", "--list", "nowhere"), "nowhere cannot be read"),
        (("roll-out", "1.4.0", "--list", "image"), "cannot be read"),
        (("stop", "9"), "there is no roll-out 9"),
    ],
)
def test_what_cannot_be_rolled_out_is_one_line(
    added: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], reason: str
) -> None:
    assert run(added, *words) == 1
    assert reason in said(capsys)


def test_units_without_an_image_for_their_board_are_told(added: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(open_database(read_settings(os.environ).store)) as database, database.writing() as connection:
        add_heard(connection, "cp-3", board="virtual")
    assert run(added, "roll-out", "1.4.0", "--all") == 0
    assert capsys.readouterr().out.strip().endswith("units 2  left out, without an image for their board 1")


def test_two_roll_outs_at_once_are_refused(added: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (added / "ids").write_text("cp-2\n\n")
    assert run(added, "roll-out", "1.4.0", "--all") == 0
    assert run(added, "roll-out", "1.4.0", "--list", "ids") == 1
    assert "roll-out 1 of 1.4.0 runs for 1 of these units: stop it first" in said(capsys)
