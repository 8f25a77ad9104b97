"""Does the doctor say what is in order, what is not, and what to do?"""

import argparse
import socket
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.command_line import main
from cloud_bridge.commands import doctor
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


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    missing = finding(settings(tmp_path, CHARGEKEEPER_TLS_CERT=str(tmp_path / "no.pem")), "tls")
    assert missing["found"].endswith("cannot be read: No such file or directory")
    (tmp_path / "bad.pem").write_text("hello")
    assert (
        "no certificate" in finding(settings(tmp_path, CHARGEKEEPER_TLS_CERT=str(tmp_path / "bad.pem")), "tls")["found"]
    )


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
