"""Is a unit shown to a back-end only with its owner's consent, and is the key in no argument and no answer?"""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge import command_line
from cloud_bridge.store.database import open_database
from cloud_bridge.store.northbound import Setting, shown_units
from cloud_bridge.store.security_events import newest_security_events

URL, KEY = "wss://csms.example/ocpp", "the-key-of-it"


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A store with cp-1, which belongs to ann, and cp-2, which has no owner; ben has no unit."""
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{KEY}\n"))
    for name in ("ann", "ben"):
        answer(capsys, "user", "add", name)
    code = answer(capsys, "unit", "add", "cp-1")["claim_code"]
    answer(capsys, "unit", "add", "cp-2")
    answer(capsys, "unit", "claim", code, "ann")
    return tmp_path / "data"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert command_line.main([*arguments, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def settings_of(data: Path) -> list[Setting]:
    with open_database(data).reading() as connection:
        return [one.setting for one in shown_units(connection)]


def test_it_is_set_with_consent_and_ended(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    said = answer(
        capsys, "unit", "northbound", "cp-1", URL, "--agreed-by", "ann", "--identity", "R 1/ü", "--may-command"
    )
    assert said == {"id": "cp-1", "connects_to": f"{URL}/R%201%2F%C3%BC", "may_command": True}
    (setting,) = settings_of(data)
    assert (setting.identity, setting.secret, setting.id_tag) == ("R 1/ü", KEY, "CHARGEKEEPER")
    assert KEY not in repr(setting)
    assert answer(capsys, "unit", "northbound-end", "cp-1") == {"id": "cp-1", "connects_to": None}
    assert settings_of(data) == []
    with open_database(data).reading() as connection:
        noted = [(one.kind, one.about) for one in newest_security_events(connection)][:2]
    assert noted == [("northbound_ended", "cp-1"), ("northbound", "cp-1 to csms.example")]


def test_it_ends_when_the_unit_is_released(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    answer(capsys, "unit", "northbound", "cp-1", URL, "--agreed-by", "ann")
    answer(capsys, "unit", "release", "cp-1")
    assert settings_of(data) == []


@pytest.mark.parametrize(
    ("words", "typed", "why"),
    [
        (("cp-1", URL, "--agreed-by", "ben"), KEY, "only the owner"),
        (("cp-2", URL, "--agreed-by", "ann"), KEY, "only the owner"),
        (("cp-9", URL, "--agreed-by", "ann"), KEY, "only the owner"),
        (("cp-1", "ws://csms.example", "--agreed-by", "ann"), KEY, "say --plain"),
        (("cp-1", f"wss://ann:{KEY}@csms.example", "--agreed-by", "ann"), KEY, "leave user and password out"),
        (("cp-1", URL, "--agreed-by", "ann", "--identity", "a:b"), KEY, "must not contain a colon"),
        (("cp-1", URL, "--agreed-by", "ann", "--identity", "x" * 49), KEY, "more than 48"),
        (("cp-1", URL, "--agreed-by", "ann", "--id-tag", "x" * 21), KEY, "1 to 20 ASCII characters"),
        (("cp-1", URL, "--agreed-by", "ann"), "", "standard input"),
        (("cp-1", URL, "--agreed-by", "ann"), "two words", "standard input"),
    ],
)
def test_what_is_refused_is_not_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: Path, words: Any, typed: str, why: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
    assert command_line.main(["unit", "northbound", *words]) == 1
    said = capsys.readouterr().err
    assert why in said and KEY not in said
    assert settings_of(data) == []


def test_a_unit_that_is_shown_to_nobody_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["unit", "northbound-end", "cp-1"]) == 1
    assert "that is shown to a back-end" in capsys.readouterr().err
