"""Is a back-end's address used as the operator wrote it, without a secret in it?"""

import pytest

from cloud_bridge.errors import BridgeError
from cloud_bridge.northbound.address import check_url, host_of, where
from cloud_bridge.northbound.pace import MOST_S, Pace, wait_s


@pytest.mark.parametrize(
    "url", ["wss://csms.example/ocpp", "wss://[2001:db8::1]:9000", "ws://127.0.0.1:80/a", "ws://[::1]/"]
)
def test_an_address_may_be_this(url: str) -> None:
    assert where(check_url(url, False), "R 1/ü") == f"{url.rstrip('/')}/R%201%2F%C3%BC"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "csms.example",
            "https://csms.example",
            "wss://",
            "wss:///path",
            "wss://user:key@csms.example",
            "wss://u@h",
        ),
        *(
            "wss://h/?key=1",
            "wss://h/#a",
            "wss://h?",
            "wss://h:99999",
            "wss://h:0",
            "wss://h:a",
            "wss://[::1",
            "wss://h ü",
        ),
        *("wss://h/\n", f"wss://h/{'a' * 300}", "ws://csms.example"),
    ],
)
def test_an_address_may_not_be_this_and_is_not_repeated(url: str) -> None:
    with pytest.raises(BridgeError) as refused:
        check_url(url, False)
    assert "key=1" not in str(refused.value) and "user:key" not in str(refused.value)


def test_clear_text_is_said_to_be_wanted() -> None:
    assert host_of(check_url("ws://csms.example/", True)) == "csms.example"


def test_tries_come_later_each_time_and_never_at_once() -> None:
    assert all(2.5 <= wait_s(0) <= 5 and MOST_S / 2 <= wait_s(10_000) <= MOST_S for _ in range(50))


def test_a_pace_forgets_what_is_over() -> None:
    pace = Pace(2, 60.0)
    assert [pace.take(at) for at in (0, 1, 2, 59, 60, 60.5, 61)] == [True, True, False, False, True, False, True]
