"""How many connections may be open, and which one is closed when there are too many. Pure.

Every connection is an open file. `divide` gives each kind of connection its part of the files that the process may have
open, and keeps the rest for the store, the log and outgoing calls: connections alone can never use up all files.

A connection that has proved nothing yet belongs to a Crowd. When a crowd is full, the oldest connection of it is closed,
not the newest refused: whoever opens many and leaves them open loses them, and everybody else still gets in.
"""

from collections import OrderedDict
from typing import Generic, NamedTuple, TypeVar

MIN_FILES = 1000  # for the pages of a few people
KEPT_BACK = 200  # files for the store (3 for each of its connections), the log, and calls to others
MAX_UNITS = 10_000  # connections; the embedded broker is measured for 2,000
MAX_UNPROVEN = 2048
MAX_UNPROVEN_OF_NETWORK = 512  # a fleet of some hundreds may share the address of its mobile network
MAX_PAGES = 2000
MAX_PAGES_OF_NETWORK = 200

Member = TypeVar("Member")


class Budget(NamedTuple):
    """Numbers of connections. `..._of_network` holds for one address of IPv4 and one /64 of IPv6."""

    units: int  # with a CONNECT or without; then nothing more is accepted
    unproven: int  # of those: accepted, or shaking hands, and no CONNECT yet
    unproven_of_network: int
    logins: int  # of those: with a CONNECT that is being checked, or waits for that
    logins_of_network: int
    pages: int  # then nothing more is accepted
    idle_pages: int  # of those: without a whole request
    pages_of_network: int


def divide(files: int) -> Budget:
    """The connections for which a process with `files` open files has room."""
    room = files - min(KEPT_BACK, files // 2)
    pages = min(MAX_PAGES, room // 4)
    units = min(MAX_UNITS, room - pages)
    unproven = min(MAX_UNPROVEN, units // 3)
    logins = min(2 * MAX_UNPROVEN, units // 2)
    return Budget(
        units,
        unproven,
        min(MAX_UNPROVEN_OF_NETWORK, unproven // 2),
        logins,
        logins // 2,
        pages,
        pages // 2,
        min(MAX_PAGES_OF_NETWORK, pages // 2),
    )


def files_for(units: int) -> int:
    """The files with which `divide` has room for so many units at once."""
    return max(MIN_FILES, KEPT_BACK + units + min(MAX_PAGES, -(-units // 3)))


class Crowd(Generic[Member]):
    """Members in the order in which they came: at most `most`, and `most_of_network` of one network."""

    def __init__(self, most: int, most_of_network: int) -> None:
        self._most, self._most_of_network = most, most_of_network
        self._networks: OrderedDict[Member, str | None] = OrderedDict()
        self._members: dict[str, OrderedDict[Member, None]] = {}

    def __len__(self) -> int:
        return len(self._networks)

    def enter(self, member: Member, network: str | None) -> Member | None:
        """`network` is None for one that is not limited by it. Returns the member that has left to make room, if any."""
        self.leave(member)
        self._networks[member] = network
        if network is not None:
            of_network = self._members.setdefault(network, OrderedDict())
            of_network[member] = None
            if len(of_network) > self._most_of_network:
                return self._left(next(iter(of_network)))
        return self.oldest_out() if len(self._networks) > self._most else None

    def leave(self, member: Member) -> bool:
        """False if it was no member."""
        if member not in self._networks:
            return False
        self._left(member)
        return True

    def oldest_out(self) -> Member | None:
        """The oldest member, which is none any more; None if there is none."""
        return self._left(next(iter(self._networks))) if self._networks else None

    def _left(self, member: Member) -> Member:
        network = self._networks.pop(member)
        if network is not None:
            of_network = self._members[network]
            del of_network[member]
            if not of_network:
                del self._members[network]
        return member
