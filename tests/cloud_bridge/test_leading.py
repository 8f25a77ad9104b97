"""Does a process do the leader's work only while it leads?"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from cloud_bridge import leading
from cloud_bridge.duties import Duties
from cloud_bridge.leading import lead
from cloud_bridge.store.leadership import Leadership
from tests.cloud_bridge.running import DEADLINE_S, HandClock


class Hat:
    """A lock that the test hands over."""

    lasts_s = 1e9

    def __init__(self, is_ours: bool) -> None:
        self.is_ours = is_ours

    def hold(self) -> bool:
        return self.is_ours

    def close(self) -> None:
        self.is_ours = False


class Stage:
    """What runs, and what was started so far."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.began: list[str] = []

    def work(self, name: str) -> Callable[[Duties], Awaitable[object]]:
        async def work(duties: Duties) -> None:
            self.began.append(name)
            self.runs.append(name)
            try:
                await duties.every(1e9, name, never)
            finally:
                self.runs.remove(name)

        return work


async def never() -> None:
    await asyncio.Event().wait()


async def until(condition: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < give_up_s
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leading, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(leading, "FOLLOW_EVERY_S", 0.001)


def test_it_changes_hands_and_back() -> None:
    async def play() -> None:
        hat, stage, duties = Hat(True), Stage(), Duties()
        running = asyncio.ensure_future(
            lead(Leadership(hat, HandClock()), duties, stage.work("leading"), stage.work("standing by"))
        )
        for is_ours, name in ((True, "leading"), (False, "standing by"), (True, "leading")):
            hat.is_ours = is_ours
            await until(lambda name=name: stage.runs == [name])  # type: ignore[misc]
            await until(lambda name=name: [one.name for one in duties.states()] == ["leadership", name])  # type: ignore[misc]
        assert stage.began == ["leading", "standing by", "leading"], "a leader from the start does not stand by first"
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert stage.runs == []
        assert [duty.name for duty in duties.states()] == ["leadership"]

    asyncio.run(play())


def test_an_error_of_the_work_is_not_swallowed() -> None:
    async def broken(_duties: Duties) -> None:
        raise LookupError("of ours")

    async def play() -> None:
        with pytest.raises(LookupError):
            await lead(Leadership(Hat(True), HandClock()), Duties(), broken, broken)

    asyncio.run(play())
