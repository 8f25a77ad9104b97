"""Which passwords are taken, and what happens when many people log in at once?"""

import threading
from collections.abc import Iterator

import pytest

from cloud_bridge import passwords as passwords_module
from cloud_bridge.passwords import AT_ONCE, MAX_LENGTH, WAITING, HashingBusy, Passwords, WeakPassword
from tests.cloud_bridge.running import DEADLINE_S


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords()
    yield passwords
    passwords.close()


def test_a_hash_matches_its_own_password_alone(passwords: Passwords) -> None:
    kept = passwords.hash("correct horse")
    assert passwords.matches(kept, "correct horse")
    assert not passwords.matches(kept, "correct house")
    assert not passwords.matches(None, "correct horse")
    assert not passwords.matches("not a hash", "correct horse")


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * (MAX_LENGTH + 1),
        "1234567890",
        " " * 10,
        "          x",
        "aaaaaaaaaaaa",
        "qwertyuiop",
        "Password123",
        "annannannann",
        "ann@example.org",
        "chargekeeper",
        "0987654321",
        "abcabcabcabc",
    ],
)
def test_a_password_that_would_be_guessed_is_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(WeakPassword):
        passwords.hash_chosen(password, ["ann", "ann", "example.org"])


@pytest.mark.parametrize(
    "password", ["correct horse", "k3J-9fLq2ZpW", "blåbær på fjellet", "x9$kQ" * 40, "ночь улица фонарь"]
)
def test_a_good_password_is_taken(passwords: Passwords, password: str) -> None:
    assert passwords.matches(passwords.hash_chosen(password, ["ann"]), password)


def test_a_crowd_is_refused_at_once_and_counted(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    inside = threading.Semaphore(0)

    def slow(_kept: str, _password: str) -> bool:
        inside.release()
        return go_on.wait(DEADLINE_S)

    monkeypatch.setattr(passwords_module, "_verified", slow)
    results: list[bool] = []
    crowd = [
        threading.Thread(target=lambda: results.append(passwords.matches("hash", "guess")))
        for _ in range(AT_ONCE + WAITING)
    ]
    for one in crowd:
        one.start()
    for _ in range(AT_ONCE):
        assert inside.acquire(timeout=DEADLINE_S)
    while passwords.waiting < AT_ONCE + WAITING:
        go_on.wait(0.001)
    with pytest.raises(HashingBusy, match="try again"):
        passwords.matches("hash", "guess")
    assert not inside.acquire(blocking=False), "no more than AT_ONCE hash at a time"
    go_on.set()
    for one in crowd:
        one.join(DEADLINE_S)
    assert results == [True] * (AT_ONCE + WAITING)
    assert passwords.refused == 1
    assert passwords.matches("hash", "guess"), "there is room again"
