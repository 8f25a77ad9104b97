"""Is no address called in our own network, of the machine's own services, or of a tunnel into either?"""

import socket
import threading
from typing import Any

import pytest

from cloud_bridge.alerts import public_hosts
from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.https_post import post
from cloud_bridge.alerts.public_hosts import is_public, public_addresses
from cloud_bridge.alerts.services import Request

PUBLIC, INSIDE = "93.184.216.34", "10.0.0.1"

INSIDE_ADDRESSES = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *(
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fd00:ec2::254",
    ),  # metadata
    *("224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "ff02::1", "ff0e::1"),  # multicast, reserved
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "2001:db8::1", "3fff::1"),  # documentation, benchmarks
    *("::", "::1", "fe80::1", "fec0::1", "fc00::1", "100::1", "5f00::1"),
    *("::ffff:127.0.0.1", "::ffff:93.184.216.34", "::127.0.0.1"),  # mapped, compatible
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::7f00:1", "64:ff9b:1::5db8:d822"),  # NAT64
    *("2002:7f00:1::", "2002:5db8:d822::1", "192.88.99.1"),  # 6to4
    *("2001:0:7f00:1::", "2001:0:5db8:d822::1"),  # Teredo
    *("", "localhost", "127.1", "2130706433", "0x7f000001", "fe80::1%eth0", "1.2.3.4.5"),  # no addresses
]


@pytest.mark.parametrize("address", INSIDE_ADDRESSES)
def test_it_is_not_on_the_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::5db8:d822"])
def test_it_is_on_the_internet(address: str) -> None:
    """The last is an IPv4 host as seen from an IPv6-only network."""
    assert is_public(address)


def resolves(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """Let the name server give these answers, one after the other."""
    left = iter(answers)

    def getaddrinfo(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(left)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("answer", [[PUBLIC, INSIDE], [INSIDE, PUBLIC], ["::ffff:10.0.0.1"], ["fe80::1%eth0"], []])
def test_a_name_with_one_address_inside_is_not_called(monkeypatch: pytest.MonkeyPatch, answer: list[str]) -> None:
    resolves(monkeypatch, answer)
    with pytest.raises(NotDelivered, match="not on the internet"):
        public_addresses("hooks.example", 443, 5.0)


def test_the_connection_is_made_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, [PUBLIC], [INSIDE])
    called: list[tuple[str, int]] = []

    def create_connection(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", create_connection)
    with pytest.raises(NotDelivered):
        post(Request("hooks.example", 8443, "/", "text/plain", b""))
    assert called == [(PUBLIC, 8443)]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433", "::1", "a..b", "x" * 64])
def test_no_form_of_this_machine_is_called(host: str) -> None:
    with pytest.raises(NotDelivered):
        post(Request(host, 443, "/", "text/plain", b""))


def test_a_name_server_that_does_not_answer_costs_the_deadline_and_a_bounded_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on, asked = threading.Event(), threading.Semaphore(0)

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        asked.release()
        go_on.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        for _ in range(public_hosts.MAX_LOOKUPS + 5):
            with pytest.raises(NotDelivered, match="name server"):
                public_addresses("hooks.example", 443, 0.01)
        count = sum(asked.acquire(timeout=0.5) for _ in range(public_hosts.MAX_LOOKUPS + 1))
        assert count == public_hosts.MAX_LOOKUPS
    finally:
        go_on.set()
    for _ in range(public_hosts.MAX_LOOKUPS):  # each lookup is released
        assert public_hosts._lookups.acquire(timeout=5)
    for _ in range(public_hosts.MAX_LOOKUPS):
        public_hosts._lookups.release()
