"""Do the station's rules hold without hardware: limits, calibration, label, record, journal, configuration, registration?"""

import json
import os
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest
import segno

from hil_tests.station.calibration import Calibration, fit
from hil_tests.station.configuration import read_configuration
from hil_tests.station.errors import StationTrouble, UnitFailed
from hil_tests.station.journal import Journal, opened
from hil_tests.station.label import HEIGHT_MM, WIDTH_MM, Label, as_pdf, as_zpl
from hil_tests.station.limits import Limit, judge, read_limits
from hil_tests.station.record import PUBLIC_KEY, station_key, verify_record, write_record
from hil_tests.station.registration import Bridge

LABEL = Label("CK-0042", ["230 V 50 Hz 32 A", "IP54"], "7K4M-2QXP-9BCD", "https://chargers.example/claim")
GOOD = """name = "station 1"
bridge = "{bridge}"
token = "token"
{more}
[unit]
broker = "mqtt.example"
rating = ["32 A"]
"""


def test_the_first_value_outside_fails_the_unit_with_what_to_do() -> None:
    limits = {
        "csq": Limit(least=15, most=31, advice="check the antenna"),
        "mirror": Limit(least=1, most=1, advice="check the mirror"),
    }
    assert judge(limits, {"csq": 15, "mirror": True}) is None
    assert judge(limits, {"mirror": False, "csq": 14}) == "csq is 14, allowed 15 to 31: check the antenna"
    assert judge(limits, {"mirror": False}) == "mirror failed: check the mirror"
    with pytest.raises(StationTrouble, match="not contain light"):
        judge(limits, {"light": 1})


@pytest.mark.parametrize("text", ["[csq]\nleast = 1", "[csq]\nleast = 'a'\nmost = 2\nadvice = 'x'", "csq = 3", "[[["])
def test_limits_that_make_no_sense_are_told_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "limits.toml").write_text(text)
    with pytest.raises(StationTrouble) as told:
        read_limits(tmp_path / "limits.toml")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("gain", "zero_mv"), [(0.96, -140.0), (1.0, 0.0), (1.04, 200.0)])
def test_a_calibration_undoes_what_the_converter_does(gain: float, zero_mv: float) -> None:
    levels = [((there - zero_mv) / gain, there) for there in (12_000.0, 8_980.0, -12_000.0)]
    found = fit(levels)
    assert all(abs(found.applied(read) - there) < 10 for read, there in levels)


@pytest.mark.parametrize(
    "levels",
    [
        [(9_000.0, 12_000.0), (9_000.0, 9_000.0), (9_010.0, -12_000.0)],
        [(12_000.0, 6_000.0), (-12_000.0, -6_000.0)],
        [(11_000.0, 12_000.0), (-13_000.0, -12_000.0)],
    ],
)
def test_what_no_calibration_mends_fails_the_unit(levels: list[tuple[float, float]]) -> None:
    with pytest.raises(UnitFailed, match="pilot input"):
        fit(levels)
    assert Calibration().applied(6_000) == 6_000


def test_a_label_has_the_serial_number_the_rating_and_the_code() -> None:
    drawn = as_pdf(LABEL)
    assert drawn == as_pdf(LABEL)
    (page,) = pypdf.PdfReader(BytesIO(drawn)).pages
    assert [round(float(side) * 25.4 / 72) for side in page.mediabox[2:]] == [WIDTH_MM, HEIGHT_MM]
    text = page.extract_text()
    assert all(word in text for word in (LABEL.serial, LABEL.claim_code, *LABEL.rating))
    dark = sum(sum(row) for row in segno.make_qr(LABEL.address, error="m").matrix)
    assert page.get_contents().get_data().count(b" re") == dark  # type: ignore[union-attr]  # a page has contents


def test_what_zpl_would_take_for_a_command_is_written_in_hexadecimal() -> None:
    zpl = as_zpl(LABEL._replace(rating=["^XZ ~JA _5E"])).decode()
    assert "^FH^FDMA,https://chargers.example/claim?code=7K4M-2QXP-9BCD^FS" in zpl
    assert "^FD_5EXZ _7EJA _5F5E^FS" in zpl
    assert (zpl.count("^XA"), zpl.count("^XZ"), zpl.count("~")) == (1, 1, 0)
    assert re.search(r"\^BQN,2,(\d+)", zpl) is not None


def test_a_record_is_what_the_station_has_signed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "CK-0042.json"
    write_record(path, {"serial": "CK-0042", "csq": 24}, station_key(tmp_path))
    assert verify_record(path, tmp_path / PUBLIC_KEY) == {"serial": "CK-0042", "csq": 24}
    path.write_text(path.read_text().replace("24", "25"))
    with pytest.raises(StationTrouble, match="not what this station has signed"):
        verify_record(path, tmp_path / PUBLIC_KEY)
    station_key(tmp_path / "other")
    write_record(path, {}, station_key(tmp_path))
    with pytest.raises(StationTrouble, match="not what this station has signed"):
        verify_record(path, tmp_path / "other" / PUBLIC_KEY)


def test_a_journal_is_one_process_s_and_private(tmp_path: Path) -> None:
    with opened(tmp_path / "journals", "CK-1") as journal:
        journal.note("flash", {"version": "1.2.3"})
        with pytest.raises(StationTrouble, match="another station"), opened(tmp_path / "journals", "CK-1"):
            pass
    path = tmp_path / "journals" / "CK-1.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Journal(path).facts == {"flash": {"version": "1.2.3"}}
    path.write_text('{"flash"')
    with pytest.raises(StationTrouble, match="damaged"):
        Journal(path)


def test_a_power_cut_while_it_is_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "CK-1.json")
    journal.note("flash", {})

    def cut(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(KeyboardInterrupt):
        journal.note("identity", {"secret_sha256": "0f" * 32})
    assert Journal(tmp_path / "CK-1.json").facts == {"flash": {}}


@pytest.mark.parametrize(
    ("bridge", "more", "told"),
    [
        ("http://chargers.example", "", "https://"),
        ("ftp://127.0.0.1", "", "https://"),
        ("https://chargers.example", "printr = 'x'", "printr"),
        ("https://chargers.example", "printer = ", "station.toml"),
    ],
)
def test_a_configuration_that_cannot_be_is_told_in_one_line(tmp_path: Path, bridge: str, more: str, told: str) -> None:
    (tmp_path / "station.toml").write_text(GOOD.format(bridge=bridge, more=more))
    with pytest.raises(StationTrouble, match=told) as refused:
        read_configuration(tmp_path / "station.toml")
    assert "\n" not in str(refused.value)


def test_paths_are_seen_from_the_file_and_a_token_is_private(tmp_path: Path) -> None:
    (tmp_path / "station.toml").write_text(GOOD.format(bridge="https://chargers.example/", more=""))
    configuration = read_configuration(tmp_path / "station.toml")
    assert (configuration.bridge, configuration.folder) == ("https://chargers.example", tmp_path / "station")
    with pytest.raises(StationTrouble, match="cannot read the token"):
        configuration.read_token()
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "token").chmod(0o644)
    with pytest.raises(StationTrouble, match="chmod 600"):
        configuration.read_token()
    (tmp_path / "token").chmod(0o600)
    assert configuration.read_token() == "secret"


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[tuple[str, list[Any]]]:
    """A bridge that gives this answer to every request; yield its address and the list of requests."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, self.headers["Authorization"], json.loads(sent)))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_the_token_goes_into_a_header_and_the_secret_nowhere() -> None:
    with answering(201, b'{"id": "CK-1", "claim_page": "https://c.example/claim"}') as (address, asked):
        assert Bridge(address, "t0k").register("CK-1", "0f" * 32, LABEL.claim_code) == "https://c.example/claim"
    assert asked == [
        ("/api/charge-points/CK-1", "Bearer t0k", {"secret_sha256": "0f" * 32, "claim_code": LABEL.claim_code})
    ]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, b"", "does not accept the station's token"),
        (403, b"", "may not register"),
        (409, b'{"detail": "the unit CK-1 exists already"}', "409, the unit CK-1 exists already"),
        (500, b"<html>", "500, no reason given"),
        (302, b"", "302, no reason given"),
        (201, b"[]", "Start again"),
        (201, b"\xff", "Start again"),
        (201, b"{}", "Start again"),
    ],
)
def test_what_the_bridge_refuses_is_told_without_the_token(status: int, body: bytes, told: str) -> None:
    with answering(status, body, Location="http://127.0.0.1:1/") as (address, asked):
        with pytest.raises(StationTrouble, match=told) as refused:
            Bridge(address, "t0ken").register("CK-1", "0f" * 32, LABEL.claim_code)
        assert "t0ken" not in str(refused.value) and LABEL.claim_code not in str(refused.value)
        assert len(asked) == 1, "no redirect is followed"


def test_a_bridge_that_is_not_there_is_told() -> None:
    with pytest.raises(StationTrouble, match="did not answer"):
        Bridge("http://127.0.0.1:9", "t").register("CK-1", "0f" * 32, LABEL.claim_code)
