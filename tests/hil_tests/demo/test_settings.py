"""Are the settings of `make run` read and checked?"""

import socket
from pathlib import Path

import pytest

from hil_tests.demo.settings import check, read_settings
from hil_tests.rig.preconditions import SettingError, check_folder, check_port


def test_is_there_a_default_for_everything() -> None:
    """With an empty environment?"""
    settings = read_settings({})
    assert (settings.http_port, settings.panel_port, settings.mqtt_port) == (8080, 8081, 1883)
    assert settings.folder.name == "var"


def test_is_the_environment_taken() -> None:
    """A folder with a space in its name too?"""
    settings = read_settings(
        {"CHARGEKEEPER_HTTP_PORT": "9000", "CHARGEKEEPER_DATA": "/a b", "CHARGEKEEPER_UNIT_ID": "X-1"}
    )
    assert settings.http_port == 9000
    assert settings.unit_folder == Path("/a b/unit-X-1")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CHARGEKEEPER_HTTP_PORT", "0"),
        ("CHARGEKEEPER_PANEL_PORT", "65536"),
        ("CHARGEKEEPER_MQTT_PORT", "mqtt"),
        ("CHARGEKEEPER_UNIT_ID", "with space"),
        ("CHARGEKEEPER_UNIT_ID", "x" * 37),
    ],
)
def test_is_a_bad_value_refused_by_name(variable: str, value: str) -> None:
    """The variable and the value are in the message?"""
    with pytest.raises(SettingError, match=variable):
        read_settings({variable: value})


def test_is_a_busy_port_named() -> None:
    """With the variable that moves it?"""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        with pytest.raises(SettingError, match=f"port {port} .* CHARGEKEEPER_HTTP_PORT"):
            check(read_settings({"CHARGEKEEPER_HTTP_PORT": port}))


@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
def test_is_a_port_that_is_none_named(port: int) -> None:
    """With the option that it came from?"""
    with pytest.raises(SettingError, match=f"--port is {port}: set it to a port number"):
        check_port(port, "the panel", "--port")


def test_are_two_services_on_one_port_refused() -> None:
    """Both variables named?"""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])
    with pytest.raises(SettingError, match="CHARGEKEEPER_PANEL_PORT and CHARGEKEEPER_HTTP_PORT"):
        check(read_settings({"CHARGEKEEPER_HTTP_PORT": port, "CHARGEKEEPER_PANEL_PORT": port}))


def test_is_a_folder_that_cannot_be_written_named(tmp_path: Path) -> None:
    """With what moves it?"""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingError, match=r"/file cannot be written \(File exists\): set --folder"):
        check_folder(tmp_path / "file", "--folder")
