"""Does a file of settings work like the environment, and is a bad file reported in one line?"""

from pathlib import Path

import pytest

from cloud_bridge.errors import SettingError
from cloud_bridge.settings import read_settings
from cloud_bridge.settings_file import MAX_BYTES, add_file

FILE = "CHARGEKEEPER_SETTINGS"


def with_file(tmp_path: Path, text: str | bytes, mode: int = 0o600, **environment: str) -> dict[str, str]:
    path = tmp_path / "settings.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    environment[FILE] = str(path)
    add_file(environment)
    return environment


def test_its_values_are_settings(tmp_path: Path) -> None:
    text = 'http_port = 9000\nhome_assistant = true\nproxies = ["127.0.0.1", "::1"]\nhelp = "0800, weekdays"\n'
    settings = read_settings(with_file(tmp_path, text))
    assert (settings.http_port, settings.home_assistant, settings.help) == (9000, True, "0800, weekdays")
    assert settings.proxies == ("127.0.0.1/32", "::1/128")


def test_the_environment_goes_before_it(tmp_path: Path) -> None:
    assert read_settings(with_file(tmp_path, "http_port = 9000\n", CHARGEKEEPER_HTTP_PORT="7000")).http_port == 7000


def test_without_one_nothing_changes() -> None:
    environment = {"CHARGEKEEPER_HTTP_PORT": "7000"}
    add_file(environment)
    assert environment == {"CHARGEKEEPER_HTTP_PORT": "7000"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http_prt = 1\n", "did you mean CHARGEKEEPER_HTTP_PORT"),
        ("http_port = \n", "is not TOML"),
        ("http_port = 1\nhttp_port = 2\n", "is not TOML"),
        ("[http]\nport = 1\n", "http has to be a text"),
        ("http_port = 1.5\n", "http_port has to be a text"),
        ("proxies = [1]\n", "proxies has to be a text"),
        ('help = "a\\u0000b"\n', "help has to be a text"),
        ('proxies = ["::1", "\\u0000"]\n', "proxies has to be a text"),
        ('settings = "other.toml"\n', "names another settings file"),
        (b"help = '\xff'\n", "cannot be read"),
        ("a" * (MAX_BYTES + 1), "is larger than"),
        ("a = " + "[" * 5000, "is not TOML"),
    ],
)
def test_a_bad_one_is_refused(tmp_path: Path, text: str | bytes, told: str) -> None:
    with pytest.raises(SettingError, match=told) as refused:
        with_file(tmp_path, text)
    assert str(refused.value).startswith(f"{FILE}: ")


def test_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        add_file({FILE: str(tmp_path / "none.toml")})


def test_a_secret_that_everybody_may_read_is_refused_and_not_repeated(tmp_path: Path) -> None:
    text = 'mail = "mailtos://user:hunter2@mail.example"\n'
    with pytest.raises(SettingError, match="chmod 600") as refused:
        with_file(tmp_path, text, 0o644)
    assert "hunter2" not in str(refused.value)
    assert "CHARGEKEEPER_MAIL" in with_file(tmp_path, text, 0o640)
    assert "CHARGEKEEPER_HTTP_PORT" in with_file(tmp_path, "http_port = 1\n", 0o644)
