"""Which client is behind a connection, and whose header is trusted?"""

import pytest

from cloud_bridge.client_address import Proxies, network_of

PROXIES = Proxies(["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("address", "forwarded", "client"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),  # not one of our proxies
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["198.51.100.1, 192.0.2.7"], "192.0.2.7"),  # the client itself wrote the first
        ("127.0.0.1", ["198.51.100.1", "192.0.2.7, 10.1.2.3"], "192.0.2.7"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1, x, 10.0.0.1"], "10.0.0.1"),
        ("127.0.0.1", [", ,"], "127.0.0.1"),
    ],
)
def test_the_client_is_the_last_one_that_is_no_proxy_of_ours(address: str, forwarded: list[str], client: str) -> None:
    assert PROXIES.client_of(address, forwarded) == client


def test_what_is_no_address_is_no_proxy() -> None:
    assert "x" not in PROXIES and "fe80::1%eth0" not in PROXIES and "10.9.8.7" in PROXIES
    assert "127.0.0.1" not in Proxies([])


def test_of_ipv6_limits_go_by_the_network_of_a_household() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::2") == "2001:db8::/64"
    assert network_of("192.0.2.7") == "192.0.2.7"
