"""Does the doctor report what is in order, what is not, and what to do?"""

import argparse
import os
import resource
import runpy
import shlex
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.cli import doctor, tls
from cloud_bridge.command_line import main
from cloud_bridge.connection_limits import files_for
from cloud_bridge.errors import BridgeError
from cloud_bridge.settings import Settings, read_settings


def settings(folder: Path, **environment: str) -> Settings:
    return read_settings({"CHARGEKEEPER_DATA": str(folder), "CHARGEKEEPER_HTTP_PORT": "1"} | environment)


def finding(asked: Settings, check: str) -> dict[str, Any]:
    rows = doctor.run(asked, argparse.Namespace())
    assert isinstance(rows, list)
    (row,) = (row for row in rows if row["check"] == check)
    return row


def test_before_the_first_start_there_is_room_and_a_store(tmp_path: Path) -> None:
    asked = settings(tmp_path / "new" / "var")
    assert finding(asked, "disk")["ok"]
    assert finding(asked, "database") == {"check": "database", "ok": True, "found": "sqlite, in order"}
    assert "start it" in finding(asked, "broker")["found"]


@pytest.mark.parametrize("check", ["broker", "duties"])
def test_without_a_token_it_goes_by_what_strangers_are_told(
    check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_health", lambda _settings: {"status": "ok"})
    well = finding(settings(tmp_path), check)
    assert well["ok"] and "set CHARGEKEEPER_API_TOKEN" in well["found"]
    monkeypatch.setattr(doctor, "_health", lambda _settings: {"status": "in trouble"})
    ill = finding(settings(tmp_path), check)
    assert not ill["ok"] and "set CHARGEKEEPER_API_TOKEN to see why" in ill["found"]


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    missing = finding(settings(tmp_path, CHARGEKEEPER_TLS_CERT=str(tmp_path / "no.pem")), "tls")
    assert missing["found"].endswith("cannot be read: No such file or directory")
    (tmp_path / "bad.pem").write_text("hello")
    assert (
        "no certificate" in finding(settings(tmp_path, CHARGEKEEPER_TLS_CERT=str(tmp_path / "bad.pem")), "tls")["found"]
    )


def test_the_end_of_the_units_authority_is_told_a_year_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, environment = tmp_path / "tls", {"CHARGEKEEPER_TLS_CERT": str(tmp_path / "tls" / "server.pem")}
    tls.run(settings(tmp_path), argparse.Namespace(name=None, folder=folder))
    fine = finding(settings(tmp_path, **environment), "tls")
    assert fine["ok"] and "its authority until" in fine["found"]
    (folder / "ca.pem").unlink()
    assert "authority" not in finding(settings(tmp_path, **environment), "tls")["found"]
    monkeypatch.setattr(tls, "CA_DAYS", 364)
    tls.run(settings(tmp_path), argparse.Namespace(name=None, folder=tmp_path / "short"))
    (tmp_path / "short" / "ca.pem").rename(folder / "ca.pem")
    ending = finding(settings(tmp_path, **environment), "tls")
    assert not ending["ok"] and "tls order" in ending["found"]


def test_a_mail_server_is_asked(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answering = settings(tmp_path, CHARGEKEEPER_MAIL=f"mailto://127.0.0.1:{port}")
        assert finding(answering, "mail") == {"check": "mail", "ok": True, "found": f"127.0.0.1 answers on port {port}"}
    assert "does not answer" in finding(answering, "mail")["found"]
    assert "has to be" in finding(settings(tmp_path, CHARGEKEEPER_MAIL="smtp://x"), "mail")["found"]


def test_a_person_reads_a_line_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(tmp_path))
    monkeypatch.setenv("CHARGEKEEPER_HTTP_PORT", "1")
    assert main(["doctor"]) == 1, "nobody listens"
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(doctor.CHECKS)
    assert any(line.startswith("BAD  broker    the bridge does not answer") for line in lines)


def test_the_form_of_the_log_is_a_choice() -> None:
    assert read_settings({"CHARGEKEEPER_LOG": "json"}).log_json
    with pytest.raises(BridgeError, match="CHARGEKEEPER_LOG"):
        read_settings({"CHARGEKEEPER_LOG": "xml"})


LOOPBACKS = ["127.0.0.1", "127.8.8.8", "localhost", "::1"]


@pytest.mark.parametrize("host", LOOPBACKS)
def test_plain_http_on_this_machine_is_in_order(tmp_path: Path, host: str) -> None:
    assert finding(settings(tmp_path, CHARGEKEEPER_HOST=host), "plaintext")["ok"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "chargers.example"])
def test_plain_http_beyond_it_is_not_until_tls_ends_in_front(
    tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ANSWER_WITHIN_S", 0.01)  # nothing answers at these addresses
    row = finding(settings(tmp_path, CHARGEKEEPER_HOST=host), "plaintext")
    assert not row["ok"]
    assert f"plain HTTP on {host}:1" in row["found"]
    assert "CHARGEKEEPER_PUBLIC_URL=https://" in row["found"]
    clear = settings(tmp_path, CHARGEKEEPER_HOST=host, CHARGEKEEPER_PUBLIC_URL="http://chargers.example")
    assert not finding(clear, "plaintext")["ok"]
    behind = settings(tmp_path, CHARGEKEEPER_HOST=host, CHARGEKEEPER_PUBLIC_URL="https://chargers.example/app/")
    assert finding(behind, "plaintext") == {
        "check": "plaintext",
        "ok": True,
        "found": "none beyond the proxy of https://chargers.example/app: let only the proxy reach port 1",
    }


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"CHARGEKEEPER_HOST": "0.0.0.0", "CHARGEKEEPER_MQTT_PLAIN": "anywhere"}, "plain MQTT on 0.0.0.0:1883"),
        (
            {"CHARGEKEEPER_HOST": "0.0.0.0", "CHARGEKEEPER_OCPP_PORT": "9000", "CHARGEKEEPER_OCPP_PLAIN": "anywhere"},
            "plain OCPP on 0.0.0.0:9000",
        ),
        ({"CHARGEKEEPER_BROKER": "mqtt://:secret@broker.example:1883"}, "the broker broker.example"),
        ({"CHARGEKEEPER_MAIL": "mailto://user:password@mail.example"}, "the mail server mail.example"),
    ],
)
def test_every_secret_that_leaves_in_clear_text_is_named(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    row = doctor_says(doctor.plaintext, settings(tmp_path, CHARGEKEEPER_PUBLIC_URL="https://a.example", **environment))
    assert words in row
    assert "secret@" not in row


@pytest.mark.parametrize(
    "environment",
    [
        {"CHARGEKEEPER_MQTT_PLAIN": "anywhere"},
        {"CHARGEKEEPER_BROKER": "mqtt://:secret@127.0.0.1:1883"},
        {"CHARGEKEEPER_BROKER": "mqtts://:secret@broker.example:8883"},
        {"CHARGEKEEPER_MAIL": "mailtos://user:password@mail.example"},
        {"CHARGEKEEPER_MAIL": "mailto://relay.example"},
    ],
)
def test_what_stays_here_or_is_encrypted_or_no_secret_is_in_order(tmp_path: Path, environment: dict[str, str]) -> None:
    assert doctor.plaintext(settings(tmp_path, **environment)).startswith("none")


def doctor_says(check: Any, asked: Settings) -> str:
    """Return the complaint."""
    with pytest.raises(doctor.Ill) as caught:
        check(asked)
    return str(caught.value)


@pytest.mark.parametrize("url", ["chargers.example", "ftp://a.example", "https://", "https://[::1", "https://a/?b=c"])
def test_a_public_address_that_is_none_is_one_clear_line(tmp_path: Path, url: str) -> None:
    with pytest.raises(BridgeError, match="CHARGEKEEPER_PUBLIC_URL"):
        settings(tmp_path, CHARGEKEEPER_PUBLIC_URL=url)


def written(path: Path, mode: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("secret")
    path.chmod(mode)
    return path


SECRET_FILES = [
    "chargekeeper.db",
    "chargekeeper.db-wal",
    "chargekeeper.db-shm",
    "vehicle-keys.json",
    "vehicles.toml",
    "tls/ca.key",
    "tls/server.key",
    "mosquitto/bridge.secret",
    "mosquitto/home-assistant.secret",
    "mosquitto/passwords",
]


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o602])
@pytest.mark.parametrize("name", SECRET_FILES)
def test_an_open_file_is_named_with_what_to_type(tmp_path: Path, name: str, mode: int) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    for one in SECRET_FILES:
        written(folder / one, 0o600)
    written(folder / "tls" / "ca.pem", 0o644)
    assert doctor.files(settings(folder)) == f"{len(SECRET_FILES) + 1} with secrets, closed to others"
    (folder / name).chmod(mode)
    said = doctor_says(doctor.files, settings(folder))
    assert said.endswith(f"run chmod go= {folder / name}")


def test_what_the_doctor_says_to_type_mends_it(tmp_path: Path) -> None:
    folder = tmp_path / "our data"
    folder.mkdir(mode=0o755)
    for one in SECRET_FILES:
        written(folder / one, 0o644)
    key = written(tmp_path / "elsewhere" / "server.key", 0o644)
    cars = written(tmp_path / "elsewhere" / "cars.toml", 0o644)
    asked = settings(folder, CHARGEKEEPER_TLS_CERT=str(tmp_path / "x.pem"), CHARGEKEEPER_TLS_KEY=str(key))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CHARGEKEEPER_VEHICLES", str(cars))
        said = doctor_says(doctor.files, asked)
        subprocess.run(shlex.split(said.split("run ")[1]), check=True)
        assert doctor.files(asked) == f"{len(SECRET_FILES) + 3} with secrets, closed to others"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
def test_a_key_that_root_shares_with_our_group_is_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    key = written(tmp_path / "server.key", 0o640)
    asked = settings(folder, CHARGEKEEPER_TLS_CERT=str(tmp_path / "x.pem"), CHARGEKEEPER_TLS_KEY=str(key))
    assert doctor.files(asked).endswith("closed to others")
    key.chmod(0o644)
    assert doctor_says(doctor.files, asked).endswith(f"run chmod o= {key}")


def test_our_own_files_are_closed_from_their_first_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files are created in a separate process with the usual umask."""
    folder = tmp_path / "data"
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(folder))
    monkeypatch.delenv("CHARGEKEEPER_DATABASE", raising=False)
    before = os.umask(0o022)
    commands = ["unit add cp-1", "tls make"]
    if os.geteuid() != 0:  # if mosquitto has its own user, it needs its own folder (test_mosquitto.py)
        commands.append("mosquitto write")
    try:
        for words in commands:
            monkeypatch.setattr("sys.argv", ["cloud_bridge", *words.split()])
            os.umask(0o022)
            with pytest.raises(SystemExit, match="0"):
                runpy.run_module("cloud_bridge", run_name="__main__")
    finally:
        os.umask(before)
    open_ones = [path for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077]
    assert sorted(path.name for path in open_ones) == ["ca.pem", "server.pem"], "certificates are public"
    assert doctor.files(settings(folder)).endswith("closed to others")


def test_links_in_letters_need_a_public_address(tmp_path: Path) -> None:
    with_mail = {"CHARGEKEEPER_MAIL": "mailtos://a:b@mail.example"}
    row = finding(settings(tmp_path, **with_mail), "links")
    assert not row["ok"]
    assert "set CHARGEKEEPER_PUBLIC_URL=https://" in row["found"]
    public = settings(tmp_path, CHARGEKEEPER_PUBLIC_URL="https://example.org/chargers/", **with_mail)
    assert finding(public, "links")["found"] == "every link begins with https://example.org/chargers"
    assert finding(settings(tmp_path), "links")["ok"]


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "http://127.0.0.1:1"),
        ({"CHARGEKEEPER_HOST": "0.0.0.0"}, "http://127.0.0.1:1"),
        ({"CHARGEKEEPER_HOST": "::"}, "http://127.0.0.1:1"),
        ({"CHARGEKEEPER_HOST": "192.0.2.7"}, "http://192.0.2.7:1"),
        ({"CHARGEKEEPER_PUBLIC_URL": "https://example.org/chargers/"}, "https://example.org/chargers"),
    ],
)
def test_where_links_lead(tmp_path: Path, environment: dict[str, str], address: str) -> None:
    assert settings(tmp_path, **environment).public_address == address


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example//b",
        "https://a.example/b/../c",
        "https://a.example/b%2Fc",
        'https://a.example/"',
        "https://u@a.example",
    ]
    + ["https://a.example/b c", "https://a.example:0", "https://a.example:x", "https://a.example/b?c", "a.example"],
)
def test_a_public_address_that_proxies_write_differently_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(BridgeError, match="CHARGEKEEPER_PUBLIC_URL"):
        settings(tmp_path, CHARGEKEEPER_PUBLIC_URL=url)


def test_open_files_are_counted_against_the_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = settings(tmp_path)
    for limit, ok in ((files_for(0), True), (files_for(0) - 1, False), (resource.RLIM_INFINITY, True)):
        monkeypatch.setattr(resource, "getrlimit", lambda _what, hard=limit: (0, hard))
        row = finding(asked, "limits")
        assert row["ok"] is ok, row
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (0, 10))
    assert "LimitNOFILE" in finding(asked, "limits")["found"]


def test_a_proxy_whose_visitors_share_its_address_is_named(tmp_path: Path) -> None:
    row = finding(settings(tmp_path, CHARGEKEEPER_PUBLIC_URL="https://chargers.example"), "proxies")
    assert not row["ok"] and "CHARGEKEEPER_PROXIES" in row["found"]
    believed = settings(
        tmp_path, CHARGEKEEPER_PUBLIC_URL="https://chargers.example", CHARGEKEEPER_PROXIES="127.0.0.1, ::1"
    )
    assert believed.proxies == ("127.0.0.1/32", "::1/128")
    assert finding(believed, "proxies")["ok"]
    assert finding(settings(tmp_path), "proxies")["ok"]


@pytest.mark.parametrize("text", ["nginx", "127.0.0.1/8", "127.0.0.1;::1", "*"])
def test_a_proxy_is_an_address_or_a_network(tmp_path: Path, text: str) -> None:
    with pytest.raises(BridgeError, match="CHARGEKEEPER_PROXIES"):
        settings(tmp_path, CHARGEKEEPER_PROXIES=text)
