"""Converts photos in separate processes (photo.py): an error in a decoder ends that process and nothing else."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from cloud_bridge.support import photo
from cloud_bridge.support.photo import BadPhoto, Photo

AT_ONCE = 2  # each may occupy a processor core and hundreds of megabytes
TURN_WITHIN_S = 30.0
WITHIN_S = 30.0  # a large photo takes 1 s


class PhotosBusy(Exception):
    """So many photos are being converted that this one did not get its turn in time."""


class PhotoMaker:
    """Runs the conversions, AT_ONCE at a time. Used on one event loop."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def remake(self, content: bytes) -> Photo:
        """Convert a photo. Raises BadPhoto and PhotosBusy."""
        if photo.kind_of(content) is None:  # this check needs no process
            raise BadPhoto(photo.NO_PHOTO)
        try:
            async with asyncio.timeout(TURN_WITHIN_S):
                await self._turns.acquire()
        except TimeoutError:
            raise PhotosBusy from None
        try:
            return await _remake(content)
        finally:
            self._turns.release()


async def _remake(content: bytes) -> Photo:
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    program = [sys.executable, "-I", str(Path(photo.__file__))]
    process = await asyncio.create_subprocess_exec(*program, stdin=pipe, stdout=pipe, stderr=nothing)
    try:
        async with asyncio.timeout(WITHIN_S):
            written, _ = await process.communicate(content)
    except TimeoutError:
        raise BadPhoto(photo.DAMAGED) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == 0:
        return photo.unpacked(written)
    said = written.decode("ascii", "replace")
    raise BadPhoto(said if process.returncode == photo.REFUSED and said in photo.PROBLEMS else photo.DAMAGED)
