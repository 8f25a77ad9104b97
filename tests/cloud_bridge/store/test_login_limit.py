"""Is guessing a password slow, and the right one still welcome?"""

from cloud_bridge.store.people import Role
from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.web.test_pages import PASSWORD, log_in


def test_after_some_wrong_passwords_even_the_right_one_has_to_wait(bridge: Bridge) -> None:
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    bridge.add_person("ben", PASSWORD, Role.DRIVER)
    client = bridge.stranger()
    assert [log_in(client, password="guess") for _ in range(8)] == [401] * 8
    assert log_in(client) == 429
    assert log_in(client, "ben") == 303
    bridge.clock.advance(2 * 60_000)
    assert log_in(client) == 303
    assert log_in(bridge.stranger(), password="guess") == 401, "the wrong ones were forgiven"
