"""Shards: several processes share the units of one broker, by a hash of the unit's id. In a cluster every process takes
any unit, and outages are counted by path (cloud_bridge/paths.py)."""

import zlib
from typing import NamedTuple

from cloud_bridge.paths import EVERY, OCPP


class Shard(NamedTuple):
    """Shard `number` of `of`, counted from 1."""

    number: int
    of: int

    def takes(self, unit_id: str) -> bool:
        """Return whether the unit belongs to this shard. It uses CRC-32, since Python's hash() differs between
        processes."""
        return self.of == 1 or self.of > 1 and zlib.crc32(unit_id.encode()) % self.of == self.number - 1

    @property
    def is_alone(self) -> bool:
        """Whether no other process stores listening times."""
        return self.of == 1 and self.number != EVERY

    def is_other(self, number: int) -> bool:
        """Return whether `number` is another shard at present. The store may also have shards of a former, larger
        number."""
        if self.of == 0:  # NONE
            return True
        return number != self.number and (number <= self.of or (self.number == EVERY and number > EVERY))

    @property
    def bridge_id(self) -> str:
        """The client id and user name of this shard at the broker."""
        return f"_bridge-{self.number}"

    @property
    def canary_id(self) -> str:
        """The client id of this shard's canary. Each shard has its own, because each can have an outage of its own."""
        return f"_canary-{self.number}"


ALL = Shard(1, 1)
IN_CLUSTER = Shard(EVERY, 1)
AT_DOOR = Shard(OCPP, 1)  # an OCPP door of a cluster
NONE = Shard(0, 0)  # a process that receives no messages, and reads the listening times of all shards from the store
