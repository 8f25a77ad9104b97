"""Are the files for mosquitto safe, and does a command that changes a secret report correctly whether the broker has it?"""

import json
import os
import pwd
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from cloud_bridge.cli import mosquitto_files as files
from cloud_bridge.cli.mosquitto import access_list
from cloud_bridge.cli.mosquitto_reload import signal_broker
from cloud_bridge.command_line import main
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.database import open_database


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that does not exist yet, in one that every user can enter: pytest's own are closed, and mosquitto is not
    root."""
    parent = Path(tempfile.mkdtemp())
    parent.chmod(0o755)
    yield parent / "mosquitto"
    shutil.rmtree(parent)


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CHARGEKEEPER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(tmp_path))


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """Run a command; return its answer, or {"error": ...}."""
    code = main([*words, "--json"])
    seen = capsys.readouterr()
    if code:
        assert seen.err.count("\n") == 1
        return {"error": seen.err.strip()}
    said: dict[str, object] = json.loads(seen.out)
    return said


def users(folder: Path) -> list[str]:
    return [line.partition(":")[0] for line in (folder / "passwords").read_text().splitlines()]


@pytest.mark.parametrize(
    ("host", "written"),
    [("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("", False)]
    + [("192.168.1.2", False), ("::", False), ("broker.example", False)],
)
def test_a_plain_listener_beyond_this_machine_has_to_be_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, host: str, written: bool
) -> None:
    """[S1-5]"""
    words = ("mosquitto", "write", "--folder", str(folder), "--host", host)
    answer = typed(capsys, *words)
    assert ("error" not in answer) is written
    assert folder.exists() is written
    if not written:
        assert "--plain-anywhere" in str(answer["error"])
        assert "error" not in typed(capsys, *words, "--plain-anywhere")
        monkeypatch.setenv("CHARGEKEEPER_MQTT_PLAIN", "anywhere")
        assert "error" not in typed(capsys, *words)


def test_the_broker_never_runs_as_root(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed(capsys, "mosquitto", "write", "--folder", str(folder))
    (user,) = [
        line.split()[1] for line in (folder / "mosquitto.conf").read_text().splitlines() if line.startswith("user ")
    ]
    entry = pwd.getpwnam(user)
    assert entry.pw_uid != 0
    for name in ("passwords", "acl", "mosquitto.conf"):
        written = (folder / name).stat()
        assert (stat.S_IMODE(written.st_mode), written.st_uid) == (0o600, entry.pw_uid), name
    secret = (folder / "bridge.secret").stat()
    assert (stat.S_IMODE(secret.st_mode), secret.st_uid) == (0o600, os.geteuid())
    assert files.may(files.BrokerUser(user, entry.pw_uid, entry.pw_gid), "-w", folder)


@pytest.mark.parametrize("found", [None, 0], ids=["no such user", "it is root"])
def test_root_is_told_when_there_is_nobody_to_run_the_broker_as(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: int | None
) -> None:
    def getpwnam(name: str) -> pwd.struct_passwd:
        if found is None:
            raise KeyError(name)
        return pwd.struct_passwd((name, "x", found, 0, "", "/", "/bin/sh"))

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", getpwnam)
    assert "must not run as root" in str(typed(capsys, "mosquitto", "write", "--folder", str(folder))["error"])
    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files that another user cannot reach")
def test_root_is_told_when_mosquitto_cannot_reach_the_files(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "cannot write in" in str(typed(capsys, "mosquitto", "write", "--folder", str(tmp_path / "closed"))["error"])
    key = tmp_path / "key.pem"
    key.write_text("a key")
    monkeypatch.setenv("CHARGEKEEPER_TLS_CERT", str(key))
    assert f"cannot read {key}" in str(typed(capsys, "mosquitto", "write", "--folder", str(folder))["error"])


@pytest.mark.parametrize("home_assistant", [False, True])
def test_each_client_of_ours_may_do_what_it_does_and_no_more(home_assistant: bool) -> None:
    entries: dict[str, list[str]] = {}
    for line in access_list(home_assistant).splitlines():
        if line.startswith("user "):
            entries[line.removeprefix("user ")] = allowed = []
        elif line.startswith("topic ") and "deny" not in line:
            allowed.append(line.removeprefix("topic "))
    bridge = [f"readwrite cp/+/{kind}" for kind in ("ask", "event", "heartbeat", "result", "session")]
    bridge += ["write cp/+/command", "write cp/+/piece"]
    if home_assistant:
        bridge += [
            "write homeassistant/sensor/+/last_contact/config",
            "write homeassistant/device/+/config",
            "write chargekeeper/+/contact",
        ]
    assert entries["_bridge-1"] == bridge
    assert entries["_canary-8"] == ["write cp/_canary-8/heartbeat"]
    assert ("home_assistant" in entries) is home_assistant


def test_a_command_that_changes_a_secret_brings_the_password_file_up_to_date(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHARGEKEEPER_HOME_ASSISTANT", "on")
    typed(capsys, "mosquitto", "write", "--folder", str(folder))
    monkeypatch.delenv("CHARGEKEEPER_HOME_ASSISTANT")  # as in a shell without the bridge's settings
    ours = users(folder)
    owner = (folder / "passwords").stat()
    assert "_bridge-1" in ours
    assert "home_assistant" in ours

    answer = typed(capsys, "unit", "add", "one")
    assert users(folder) == ["one", *ours]
    assert answer["broker_reloaded"] is False
    assert f"none was found that runs as mosquitto -c {folder}/mosquitto.conf" in str(answer["broker"])
    assert str(answer["broker"]).endswith("Until then it cannot log in")
    before = (folder / "passwords").read_text()
    assert "the old secret is accepted" in str(typed(capsys, "unit", "secret", "one")["broker"])
    assert users(folder) == ["one", *ours]
    assert (folder / "passwords").read_text() != before
    assert "the bridge ignores its messages after 2 s at most" in str(typed(capsys, "unit", "revoke", "one")["broker"])
    assert users(folder) == ours
    typed(capsys, "unit", "add", "home_assistant")
    assert users(folder) == ours, "a unit with the name of another client does not get its place"
    now = (folder / "passwords").stat()
    assert (now.st_uid, now.st_mode) == (owner.st_uid, owner.st_mode)


def test_without_an_outside_broker_nothing_is_said_of_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(typed(capsys, "unit", "add", "one")) == {"id", "secret", "claim_code"}
    assert typed(capsys, "unit", "revoke", "one") == {"id": "one", "revoked": True}
    monkeypatch.setenv("CHARGEKEEPER_BROKER", "mqtt://:secret@127.0.0.1:1")
    answer = typed(capsys, "unit", "revoke", "one")
    assert answer["broker_reloaded"] is False
    assert str(answer["broker"]).startswith("left to do: ")


def test_a_password_file_that_cannot_be_written_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed(capsys, "mosquitto", "write", "--folder", str(folder))
    shutil.rmtree(folder)
    answer = typed(capsys, "unit", "add", "one")
    assert answer["broker_reloaded"] is False
    assert "its password file was not written (No such file or directory)" in str(answer["broker"])
    assert "secret" in answer, "the unit is added all the same"


@pytest.fixture
def hang_ups() -> Iterator[list[int]]:
    """Count the reload signals to this process, which is not mosquitto."""
    seen: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGHUP, note)
    yield seen
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "99999999999999999999999", "4194305", "{pid}", "1"])
def test_a_process_that_is_not_our_mosquitto_gets_no_signal(tmp_path: Path, hang_ups: list[int], text: str) -> None:
    (tmp_path / "mosquitto.pid").write_text(text.format(pid=os.getpid()))
    assert not signal_broker(tmp_path / "mosquitto.conf").is_done
    assert not hang_ups


def test_nothing_that_another_user_has_put_in_the_folder_is_written_to(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    (tmp_path / "acl.new").symlink_to(victim)
    (tmp_path / "passwords").symlink_to(victim)
    files.write_file(tmp_path / "acl", "written")
    with pytest.raises(PermissionError):
        files.rewrite_passwords(tmp_path, [])
    assert victim.read_text() == "as it was"
    assert (tmp_path / "acl").read_text() == "written"


def test_two_commands_write_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LOCK_WITHIN_S", 0)
    database = open_database(tmp_path)
    with files.one_writer(database), pytest.raises(BridgeError), files.one_writer(database):
        pass
    database.close()
