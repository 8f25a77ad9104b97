"""Are headers that are longer than any of ours refused before they are parsed?"""

import time

import pytest

from cloud_bridge.web.security.security_headers import MAX_CONTENT_TYPE, MAX_HEADERS_BYTES, MAX_TARGET_BYTES
from tests.cloud_bridge.running import Bridge

QUICK_S = 1.0  # of processor time; Python's parser of parameters takes 12 s for this header


LONG = [
    {"Content-Type": 'multipart/form-data; boundary="' + ";" * 60_000},
    {"Content-Type": "a" * (MAX_CONTENT_TYPE + 1)},
    {"X": "a" * MAX_HEADERS_BYTES},
]


@pytest.mark.parametrize("headers", LONG, ids=["many parameters", "content type", "all together"])
def test_long_headers_are_refused_at_once(bridge: Bridge, headers: dict[str, str]) -> None:
    begun_s = time.process_time()
    answer = bridge.stranger().post("/login", content=b"x", headers=headers)
    assert time.process_time() - begun_s < QUICK_S
    assert answer.status_code == 431


@pytest.mark.parametrize("path", ["/charge-points/" + "a" * MAX_TARGET_BYTES, "/login?next=" + "a" * MAX_TARGET_BYTES])
def test_a_long_address_is_refused(bridge: Bridge, path: str) -> None:
    assert bridge.stranger().get(path).status_code == 414


def test_a_browser_s_cookies_are_not(bridge: Bridge) -> None:
    assert bridge.stranger().get("/login", headers={"Cookie": "a=" + "a" * 4000}).status_code == 200
