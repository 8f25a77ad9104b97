"""Which passwords are accepted, and what happens when many people log in at once?"""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from argon2 import PasswordHasher

from cloud_bridge import passwords as passwords_module
from cloud_bridge.passwords import (
    AT_ONCE,
    MAX_LENGTH,
    STRANGERS_AT_ONCE,
    HashingBusy,
    Passwords,
    PasswordTurns,
    WeakPassword,
)

LOWEST = 19  # of nice(1)
NOBODY = passwords_module._NOBODY  # conftest.py replaces it with a fast one


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


def test_hashes_step_back_from_what_the_process_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with a lower priority than theirs continues with it: only root could raise it."""
    seen: list[int] = []

    class Hasher:
        def hash(self, _password: str) -> str:
            seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return ""

    def hash_with_little() -> None:
        os.nice(LOWEST - os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        passwords = Passwords()
        passwords.hash("correct horse")
        passwords.close()

    monkeypatch.setattr(passwords_module, "_hasher", Hasher())
    thread = threading.Thread(target=hash_with_little)
    thread.start()
    thread.join()
    assert seen == [LOWEST]


def test_an_unknown_name_costs_as_much_as_a_wrong_password() -> None:
    assert not PasswordHasher().check_needs_rehash(NOBODY), "made with the parameters of today"


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


def test_a_crowd_waits_its_turn_and_the_rest_is_refused_and_counted(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords_module, "MAX_WAITING", 3)

    async def run() -> None:
        turns = PasswordTurns(passwords)
        go_on = asyncio.Event()
        all_wait = asyncio.Event()
        running: list[int] = []
        order: list[int] = []

        async def log_in(number: int) -> None:
            if number == AT_ONCE + 2:  # the last request arrives while the first two are being hashed
                asyncio.get_running_loop().call_soon(all_wait.set)
            async with turns.turn(is_known=True):
                running.append(number)
                order.append(number)
                assert len(running) <= AT_ONCE
                await go_on.wait()
                running.remove(number)

        crowd = [asyncio.create_task(log_in(number)) for number in range(AT_ONCE + 3)]
        await all_wait.wait()
        assert (len(running), turns.waiting) == (AT_ONCE, 3)
        with pytest.raises(HashingBusy, match="try again"):
            await log_in(99)
        go_on.set()
        await asyncio.gather(*crowd)
        assert order == list(range(AT_ONCE + 3)), "first come, first served"
        assert (turns.refused, turns.waiting) == (1, 0)
        await log_in(100)

    asyncio.run(run())


def test_nobody_waits_for_ever(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords_module, "TURN_WITHIN_S", 0.0)

    async def run() -> None:
        turns = PasswordTurns(passwords)
        async with AsyncExitStack() as taken:
            for _ in range(AT_ONCE):
                await taken.enter_async_context(turns.turn(is_known=True))
            with pytest.raises(HashingBusy):
                async with turns.turn(is_known=True):
                    pytest.fail("there was no place")
        assert (turns.refused, turns.waiting) == (1, 0)

    asyncio.run(run())


def test_a_crowd_of_strangers_leaves_a_place_for_who_is_known(passwords: Passwords) -> None:
    async def run() -> None:
        turns = PasswordTurns(passwords)
        async with AsyncExitStack() as taken:
            for _ in range(STRANGERS_AT_ONCE):
                await taken.enter_async_context(turns.turn())
            strangers = [asyncio.create_task(turns.turn().__aenter__()) for _ in range(5)]
            await asyncio.sleep(0)  # each continues until it has to wait
            assert turns.waiting == len(strangers)
            async with asyncio.timeout(10), turns.turn(is_known=True):
                assert turns.waiting == len(strangers)
            for task in strangers:
                task.cancel()
            await asyncio.gather(*strangers, return_exceptions=True)
        async with asyncio.timeout(10), turns.turn(), turns.turn(), turns.turn(is_known=True):
            pass  # a request that was cancelled while waiting has used no slot

    asyncio.run(run())
