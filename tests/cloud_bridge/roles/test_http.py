"""Does a signal end a role that has just reported that it is ready?"""

import asyncio
import os
import signal

import pytest
from fastapi import FastAPI

from cloud_bridge.roles.http import listen
from tests.cloud_bridge.running import Bridge

WITHIN_S = 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_before_it_serves_ends_it_when_it_does(bridge: Bridge, number: signal.Signals) -> None:
    """A program that waits for the line with the address may send the signal at once."""

    async def run() -> None:
        before = signal.getsignal(number)
        with listen(bridge.app_state, lambda _: FastAPI()) as http:
            assert signal.getsignal(number) != before, "it would end the process where it stands"
            os.kill(os.getpid(), number)
            await asyncio.wait_for(http.serve([]), WITHIN_S)

    asyncio.run(run())
