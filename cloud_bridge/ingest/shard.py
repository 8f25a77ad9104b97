"""Several processes share the units of one broker: each takes in those whose id hashes to it."""

import zlib
from typing import NamedTuple


class Shard(NamedTuple):
    """`number` of `of`, counted from 1."""

    number: int
    of: int

    def takes(self, unit_id: str) -> bool:
        """CRC-32 and not Python's hash(), which is another one in every process."""
        return self.of == 1 or self.of > 1 and zlib.crc32(unit_id.encode()) % self.of == self.number - 1

    @property
    def bridge_id(self) -> str:
        """Its name at the broker: client id and user name."""
        return f"_bridge-{self.number}"

    @property
    def canary_id(self) -> str:
        """Each part has a canary of its own, because each can be deaf on its own."""
        return f"_canary-{self.number}"


ALL = Shard(1, 1)
NONE = Shard(0, 0)  # of a process that takes in nothing, and knows of units what the store says of all shards
