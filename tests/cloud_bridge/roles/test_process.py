"""Does a role's process end with its work, or with its first failure?"""

import asyncio
import threading

import pytest

from cloud_bridge.roles.process import do_beside, have_threads

WITHIN_S = 20


async def for_ever() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    await asyncio.sleep(0)


async def failing() -> None:
    await asyncio.sleep(0)
    raise RuntimeError("no more")


def test_duties_end_with_the_work() -> None:
    ended = []

    async def duty() -> None:
        try:
            await for_ever()
        finally:
            ended.append("duty")

    asyncio.run(do_beside([duty(), for_ever()], at_once()))
    assert ended == ["duty"]


def test_a_duty_that_fails_ends_the_work() -> None:
    """Otherwise the process would continue without its purpose, and would not be restarted."""
    with pytest.raises(RuntimeError, match="no more"):
        asyncio.run(do_beside([for_ever(), failing()], for_ever()))


def test_the_error_of_the_work_is_raised() -> None:
    with pytest.raises(RuntimeError, match="no more"):
        asyncio.run(do_beside([for_ever()], failing()))


def test_slow_duties_keep_no_thread_from_others() -> None:
    """Twelve of them, twice as many as asyncio has threads on two processors."""
    done = threading.Event()

    async def work() -> None:
        have_threads()
        slow = [asyncio.create_task(asyncio.to_thread(done.wait, WITHIN_S)) for _ in range(12)]
        await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.to_thread(done.set), WITHIN_S)
        assert await asyncio.gather(*slow) == [True] * 12

    asyncio.run(work())
