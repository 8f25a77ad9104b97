"""Is a challenge valid once, for its purpose, in its browser and until its end, and can nobody use up those of others?"""

import pytest

from cloud_bridge.web.security import challenges as module
from cloud_bridge.web.security.challenges import CHALLENGE_MS, Challenges

NOW_MS = 1_000_000
KEY = b"k" * 32


def test_it_counts_once() -> None:
    challenges = Challenges(lambda: KEY)
    challenge = challenges.new("log in", "a", NOW_MS)
    assert challenges.is_good(challenge, "log in", "a", NOW_MS)
    assert challenges.use(challenge, NOW_MS) and not challenges.use(challenge, NOW_MS)
    assert not challenges.is_good(challenge, "log in", "a", NOW_MS)
    assert challenges.new("log in", "a", NOW_MS) != challenge


@pytest.mark.parametrize(("purpose", "browser"), [("add", "a"), ("log in", "b"), ("log in", "")])
def test_it_is_for_one_purpose_in_one_browser(purpose: str, browser: str) -> None:
    challenges = Challenges(lambda: KEY)
    assert not challenges.is_good(challenges.new("log in", "a", NOW_MS), purpose, browser, NOW_MS)
    assert not challenges.is_good(challenges.new("log in", "", NOW_MS), "log in", "", NOW_MS), (
        "a browser without a cookie"
    )


def test_it_ends_and_another_process_with_our_key_may_have_made_it() -> None:
    challenges = Challenges(lambda: KEY)
    challenge = challenges.new("log in", "a", NOW_MS)
    assert challenges.is_good(challenge, "log in", "a", NOW_MS + CHALLENGE_MS - 1)
    assert not challenges.is_good(challenge, "log in", "a", NOW_MS + CHALLENGE_MS)
    assert Challenges(lambda: KEY).is_good(challenge, "log in", "a", NOW_MS)
    assert not Challenges(lambda: b"another").is_good(challenge, "log in", "a", NOW_MS)


@pytest.mark.parametrize("at", [0, 7, 8, 31, 32, 63])
def test_no_byte_of_it_can_be_another(at: int) -> None:
    challenges = Challenges(lambda: KEY)
    changed = bytearray(challenges.new("log in", "a", NOW_MS))
    changed[at] ^= 1
    assert not challenges.is_good(bytes(changed), "log in", "a", NOW_MS)
    assert not challenges.is_good(bytes(changed[:at]), "log in", "a", NOW_MS)


def test_what_has_counted_is_remembered_to_a_bound_and_until_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "USED_MAX", 2)
    challenges = Challenges(lambda: KEY)
    waiting = challenges.new("log in", "a", NOW_MS + 1)
    for _ in range(2):
        assert challenges.use(challenges.new("log in", "a", NOW_MS), NOW_MS)
    assert not challenges.use(waiting, NOW_MS), "none is forgotten before its end"
    assert challenges.use(waiting, NOW_MS + CHALLENGE_MS)
