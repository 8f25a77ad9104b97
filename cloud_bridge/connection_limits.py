"""Connection limits: how many connections may be open, and which one is closed when there are too many. Pure.

Every connection uses a file descriptor. `divide` allots each kind of connection a share of the descriptors that the
process may open, and reserves the rest for the store, the log and outgoing calls. Connections alone can never use up
all of them.

A connection that is not authenticated yet belongs to a Crowd. When a crowd is full, its oldest connection is closed,
rather than the newest refused. A client that opens many and leaves them idle loses them, and all others still get in.
"""

from collections import OrderedDict
from typing import Generic, NamedTuple, TypeVar

MIN_FILES = 1000  # file descriptors; enough for the pages of a few people
KEPT_BACK = 200  # file descriptors for the store (3 for each of its connections), the log, and outgoing calls
MAX_UNITS = 10_000  # connections; the embedded broker was measured with 2,000
MAX_UNPROVEN = 2048
MAX_UNPROVEN_OF_NETWORK = 512  # a fleet of some hundreds may share one address of its mobile network
MAX_PAGES = 2000
MAX_PAGES_OF_NETWORK = 200

Member = TypeVar("Member")


class Budget(NamedTuple):
    """The largest numbers of connections. `..._of_network` applies to one IPv4 address or one IPv6 /64."""

    units: int  # with or without a CONNECT; at this number accepting stops
    unproven: int  # of `units`: accepted or in the TLS handshake, without a CONNECT yet
    unproven_of_network: int
    logins: int  # of `units`: with a CONNECT that is being checked or waits for its check
    logins_of_network: int
    pages: int  # at this number accepting stops
    idle_pages: int  # of `pages`: without a complete request
    pages_of_network: int


def divide(files: int) -> Budget:
    """Return the limits for a process that may have `files` files open."""
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
    """Return how many open files `divide` needs to allow so many units at once."""
    return max(MIN_FILES, KEPT_BACK + units + min(MAX_PAGES, -(-units // 3)))


class Crowd(Generic[Member]):
    """Members in the order of arrival: at most `most` in all, and `most_of_network` from one network."""

    def __init__(self, most: int, most_of_network: int) -> None:
        self._most, self._most_of_network = most, most_of_network
        self._networks: OrderedDict[Member, str | None] = OrderedDict()
        self._members: dict[str, OrderedDict[Member, None]] = {}

    def __len__(self) -> int:
        return len(self._networks)

    def enter(self, member: Member, network: str | None) -> Member | None:
        """Add a member. `network` is None for a member without a limit by network. Return the member that was removed
        to make room, or None."""
        self.leave(member)
        self._networks[member] = network
        if network is not None:
            of_network = self._members.setdefault(network, OrderedDict())
            of_network[member] = None
            if len(of_network) > self._most_of_network:
                return self._left(next(iter(of_network)))
        return self.oldest_out() if len(self._networks) > self._most else None

    def leave(self, member: Member) -> bool:
        """Remove a member. Return False if it was none."""
        if member not in self._networks:
            return False
        self._left(member)
        return True

    def oldest_out(self) -> Member | None:
        """Remove and return the oldest member. Return None if there is none."""
        return self._left(next(iter(self._networks))) if self._networks else None

    def _left(self, member: Member) -> Member:
        network = self._networks.pop(member)
        if network is not None:
            of_network = self._members[network]
            del of_network[member]
            if not of_network:
                del self._members[network]
        return member
