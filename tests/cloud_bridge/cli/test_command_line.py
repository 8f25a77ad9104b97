"""Does `python -m cloud_bridge` carry out its commands, and report what is wrong in one line?"""

import io
import json
import os
import runpy
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from cloud_bridge import command_line
from cloud_bridge.errors import BridgeError
from cloud_bridge.passwords import Passwords
from cloud_bridge.settings import read_settings
from cloud_bridge.store.database import open_database
from cloud_bridge.store.people import find_login
from cloud_bridge.store.secrets import CLAIM_ALPHABET, matches
from cloud_bridge.store.security_events import newest_security_events
from cloud_bridge.store.tables import contacts
from cloud_bridge.store.tokens import find_token
from cloud_bridge.store.units import Protocol, secret_hash
from tests.cloud_bridge.raw import connect_packet, publish_packet
from tests.cloud_bridge.running import DEADLINE_S


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(tmp_path / "data"))
    for name in ("CHARGEKEEPER_HTTP_PORT", "CHARGEKEEPER_MQTT_PORT"):
        monkeypatch.setenv(name, "0")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert command_line.main(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert command_line.main(list(arguments)) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("chargekeeper: ")
    assert said.err.count("\n") == 1, "one line"
    return said.err


def test_a_unit_gets_a_secret_and_a_claim_code(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """[S1-2]"""
    said = answer(capsys, "unit", "add", "cp-1", "--json")
    assert set(said) == {"id", "secret", "claim_code"}
    assert said["id"] == "cp-1"
    assert len(said["secret"]) == 43
    assert len(said["claim_code"]) == 14
    assert set(said["claim_code"]) <= set(CLAIM_ALPHABET) | {"-"}
    with open_database(tmp_path / "data").reading() as connection:
        kept = secret_hash(connection, "cp-1", Protocol.MQTT)
    assert matches(said["secret"], kept)
    assert kept != said["secret"]
    (listed,) = answer(capsys, "unit", "list", "--json")
    assert (listed["id"], listed["protocol"]) == ("cp-1", "mqtt")


@pytest.mark.parametrize("command", ["add", "secret"])
def test_the_secret_that_a_unit_made_is_taken_and_not_repeated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    if command == "secret":
        answer(capsys, "unit", "add", "cp-1", "--json")
    made = "0123456789abcdef" * 4
    monkeypatch.setattr("sys.stdin", io.StringIO(made + "\n"))
    assert made not in str(answer(capsys, "unit", command, "cp-1", "--secret", "-", "--json"))
    with open_database(tmp_path / "data").reading() as connection:
        assert matches(made, secret_hash(connection, "cp-1", Protocol.MQTT))


@pytest.mark.parametrize("weak", ["", "letmein", "f" * 63, "F" * 64])
def test_a_secret_that_people_thought_up_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, weak: str
) -> None:
    """[S1-2]"""
    monkeypatch.setattr("sys.stdin", io.StringIO(weak + "\n"))
    assert "64 hexadecimal digits" in refusal(capsys, "unit", "add", "cp-1", "--secret", "-")
    assert answer(capsys, "unit", "list", "--json") == []


def test_a_charger_of_another_maker_gets_a_key_that_it_can_take_and_its_address(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARGEKEEPER_OCPP_PORT", "9000")
    said = answer(capsys, "unit", "add", "wall", "--ocpp", "--json")
    assert len(said["secret"]) == 20 and said["connect_to"] == "ws://127.0.0.1:9000/ocpp/wall"
    odd = answer(capsys, "unit", "add", "R 1/ü", "--ocpp", "--json")
    assert odd["id"] == "R-1---1effe3ed" and odd["user"] == "R 1/ü"
    assert odd["connect_to"] == "ws://127.0.0.1:9000/ocpp/R%201%2F%C3%BC"
    listed = answer(capsys, "unit", "list", "--json")
    assert [(one["id"], one["protocol"]) for one in listed] == [("R-1---1effe3ed", "ocpp"), ("wall", "ocpp")]
    assert len(answer(capsys, "unit", "secret", "wall", "--json")["secret"]) == 20


@pytest.mark.parametrize(
    ("key", "is_taken"), [("a maker's key", False), ("short", False), ("0123456789abcdefXYZ", True)]
)
def test_a_key_of_the_chargers_own_is_taken_if_it_is_long_enough(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, key: str, is_taken: bool
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{key}\n"))
    words = ("unit", "add", "wall", "--ocpp", "--secret", "-")
    if is_taken:
        assert "secret" not in answer(capsys, *words, "--json")
    else:
        assert "16 to 40 characters" in refusal(capsys, *words)


@pytest.mark.parametrize("name", ["CHARGEKEEPER_OCPPS_PORT", "CHARGEKEEPER_OCPP_PORT"])
def test_a_door_that_cannot_be_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "x")
    assert name in refusal(capsys, "unit", "list")


def test_a_unit_that_is_there_already_is_not_changed(capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "unit", "add", "cp-1", "--json")
    assert "cp-1 exists already" in refusal(capsys, "unit", "add", "cp-1", "--json")


@pytest.mark.parametrize("unit_id", ["a/b", "#", "x" * 37])
def test_an_id_that_fits_no_topic_is_refused(capsys: pytest.CaptureFixture[str], unit_id: str) -> None:
    assert "is not a valid unit id" in refusal(capsys, "unit", "add", unit_id)


def test_many_units_are_added_from_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("cp-1\n\n  cp-2\ncp-3\n")
    added = answer(capsys, "unit", "add", "--file", str(file), "--json")
    assert [one["id"] for one in added] == ["cp-1", "cp-2", "cp-3"]
    assert len({one["secret"] for one in added} | {one["claim_code"] for one in added}) == 6
    with open_database(tmp_path / "data").reading() as connection:
        assert all(matches(one["secret"], secret_hash(connection, one["id"], Protocol.MQTT)) for one in added)
        (event,) = newest_security_events(connection)
    assert (event.kind, event.about) == ("unit_added", "cp-1 and 2 more")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("cp-1\nthere\n", "there exists already"),
        ("cp-1\na/b\n", "is not a valid unit id"),
        ("cp-1\ncp-1\n", "has cp-1 2 times"),
        ("\n", "has 0 ids"),
    ],
)
def test_of_a_file_all_units_are_added_or_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, lines: str, reason: str
) -> None:
    answer(capsys, "unit", "add", "there", "--json")
    file = tmp_path / "ids.txt"
    file.write_text(lines)
    assert reason in refusal(capsys, "unit", "add", "--file", str(file))
    assert [one["id"] for one in answer(capsys, "unit", "list", "--json")] == ["there"]


def test_a_file_of_units_that_cannot_be_used_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "cannot read" in refusal(capsys, "unit", "add", "--file", str(tmp_path / "none.txt"))
    file = tmp_path / "ids.txt"
    file.write_bytes(b"\xff\n")
    assert "is not text in UTF-8" in refusal(capsys, "unit", "add", "--file", str(file))
    file.write_text("cp-1\n")
    assert "one charge point" in refusal(capsys, "unit", "add", "--file", str(file), "--secret", "-")
    assert "or a --file" in refusal(capsys, "unit", "add", "cp-1", "--file", str(file))
    assert "or a --file" in refusal(capsys, "unit", "add")


def test_the_list_tells_owner_claim_and_last_contact(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = answer(capsys, "unit", "add", "cp-1", "--json")["claim_code"]
    answer(capsys, "unit", "add", "cp-2", "--json")
    answer(capsys, "user", "add", "ann", "--json")
    answer(capsys, "unit", "claim", code, "ann", "--json")
    assert answer(capsys, "unit", "silence", "cp-1", "300", "--json") == {"id": "cp-1", "silent_after_minutes": 300}
    row = {"unit_id": "cp-1", "last_contact_ms": 1_700_000_000_000, "last_kind": "heartbeat", "messages": 1}
    with open_database(tmp_path / "data").writing() as connection:
        connection.execute(insert(contacts), row | {"bad_payloads": 0, "operator": "", "shard": 1})
    owned, unowned = answer(capsys, "unit", "list", "--json")
    assert (owned["owner"], owned["silent_after_minutes"]) == ("ann", 300)
    assert owned["last_contact"] == "2023-11-14T22:13:20.000Z"
    assert owned["claimed"] is not None
    rest = {"owner": None, "claimed": None, "last_contact": None, "silent_after_minutes": 30}
    assert unowned == {"id": "cp-2", "protocol": "mqtt"} | rest


@pytest.mark.parametrize("minutes", ["0", "4", "10081", "-1"])
def test_a_silence_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], minutes: str) -> None:
    answer(capsys, "unit", "add", "cp-1", "--json")
    assert "5 to 10080 minutes" in refusal(capsys, "unit", "silence", "cp-1", "--", minutes)
    assert "no unit cp-9" in refusal(capsys, "unit", "silence", "cp-9", "60")


def test_a_token_and_a_user_can_be_used(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    token = answer(capsys, "token", "add", "--json")["token"]
    user = answer(capsys, "user", "add", "ann", "--json")
    with open_database(tmp_path / "data").reading() as connection:
        assert find_token(connection, token, 0) is not None
        assert find_token(connection, "guess", 0) is None
        login = find_login(connection, user["user"])
    assert login is not None
    assert (login.person.name, login.person.role) == ("ann", "driver")
    passwords = Passwords()
    assert passwords.matches(login.password_hash, user["password"])
    assert not passwords.matches(login.password_hash, "guess")
    passwords.close()


def test_a_user_that_is_there_already_is_named_by_what_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "user", "add", "ann", "--email", "ann@example.org", "--json")
    assert refusal(capsys, "user", "add", "ann") == "chargekeeper: the user ann exists already\n"
    assert "ann@example.org" in refusal(capsys, "user", "add", "ben", "--email", "ann@example.org")


def test_without_json_it_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["unit", "add", "cp-1"]) == 0
    assert capsys.readouterr().out.startswith("id cp-1  secret ")


@pytest.mark.parametrize("variable", ["CHARGEKEEPER_HTTP_PORT", "CHARGEKEEPER_MQTT_PORT"])
def test_a_busy_port_is_named_with_its_variable_and_nothing_else_is_said(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv(variable, str(port))
        said = refusal(capsys)
    assert f"cannot listen on port {port} (Address already in use): free it, or set {variable}" in said
    assert [record.message for record in caplog.records] == []


@pytest.mark.parametrize("value", ["web", "-1", "65536", "8080.5", "٣"])
def test_a_port_that_is_none_is_named_with_its_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CHARGEKEEPER_MQTT_PORT", value)
    assert "CHARGEKEEPER_MQTT_PORT" in refusal(capsys)


def test_a_folder_that_cannot_be_written_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(tmp_path / "file"))
    said = refusal(capsys)
    assert str(tmp_path / "file") in said
    assert "CHARGEKEEPER_DATA" in said


def test_a_backup_that_cannot_be_written_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "none" / "copy.db"
    assert f"{target} cannot be written (No such file or directory): name a file" in refusal(
        capsys, "data", "backup", str(target)
    )


@pytest.mark.parametrize("number", ["0", "7", str(2**63)])
def test_a_token_that_there_is_not_is_named(capsys: pytest.CaptureFixture[str], number: str) -> None:
    """Also for a number that is too large for the database."""
    assert f"there is no token number {number}" in refusal(capsys, "token", "remove", number)


def test_an_installer_who_had_nothing_to_do_with_a_unit_is_not_withdrawn(capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "user", "add", "ingo", "--role", "installer", "--json")
    assert "there is no unit CP-9 that is assigned to ingo" in refusal(capsys, "unit", "withdraw", "CP-9", "ingo")


def test_a_wrong_command_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command_line.main(["unit", "steal"])
    assert caught.value.code == 2


@pytest.mark.parametrize(("command", "words"), [("token add", "ci"), ("unit claim", "u1 code ann")])
def test_a_word_too_many_is_answered_with_the_commands_own_usage(
    capsys: pytest.CaptureFixture[str], command: str, words: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        command_line.main([*command.split(), *words.split()])
    assert capsys.readouterr().err.startswith(f"usage: python -m cloud_bridge {command} [-h]")


def test_ctrl_c_ends_it_quietly_from_the_first_import_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class StillImporting:
        def __getattr__(self, name: str) -> Any:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "cloud_bridge.command_line", StillImporting())
    with pytest.raises(SystemExit, match="130"):
        runpy.run_module("cloud_bridge", run_name="__main__")


def test_it_serves_until_sigterm_and_keeps_what_came_in(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A unit that was added while the bridge runs logs in and publishes without waiting for an answer; then the process is
    ended."""

    def visit(mqtt_port: int) -> None:
        try:
            assert command_line.main(["unit", "add", "cp-1", "--json"]) == 0
            secret = json.loads(capsys.readouterr().out.splitlines()[-1])["secret"]
            with socket.create_connection(("127.0.0.1", mqtt_port), DEADLINE_S) as unit:
                unit.sendall(connect_packet("cp-1", "cp-1", secret))
                assert unit.recv(4) == b"\x20\x02\x00\x00"
                unit.sendall(publish_packet("cp/cp-1/heartbeat", b"{}") + b"\xc0\x00")
                assert unit.recv(2), "the ping was answered, so the heartbeat came in"
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    visitor: list[threading.Thread] = []

    def ready(_settings: Any, _http_port: int, mqtt_port: int, _mqtts_port: int | None) -> None:
        visitor.append(threading.Thread(target=visit, args=(mqtt_port,)))
        visitor[0].start()

    monkeypatch.setattr(command_line, "_say_ready", ready)
    assert command_line.main([]) == 0
    visitor[0].join(DEADLINE_S)
    with open_database(tmp_path / "data").reading() as connection:
        assert connection.execute(select(contacts.c.messages)).scalar() == 1


@pytest.mark.parametrize("word", ["a\0b", "\udc80", "a\ud800"])
def test_an_argument_that_is_no_text_is_wrong_usage(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["unit", "add", word], ["user", "add", word], ["token", "add", "--name", word], [word]):
        with pytest.raises(SystemExit) as ended:
            command_line.main(words)
        assert ended.value.code == 2
        assert capsys.readouterr().err.splitlines()[-1].endswith("an argument is not text in UTF-8")


@pytest.mark.parametrize("name", ["CHARGEKEEPER_HELP", "CHARGEKEEPER_MAKER"])
def test_a_contact_is_one_line_that_people_can_read(name: str) -> None:
    """[S1-11]"""
    for text in ("call\n0800", "x" * 201, "\x1b[2J"):
        with pytest.raises(BridgeError, match=f"{name} has to be one line of up to 200 printable characters"):
            read_settings({name: text})
    settings = read_settings({name: " 0800 000 000, weekdays 8 to 18 "})
    assert "0800 000 000, weekdays 8 to 18" in (settings.help, settings.maker)


def test_a_setting_that_is_no_text_is_named() -> None:
    with pytest.raises(BridgeError, match="CHARGEKEEPER_MAKER is not text"):
        read_settings({"CHARGEKEEPER_MAKER": "call \udc80"})
