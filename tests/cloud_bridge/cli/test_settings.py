"""Does `settings` print what is set, without secrets?"""

import json
from pathlib import Path

import pytest

from cloud_bridge import command_line
from cloud_bridge.setting_names import NAMES


def test_it_lists_every_setting_and_shows_no_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('http_port = 9000\napi_token = "0123456789abcdef0123456789abcdef"\n')
    file.chmod(0o600)
    monkeypatch.setattr("os.environ", {"CHARGEKEEPER_SETTINGS": str(file), "CHARGEKEEPER_DATA": str(tmp_path)})
    assert command_line.main(["settings", "--json"]) == 0
    said = capsys.readouterr().out
    rows = {row["setting"]: row["value"] for row in json.loads(said)}
    assert rows.keys() == NAMES
    assert rows["CHARGEKEEPER_HTTP_PORT"] == "9000"
    assert rows["CHARGEKEEPER_API_TOKEN"] == "(set, and not shown)"
    assert rows["CHARGEKEEPER_MAIL"] is None
    assert "0123456789abcdef" not in said
    assert command_line.main(["settings"]) == 0
    assert (
        "CHARGEKEEPER_HTTP_PORT=9000\n    port of the pages; 0 lets the system choose. Unset: 8080\n"
        in capsys.readouterr().out
    )


def test_a_wrong_name_is_told_by_every_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.environ", {"CHARGEKEEPER_DTA": str(tmp_path)})
    assert command_line.main(["unit", "list"]) == 1
    assert "did you mean CHARGEKEEPER_DATA?" in capsys.readouterr().err
