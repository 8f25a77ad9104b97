"""Answer units' requests ("asks") for pieces of an update's manifest or image, with QoS 0.

    cp/<id>/ask     {"h": release, "f": 0 manifest | 1 image, "o": offset, "c": bytes, 32 pieces at most}
    cp/<id>/piece   8 bytes of the release's name | 1 byte f | 3 bytes offset, big-endian | up to 1,024 bytes

Contacts and commands have priority. An ask is a contact and is acknowledged like any message; it is answered
separately. At most WAITING asks wait. AT_ONCE of them share a transaction, which waits behind those of the recorder. A
unit that has not read the previous pieces is sent none. Pieces that are not sent are counted, and the unit asks for
them again.

Asks beyond the monthly byte budget are not answered. The budget is kept in the store, and months go by verified time,
so a clock that is ahead does not start a new month.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from cloud_bridge.counters import Counters
from cloud_bridge.duties import Duties
from cloud_bridge.ingest.quotas import Quotas
from cloud_bridge.releases.image import PIECE_BYTES
from cloud_bridge.store.database import Database
from cloud_bridge.store.releases import ReleaseFiles, read_files
from cloud_bridge.store.update_asks import IMAGE, MANIFEST, Answer, Asked, Budget, Part, permit
from cloud_bridge.verified_time import VerifiedTime
from cloud_bridge.wire import Ask

MAX_ASKED_BYTES = 32 * PIECE_BYTES
ASKS_AT_ONCE = 40  # of one unit: the largest image in asks for 8 pieces, which a unit on a bad network uses
ASKS_PER_S = 0.5  # sustained rate of one unit: 4 kB/s with 8 pieces, more than GPRS carries
WAITING = 1000  # asks of all units
AT_ONCE = 50  # asks in one transaction
KEPT_RELEASES = 4  # in memory, of at most 270 kB each
ON_AIR_BYTES = 90  # overhead of each piece: header, topic and MQTT 28, TLS record 22, TCP/IP 40 (facts/cloud.md)
EVERY_S = 0.1  # after an error

SendPieces = Callable[[str, list[bytes]], Awaitable[bool]]  # unit id, payloads; False if they cannot be sent now

_log = logging.getLogger(__name__)


class _Answer(NamedTuple):
    unit_id: str
    payloads: list[bytes]


class UpdatePieces:
    """Answers the asks of the units whose messages this process receives. Used on one event loop. `database` is its own
    (Database.separate)."""

    def __init__(
        self,
        database: Database,
        verified: VerifiedTime,
        counters: Counters,
        month_bytes: int,
        now_s: Callable[[], float],
    ) -> None:
        self._database = database
        self._verified = verified
        self._counters = counters
        self._month_bytes = month_bytes
        self._now_s = now_s
        self._rates = Quotas(ASKS_AT_ONCE, ASKS_PER_S)
        self._waiting: OrderedDict[str, Asked] = OrderedDict()  # the newest ask of each unit
        self._came = asyncio.Event()
        self._files: OrderedDict[str, ReleaseFiles] = OrderedDict()

    def take(self, unit_id: str, ask: Ask) -> None:
        """Queue an ask that has been acknowledged. Returns at once. A waiting ask is replaced by the unit's next."""
        asked = _read(unit_id, ask)
        if asked is None:
            self._counters.asks_beyond_file += 1
        elif not self._rates.take(unit_id, self._now_s()):
            self._counters.asks_too_often += 1
        elif len(self._waiting) >= WAITING and unit_id not in self._waiting:
            self._counters.asks_dropped += 1
        else:
            self._counters.asks_dropped += unit_id in self._waiting
            self._waiting[unit_id] = asked
            self._came.set()

    async def run(self, send: SendPieces, duties: Duties) -> None:
        """Run until cancelled."""
        await duties.every(EVERY_S, "update_pieces", lambda: self.serve(send))

    async def serve(self, send: SendPieces) -> None:
        """Answer the waiting asks, or return if none comes within 10 s. Raises SQLAlchemyError; the units then ask
        again."""
        self._came.clear()
        if not self._waiting:
            try:
                await asyncio.wait_for(self._came.wait(), 10.0)
            except TimeoutError:
                return
        while self._waiting:
            unit_ids = list(islice(self._waiting, AT_ONCE))
            asks = sorted(self._waiting.pop(unit_id) for unit_id in unit_ids)  # by unit id: store/row_order.py
            for answer in await asyncio.to_thread(self._answers, asks):
                if await send(*answer):
                    self._counters.pieces_sent += len(answer.payloads)
                else:
                    self._counters.pieces_not_sent += len(answer.payloads)

    def _answers(self, asks: list[Asked]) -> list[_Answer]:
        """Return the pieces that may be sent. They are charged to the budget in the store first."""
        budget = Budget(month_of(self._verified.now_ms()), self._month_bytes, ON_AIR_BYTES, PIECE_BYTES)
        with self._database.writing() as connection:
            parts = permit(connection, asks, budget)
        found: list[_Answer] = []
        for ask, part in zip(asks, parts, strict=True):
            self._count(part.answer)
            if part.answer is Answer.SERVED:
                found.append(_Answer(ask.unit_id, _cut(ask, part, self._release(ask.name))))
        return found

    def _count(self, answer: Answer) -> None:
        name = f"asks_{answer}"
        setattr(self._counters, name, getattr(self._counters, name) + 1)

    def _release(self, name: str) -> ReleaseFiles:
        """Return a release's files, from the cache if possible. A release that has a roll-out is never removed."""
        files = self._files.get(name)
        if files is None:
            with self._database.reading() as connection:
                files = read_files(connection, name) or ReleaseFiles(b"", b"")
            self._files[name] = files
            if len(self._files) > KEPT_RELEASES:
                self._files.popitem(last=False)
        return files


def month_of(at_ms: int) -> int:
    """Return the number of months since January 1970, in UTC."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return (at.year - 1970) * 12 + at.month - 1


def _read(unit_id: str, ask: Ask) -> Asked | None:
    """Validate an ask. Return None if it cannot refer to any file."""
    name, file, offset, size = ask.release, ask.file, ask.offset, ask.size
    if name is None or file not in (MANIFEST, IMAGE) or offset is None or size is None:
        return None
    if offset >= 1 << 24 or not 1 <= size <= MAX_ASKED_BYTES:
        return None
    return Asked(unit_id, name, file, offset, size)


def _cut(ask: Asked, part: Part, files: ReleaseFiles) -> list[bytes]:
    whole = files.manifest if ask.file == MANIFEST else files.image
    end = ask.offset + part.size
    head = bytes.fromhex(ask.name) + bytes((ask.file,))
    return [
        head + at.to_bytes(3, "big") + whole[at : min(at + PIECE_BYTES, end)]
        for at in range(ask.offset, end, PIECE_BYTES)
    ]
