"""Several processes share the units of one broker: each takes in those whose id hashes to it. In a cluster every process
takes in any unit, and what can be deaf on its own is a path (cloud_bridge/paths.py)."""

import zlib
from typing import NamedTuple

from cloud_bridge.paths import EVERY, OCPP


class Shard(NamedTuple):
    """`number` of `of`, counted from 1."""

    number: int
    of: int

    def takes(self, unit_id: str) -> bool:
        """CRC-32 and not Python's hash(), which is another one in every process."""
        return self.of == 1 or self.of > 1 and zlib.crc32(unit_id.encode()) % self.of == self.number - 1

    @property
    def is_alone(self) -> bool:
        """Whether no other process stores when it has listened."""
        return self.of == 1 and self.number != EVERY

    def is_other(self, number: int) -> bool:
        """Whether it is one of the others now; there may have been more once."""
        if self.of == 0:  # NONE
            return True
        return number != self.number and (number <= self.of or (self.number == EVERY and number > EVERY))

    @property
    def bridge_id(self) -> str:
        """Its name at the broker: client id and user name."""
        return f"_bridge-{self.number}"

    @property
    def canary_id(self) -> str:
        """Each part has a canary of its own, because each can be deaf on its own."""
        return f"_canary-{self.number}"


ALL = Shard(1, 1)
IN_CLUSTER = Shard(EVERY, 1)
AT_DOOR = Shard(OCPP, 1)  # of a door for OCPP of a cluster
NONE = Shard(0, 0)  # of a process that takes in nothing, and knows of units what the store says of all shards
