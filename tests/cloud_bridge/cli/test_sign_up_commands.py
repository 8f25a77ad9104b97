"""Can the operator invite people and print labels on the command line, without writing a secret where others can read it?"""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge import command_line
from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.cli import user
from cloud_bridge.errors import SettingError
from cloud_bridge.settings import SignUp, read_settings
from cloud_bridge.store.claims import is_code_of
from cloud_bridge.store.database import open_database
from cloud_bridge.store.invitations import find_invitation
from cloud_bridge.store.security_events import newest_security_events
from cloud_bridge.store.tables import invitations


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CHARGEKEEPER_PUBLIC_URL", "https://chargers.example")
    return tmp_path / "data"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert command_line.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert command_line.main(list(arguments)) == 1
    return capsys.readouterr().err


@pytest.mark.parametrize("value, setting", [(None, SignUp.INVITATION), *((one.value, one) for one in SignUp)])
def test_the_setting_of_sign_up(value: str | None, setting: SignUp) -> None:
    assert read_settings({} if value is None else {"CHARGEKEEPER_SIGN_UP": value}).sign_up is setting


@pytest.mark.parametrize("value", ["yes", "Open", "invite"])
def test_a_setting_that_is_none_names_the_choices(value: str) -> None:
    with pytest.raises(SettingError, match="CHARGEKEEPER_SIGN_UP is .*: set it to invitation or open or closed"):
        read_settings({"CHARGEKEEPER_SIGN_UP": value})


def test_an_invitation_by_a_link(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    said = answer(capsys, "user", "invite", "--role", "installer")
    assert said["link"].startswith("https://chargers.example/sign-up/begin?code=")
    with open_database(data).reading() as connection:
        found = find_invitation(connection, said["link"].partition("code=")[2], 0)
        noted = newest_security_events(connection)
    assert found is not None and found.role == "installer"
    assert [(one.kind, one.about) for one in noted] == [("invited", "installer")]


def test_an_invitation_by_letter(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    assert "leave --email out" in refusal(capsys, "user", "invite", "--email", "n@example.org")
    monkeypatch.setenv("CHARGEKEEPER_MAIL", "mailto://mail.example")
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(user, "send_mail", lambda _server, address, text: sent.append((address, text)))
    said = answer(capsys, "user", "invite", "--email", "n@example.org")
    assert said["sent_to"] == "n@example.org" and "code=" not in str(said)
    assert sent[0][0] == "n@example.org" and "/sign-up/begin?code=" in sent[0][1]

    def down(*_letter: str) -> None:
        raise NotDelivered("it is down")

    monkeypatch.setattr(user, "send_mail", down)
    assert "nobody was invited: it is down" in refusal(capsys, "user", "invite", "--email", "o@example.org")
    with open_database(data).reading() as connection:
        assert list(connection.execute(invitations.select().with_only_columns(invitations.c.email)).scalars()) == [
            "n@example.org"
        ]


def test_where_sign_up_is_closed_nobody_is_invited(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARGEKEEPER_SIGN_UP", "closed")
    assert "use `user add`" in refusal(capsys, "user", "invite")


def test_a_unit_is_added_with_its_label(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    label = tmp_path / "label.svg"
    said = answer(capsys, "unit", "add", "CK-0001", "--label", str(label))
    assert label.stat().st_mode & 0o777 == 0o600
    assert said["claim_code"] in label.read_text() and said["secret"] not in label.read_text()


def test_a_new_label_ends_the_former_one(capsys: pytest.CaptureFixture[str], tmp_path: Path, data: Path) -> None:
    former = answer(capsys, "unit", "add", "CK-0001")["claim_code"]
    said = answer(capsys, "unit", "label", "CK-0001", "--out", str(tmp_path / "label.svg"))
    assert said["claim_code"] != former and said["claim_code"] in (tmp_path / "label.svg").read_text()
    with open_database(data).reading() as connection:
        assert is_code_of(connection, "CK-0001", said["claim_code"])
        assert not is_code_of(connection, "CK-0001", former)
        assert newest_security_events(connection)[0].kind == "unit_label"


def test_a_label_with_the_present_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = answer(capsys, "unit", "add", "CK-0001")["claim_code"]
    label = tmp_path / "label.svg"
    monkeypatch.setattr("sys.stdin", io.StringIO("2222-2222-2222\n"))
    assert "this is not the claim code of CK-0001" in refusal(
        capsys, "unit", "label", "CK-0001", "--out", str(label), "--code", "-"
    )
    assert not label.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO(code.lower().replace("-", " ") + "\n"))
    answer(capsys, "unit", "label", "CK-0001", "--out", str(label), "--code", "-")
    assert re.search(f">{code}<", label.read_text())


def test_what_keeps_a_label_from_being_written_changes_no_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: Path
) -> None:
    code = answer(capsys, "unit", "add", "CK-0001")["claim_code"]
    there = tmp_path / "there.svg"
    there.write_text("precious")
    label = ["unit", "label", "CK-0001", "--out"]
    assert "File exists" in refusal(capsys, *label, str(there))
    assert "No such file or directory" in refusal(capsys, *label, str(tmp_path / "nowhere" / "label.svg"))
    assert "has to end with .svg" in refusal(capsys, *label, str(tmp_path / "label.png"))
    assert "there is no unit CK-2" in refusal(capsys, "unit", "label", "CK-2", "--out", str(tmp_path / "label.svg"))
    assert not (tmp_path / "label.svg").exists()
    monkeypatch.delenv("CHARGEKEEPER_PUBLIC_URL")
    assert "set CHARGEKEEPER_PUBLIC_URL" in refusal(capsys, *label, str(tmp_path / "label.svg"))
    assert there.read_text() == "precious"
    with open_database(data).reading() as connection:
        assert is_code_of(connection, "CK-0001", code)
