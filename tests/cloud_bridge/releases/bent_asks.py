"""Randomly damaged requests of units for a release: no unit may get a byte that it may not have or that is not the
release's."""

import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cloud_bridge.counters import Counters
from cloud_bridge.ingest.update_pieces import MAX_ASKED_BYTES, UpdatePieces
from cloud_bridge.store.database import open_database
from cloud_bridge.store.roll_out_orders import due, mark_sent
from cloud_bridge.store.roll_out_start import Choice, ChosenBy
from cloud_bridge.verified_time import VerifiedTime
from cloud_bridge.wire import Ask, BadPayload, decode
from tests.cloud_bridge.releases.making import release
from tests.cloud_bridge.releases.rolling_out import add_heard, add_release, start
from tests.cloud_bridge.running import START_MS, HandClock

MADE = release(filling=random.Random(1).randbytes(20_000))
ANYTHING: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2, 8191, 8193, 1 << 24, 1 << 53, 1 << 70, 0.5, 1e300, "", "0", "1.4.0"),
    *("x" * 300, "\u0661", [], [[]], {}, {"": 0}, "0" * 16, "g" * 16, "../../x"),
)
TRUE_SHARE = 0.2  # share of undamaged requests, so that some are served


def bent(content: bytes, draw: random.Random) -> bytes:
    """Make one to four changes, so that the result differs from the input."""
    changed = bytearray(content)
    while bytes(changed) == content:
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(changed) + 1)
            what = draw.random()
            if what < 0.6 and at < len(changed):
                changed[at] ^= 1 << draw.randrange(8)
            elif what < 0.7:
                del changed[at:]
            elif what < 0.85:
                del changed[at : at + draw.randint(1, 40)]
            else:
                changed[at:at] = draw.randbytes(draw.randint(1, 40))
    return bytes(changed)


class Asking:
    """A bridge that answers. cp-1 has a command for MADE, and cp-2 has none."""

    def __init__(self, folder: Path) -> None:
        self._counters = Counters()
        self._database = open_database(folder)
        self._got: list[tuple[str, bytes]] = []
        with self._database.writing() as connection:
            self._name = add_release(connection, MADE)
            add_heard(connection, "cp-1", "cp-2")
            start(connection, Choice(ChosenBy.LIST, unit_ids=["cp-1"]))
            mark_sent(connection, due(connection, START_MS, 10), START_MS)
        self._now_s = 0.0
        verified = VerifiedTime(HandClock())
        self._pieces = UpdatePieces(self._database, verified, self._counters, 1 << 40, lambda: self._now_s)

    def close(self) -> None:
        self._database.close()

    async def ask(self, seed: int) -> str:
        """Return what was done with the request of this seed. Raises AssertionError if a wrong byte was sent."""
        draw = random.Random(seed)
        payload, unit_id = self._bent_ask(draw), draw.choice(("cp-1", "cp-1", "cp-2"))
        try:
            ask = decode("ask", payload)
        except BadPayload:
            return "no message"
        assert isinstance(ask, Ask)
        self._now_s += 60.0  # within the limit of requests
        before, self._got = self._answers(), []
        self._pieces.take(unit_id, ask)
        if self._answers() == before:
            await self._pieces.serve(self._send)
        (answer,) = (name for name, count in self._answers().items() if count != before[name])
        assert (answer == "asks_served") == bool(self._got)
        self._check(unit_id, ask)
        return answer

    def _bent_ask(self, draw: random.Random) -> bytes:
        said: dict[str, Any] = {"n": 1, "b": 1, "h": self._name, "f": draw.randint(0, 1), "o": 0, "c": MAX_ASKED_BYTES}
        said["o"] = draw.choice((0, 1, 1024, len(MADE.whole) - 1, len(MADE.image) - 1, len(MADE.image)))
        if draw.random() < TRUE_SHARE:
            return json.dumps(said).encode()
        for _ in range(draw.randint(1, 2)):
            said[draw.choice(("h", "f", "o", "c"))] = draw.choice(ANYTHING)
        payload = json.dumps(said).encode()
        return bent(payload, draw) if draw.random() < 0.5 else payload

    async def _send(self, unit_id: str, payloads: list[bytes]) -> bool:
        self._got += [(unit_id, payload) for payload in payloads]
        return True

    def _answers(self) -> dict[str, int]:
        return {name: count for name, count in asdict(self._counters).items() if name.startswith("asks_")}

    def _check(self, unit_id: str, ask: Ask) -> None:
        at = ask.offset or 0
        for to, payload in self._got:
            whole = (MADE.whole, MADE.image)[payload[8]]
            assert (to, unit_id) == ("cp-1", "cp-1")
            assert payload[:8].hex() == ask.release == self._name
            assert (payload[8], int.from_bytes(payload[9:12], "big")) == (ask.file, at)
            assert 0 < len(payload) - 12 <= 1024
            assert payload[12:] == whole[at : at + len(payload) - 12]
            at += len(payload) - 12
        assert at - (ask.offset or 0) <= min(ask.size or 0, MAX_ASKED_BYTES)
