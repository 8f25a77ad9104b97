"""Calls to car makers: is each vehicle requested once at a time, and does a slow maker only delay its own vehicles?"""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from cloud_bridge.vehicles import maker_calls
from cloud_bridge.vehicles.maker_calls import AT_ONCE, MakerBusy, MakerCalls, MakerSlow
from tests.cloud_bridge.running import DEADLINE_S


class SlowMaker:
    """A maker that answers when the test allows it."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.answers = threading.Event()
        self.count = 0

    def ask(self) -> str:
        self.count += 1
        self.asked.release()
        assert self.answers.wait(DEADLINE_S)
        return "50 %"


@pytest.fixture
def calls() -> Iterator[MakerCalls]:
    calls = MakerCalls()
    yield calls
    calls.close()


@pytest.fixture
def maker() -> Iterator[SlowMaker]:
    maker = SlowMaker()
    yield maker
    maker.answers.set()


def test_presses_about_one_vehicle_are_one_call_with_one_answer(calls: MakerCalls, maker: SlowMaker) -> None:
    async def run() -> None:
        presses = [asyncio.create_task(calls.for_driver("slow", maker.ask, DEADLINE_S, about=1)) for _ in range(60)]
        assert await asyncio.to_thread(maker.asked.acquire, True, DEADLINE_S)
        assert calls.is_asking(1)
        maker.answers.set()
        assert await asyncio.gather(*presses) == ["50 %"] * 60
        assert maker.count == 1
        assert not calls.is_asking(1)

    asyncio.run(run())


def test_whoever_does_not_wait_any_more_leaves_the_call_to_itself(calls: MakerCalls, maker: SlowMaker) -> None:
    async def run() -> None:
        with pytest.raises(MakerSlow):
            await calls.for_driver("slow", maker.ask, 0.0, about=1)
        assert calls.is_asking(1)
        again = asyncio.create_task(calls.for_driver("slow", maker.ask, DEADLINE_S, about=1))
        await asyncio.sleep(0)
        maker.answers.set()
        assert await again == "50 %"
        assert maker.count == 1

    asyncio.run(run())


def test_a_slow_maker_keeps_no_other_waiting(calls: MakerCalls, maker: SlowMaker) -> None:
    async def run() -> None:
        slow = [asyncio.create_task(calls.for_driver("slow", maker.ask, DEADLINE_S, about=n)) for n in range(10)]
        for _ in range(AT_ONCE):
            assert await asyncio.to_thread(maker.asked.acquire, True, DEADLINE_S)
        assert await calls.for_driver("quick", lambda: "80 %", DEADLINE_S, about=99) == "80 %"
        assert maker.count == AT_ONCE, "and no more of it at once"
        maker.answers.set()
        await asyncio.gather(*slow)

    asyncio.run(run())


def test_too_many_for_one_maker_are_refused_and_counted(
    calls: MakerCalls, maker: SlowMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maker_calls, "MAX_WAITING", 2)

    async def run() -> None:
        waiting = [
            asyncio.create_task(calls.for_driver("slow", maker.ask, DEADLINE_S, about=number))
            for number in range(AT_ONCE + 2)
        ]
        await asyncio.sleep(0)
        with pytest.raises(MakerBusy):
            await calls.for_driver("slow", maker.ask, DEADLINE_S, about=99)
        assert calls.refused == 1
        maker.answers.set()
        await asyncio.gather(*waiting)
        assert await calls.for_driver("slow", maker.ask, DEADLINE_S, about=99) == "50 %"

    asyncio.run(run())


def test_the_watch_leaves_a_vehicle_alone_that_is_asked_about(calls: MakerCalls, maker: SlowMaker) -> None:
    async def run() -> None:
        press = asyncio.create_task(calls.for_driver("slow", maker.ask, DEADLINE_S, about=1))
        await asyncio.sleep(0)
        assert calls.for_poller("slow", maker.ask, about=1) is None
        other = calls.for_poller("slow", maker.ask, about=2)
        assert other is not None
        assert calls.for_poller("slow", maker.ask, about=2) is None
        maker.answers.set()
        await press
        assert other.result(DEADLINE_S) == "50 %"

    asyncio.run(run())


def test_a_driver_comes_after_the_watch_and_asks_anew(calls: MakerCalls, maker: SlowMaker) -> None:
    """The watch does not try the refresh token, but the driver's request does."""

    async def run() -> None:
        watch = calls.for_poller("slow", maker.ask, about=1)
        assert watch is not None
        press = asyncio.create_task(calls.for_driver("slow", lambda: watch.done(), DEADLINE_S, about=1))
        await asyncio.sleep(0)
        assert not press.done()
        maker.answers.set()
        assert await press, "the watch had ended"

    asyncio.run(run())


def test_an_error_is_the_callers(calls: MakerCalls) -> None:
    def fail() -> None:
        raise LookupError("gone")

    async def run() -> None:
        with pytest.raises(LookupError):
            await calls.for_driver("maker", fail, DEADLINE_S, about=1)
        assert not calls.is_asking(1)

    asyncio.run(run())


def test_an_unexpected_error_of_the_watch_is_in_the_log_and_the_next_look_begins(
    calls: MakerCalls, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RecursionError("an answer as deep as a well")

    calls.for_poller("maker", fail, "a vehicle")
    again = threading.Event()
    until = time.monotonic() + DEADLINE_S
    while not again.is_set() and time.monotonic() < until:
        calls.for_poller("maker", again.set, "a vehicle")
    assert again.is_set()
    assert "the poll of a vehicle ended in an unexpected error" in caplog.text
