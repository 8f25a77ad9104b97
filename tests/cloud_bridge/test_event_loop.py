import asyncio
import selectors
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from cloud_bridge.event_loop import AT_ONCE, FewAtOnce, new_event_loop


@pytest.fixture
def selector() -> Iterator[FewAtOnce]:
    made = FewAtOnce()
    yield made
    made.close()


def test_all_that_are_ready_have_their_turn_and_few_at_once(selector: FewAtOnce) -> None:
    with ExitStack() as closing:
        ready = set()
        for _ in range(3 * AT_ONCE):
            ours, theirs = map(closing.enter_context, socket.socketpair())
            theirs.send(b"x")
            selector.register(ours, selectors.EVENT_READ)
            ready.add(ours)
        for _ in range(3):  # no reader is served again before the others, although all stay ready
            found = {key.fileobj for key, _ in selector.select(0)}
            assert len(found) == AT_ONCE
            ready -= found
        assert not ready


def test_what_has_happened_is_told_with_what_was_registered_last(selector: FewAtOnce) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        selector.register(ours, selectors.EVENT_READ, "first")
        assert selector.select(0) == []
        selector.modify(ours, selectors.EVENT_READ | selectors.EVENT_WRITE, "then")
        theirs.close()
        ((key, events),) = selector.select(None)
        assert key.data == "then" and events == selectors.EVENT_READ | selectors.EVENT_WRITE
        selector.unregister(ours)
        assert selector.select(0) == []


def test_a_time_that_is_shorter_than_a_millisecond_is_not_none(
    selector: FewAtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Poll:
        def poll(self, timeout: float, _most: int) -> list[tuple[int, int]]:
            asked.append(timeout)
            return []

        def close(self) -> None:
            pass

    selector._few.close()
    monkeypatch.setattr(selector, "_few", Poll())
    for timeout in (None, -1.0, 0.0, 0.0001, 1.0):
        selector.select(timeout)
    assert asked == [-1.0, 0.0, 0.0, 0.001, 1.0]


def test_a_loop_runs_on_it() -> None:
    async def answered() -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(4))
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            writer.write(b"ping")
            said = await reader.read()
            writer.close()
            await writer.wait_closed()
            return said

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        assert runner.run(asyncio.wait_for(answered(), 10)) == b"ping"
