"""What an update costs on the air, layer by layer, from what a LossyNetwork has carried and counted."""

import copy
from dataclasses import dataclass, field

from hil_tests.sim.lossy_network import LossyNetwork
from hil_tests.sim.segments import HEADER_BYTES, MSS_BYTES, Tally

RECORD_HEAD_BYTES = 5  # of a TLS record
RECORD_BYTES = RECORD_HEAD_BYTES + 1 + 16  # TLS 1.3: header, content type, tag of AES-GCM
TIMESTAMP_BYTES = 12  # a TCP option, which hil_tests/bench/air.py counts
PIECE_BYTES, PIECE_HEAD_BYTES = 1024, 12
PUBLISH_BYTES = 1 + 2 + 2  # MQTT: first byte, length, length of the topic


@dataclass
class Records:
    """TLS records in one direction."""

    count: int = 0
    inner_bytes: int = 0  # encrypted content
    _unread: bytearray = field(default_factory=bytearray)

    def take(self, content: bytes) -> None:
        """Handle the next bytes of the stream, which began at a record."""
        self._unread += content
        while len(self._unread) >= RECORD_HEAD_BYTES:
            size = RECORD_HEAD_BYTES + int.from_bytes(self._unread[3:RECORD_HEAD_BYTES], "big")
            if len(self._unread) < size:
                return
            del self._unread[:size]
            self.count += 1
            self.inner_bytes += size - RECORD_BYTES


@dataclass
class Counted:
    """The counts of both directions at one moment."""

    down: Tally
    up: Tally
    down_records: Records
    up_records: Records


class Counter:
    """Counts what a network carries. Create it before the connection."""

    def __init__(self, network: LossyNetwork) -> None:
        self._network = network
        self._records = {"down": Records(), "up": Records()}
        network.hear = lambda direction, content: self._records[direction].take(content)

    def look(self) -> Counted:
        """Return a copy of the counts since its creation."""
        tallies, records = self._network.tallies, self._records
        return copy.deepcopy(Counted(tallies["down"], tallies["up"], records["down"], records["up"]))


def layers(before: Counted, after: Counted, image: int, manifest: int, unit_id: str) -> list[tuple[str, int]]:
    """Return (what, bytes) of everything on the air between two moments, for files of this size."""
    pieces = -(-image // PIECE_BYTES) + -(-manifest // PIECE_BYTES)
    heads = pieces * PIECE_HEAD_BYTES
    packets = pieces * (PUBLISH_BYTES + len(f"cp/{unit_id}/piece"))
    down_inner = after.down_records.inner_bytes - before.down_records.inner_bytes
    up_inner = after.up_records.inner_bytes - before.up_records.inner_bytes
    down, up = _between(before.down, after.down), _between(before.up, after.up)
    records = after.down_records.count - before.down_records.count + after.up_records.count - before.up_records.count
    return [
        ("image and manifest", image + manifest),
        (f"heads of {pieces} pieces", heads),
        ("MQTT around them", packets),
        ("asks and all else that the unit says", up_inner),
        ("PUBACKs and all else that the cloud says", down_inner - image - manifest - heads - packets),
        (f"TLS, {records} records", records * RECORD_BYTES),
        (f"headers of {down.segments + up.segments} segments", (down.segments + up.segments) * HEADER_BYTES),
        (
            f"{down.acknowledgements + up.acknowledgements} acknowledgements",
            (down.acknowledgements + up.acknowledgements) * HEADER_BYTES,
        ),
        (
            f"{down.again + up.again} segments sent again, of {down.lost + up.lost} lost with acknowledgements",
            down.again_bytes + up.again_bytes + (down.again + up.again) * HEADER_BYTES,
        ),
    ]


def floor(found: list[tuple[str, int]], loss: float) -> float:
    """Return the lower limit for any window and batching, as a share of the files' size.

    It consists of the files, the heads of their pieces and MQTT, in full segments, each with its own acknowledgement,
    as the next segment takes longer than a receiver waits. The share `loss` of it is sent twice.
    """
    (_, size), (_, heads), (_, packets) = found[:3]
    return (size + heads + packets) * (1 + 2 * HEADER_BYTES / MSS_BYTES) / (1 - loss) / size


def segments(before: Counted, after: Counted) -> int:
    """Return the number of segments of all kinds."""
    tallies = _between(before.down, after.down), _between(before.up, after.up)
    return sum(one.segments + one.again + one.acknowledgements for one in tallies)


def _between(before: Tally, after: Tally) -> Tally:
    return Tally(**{name: value - getattr(before, name) for name, value in vars(after).items()})
