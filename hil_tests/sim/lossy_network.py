"""A Network whose connections lose and retransmit segments: `Quality` acts on segments as `Way` does on a stream."""

import asyncio
import contextlib
import random
from collections.abc import Callable

from hil_tests.sim.network import READ_BYTES, WAITING_BYTES, Connection, Network
from hil_tests.sim.segments import End, Quality, Tally, join

LOOK_S = 0.05


class LossyNetwork(Network):
    """A lossy network. `qualities` and `tallies` are per direction, "up" and "down"; `hear` is called with what arrives."""

    def __init__(self, host: str, port: int, seed: int = 0) -> None:
        super().__init__(host, port, seed)
        self.qualities = {"up": Quality(), "down": Quality()}
        self.tallies = {"up": Tally(), "down": Tally()}
        self.hear: Callable[[str, bytes], None] = lambda direction, content: None
        self._source = random.Random(seed)
        self._ends: dict[Connection, dict[str, End]] = {}

    async def _carry(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection
    ) -> None:
        end = self._ends_of(connection)[name]

        def deliver(content: bytes) -> None:
            self.carried[name] += len(content)
            self.hear(name, content)
            if not writer.is_closing():
                writer.write(content)

        end.peer.deliver = deliver
        try:
            with contextlib.suppress(OSError):
                while chunk := await reader.read(READ_BYTES):
                    end.send(chunk)
                    while end.unsent_bytes > WAITING_BYTES:  # noqa: ASYNC110  (the end has timers of its own)
                        await asyncio.sleep(LOOK_S)
            while end.unsent_bytes:  # noqa: ASYNC110  (the end has timers of its own)
                await asyncio.sleep(LOOK_S)
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:  # the far end is gone
            connection.reset()
        finally:
            end.close()
            self._ends.pop(connection, None)

    def _ends_of(self, connection: Connection) -> dict[str, End]:
        if connection not in self._ends:
            ends = {name: End(self.qualities[name], self.tallies[name], self._source) for name in ("up", "down")}
            join(ends["up"], ends["down"])
            self._ends[connection] = ends
        return self._ends[connection]
