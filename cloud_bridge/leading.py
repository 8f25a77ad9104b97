"""Run the work of the leader in one process, and stand-by work in the others (store/leadership.py)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import NoReturn

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.duties import Duties
from cloud_bridge.store.leadership import LOOK_EVERY_S, Leadership

FOLLOW_EVERY_S = 0.25  # how often a change of leadership is checked for

_log = logging.getLogger(__name__)

Work = Callable[[Duties], Awaitable[object]]  # runs until cancelled


async def lead(leadership: Leadership, duties: Duties, leading: Work, standing_by: Work) -> NoReturn:
    """Run `leading` while this process leads, and `standing_by` while it does not. Work that a thread has begun is not
    interrupted by a change. Raises what the work raises."""
    own_thread = ThreadPoolExecutor(1, "leadership")  # so that the check never waits behind slow work
    look = partial(asyncio.get_running_loop().run_in_executor, own_thread, leadership.look)
    with suppress(SQLAlchemyError, OSError):  # the duty below logs the error
        await look()
    looking = asyncio.ensure_future(duties.every(LOOK_EVERY_S, "leadership", look))
    try:
        while True:
            is_leader = leadership.is_leader
            _log.info("this process does the upkeep" if is_leader else "another process does the upkeep")
            with duties.group() as group:
                work = asyncio.ensure_future((leading if is_leader else standing_by)(group))
                try:
                    while leadership.is_leader is is_leader and not work.done():
                        await asyncio.wait([work], timeout=FOLLOW_EVERY_S)
                    if work.done():
                        work.result()
                finally:
                    work.cancel()
                    with suppress(asyncio.CancelledError):
                        await work
    finally:
        looking.cancel()
        own_thread.shutdown(wait=False)
