"""Does sent data arrive complete and in order whatever is lost, and is the traffic over the air counted?"""

import asyncio
import random

import pytest

from hil_tests.sim.segments import ACK_EVERY, MSS_BYTES, End, Quality, Tally, join

CONTENT = random.Random(3).randbytes(60 * MSS_BYTES)
WITHIN_S = 100_000  # seconds of a clock that does not wait


class QuickLoop(asyncio.SelectorEventLoop):
    """A loop whose waits end as soon as nothing else is ready."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        select = self._selector.select  # type: ignore[attr-defined]  # of asyncio's own loop

        def pass_time(timeout: float | None = None) -> object:
            self._now_s += timeout or 0.0
            return select(0)

        self._selector.select = pass_time  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now_s


def carry(quality: Quality, back: Quality, seed: int = 1) -> tuple[bytes, Tally, Tally, float]:
    """Return what arrives, the counts of both directions, and the duration in seconds."""

    async def story() -> tuple[bytes, Tally, Tally, float]:
        source, arrived = random.Random(seed), bytearray()
        server, modem = End(quality, Tally(), source), End(back, Tally(), source)
        join(server, modem)
        modem.deliver = arrived.extend
        server.send(CONTENT)
        async with asyncio.timeout(WITHIN_S):
            while server.unsent_bytes:  # noqa: ASYNC110  (time does not wait here)
                await asyncio.sleep(0.1)
        return bytes(arrived), server.tally, modem.tally, asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        return runner.run(story())


@pytest.mark.parametrize(("rate", "acknowledged"), [(50_000, 60 / ACK_EVERY), (3000, 60)], ids=["quick", "GPRS"])
def test_without_loss_each_segment_is_sent_once(rate: int, acknowledged: int) -> None:
    """Every second segment is acknowledged, or every one if the next takes longer than a receiver waits."""
    arrived, down, up, took_s = carry(Quality(delay=0.4, rate=rate), Quality(delay=0.4, rate=1500))
    assert arrived == CONTENT
    assert (down.payload, down.segments, down.again, down.lost) == (len(CONTENT), 60, 0, 0)
    assert (up.acknowledgements, up.segments) == (acknowledged, 0)
    assert down.on_air(40) == len(CONTENT) + 60 * 40
    if rate == 3000:
        assert took_s == pytest.approx(down.on_air(40) / 3000 + 0.8, abs=0.5)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_lost_is_sent_again(seed: int) -> None:
    bad = Quality(loss=0.05, delay=0.4, jitter=0.6, rate=3000)
    arrived, down, up, _ = carry(bad, bad, seed)
    assert arrived == CONTENT
    assert down.lost <= down.again <= down.lost + up.lost + 3
    assert down.again_bytes <= down.again * MSS_BYTES


def test_a_terrible_network_only_takes_longer() -> None:
    bad = Quality(loss=0.4, delay=0.4, jitter=0.6, rate=3000)
    arrived, down, _, _ = carry(bad, bad)
    assert arrived == CONTENT and down.again > 20


def test_an_acknowledgement_goes_with_what_the_other_end_sends() -> None:
    async def story() -> Tally:
        source = random.Random(1)
        server, modem = End(Quality(delay=0.1), Tally(), source), End(Quality(delay=0.1), Tally(), source)
        join(server, modem)
        modem.deliver = lambda content: modem.send(b"answer")
        server.send(b"question")
        await asyncio.sleep(5)
        return modem.tally

    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        tally = runner.run(story())
    assert (tally.segments, tally.acknowledgements) == (1, 0)
