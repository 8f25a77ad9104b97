"""Does a unit get its update by requesting it, and no unit anything else?"""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from cloud_bridge.counters import Counters
from cloud_bridge.ingest import update_pieces
from cloud_bridge.ingest.update_pieces import UpdatePieces, month_of
from cloud_bridge.releases.manifest import name_of
from cloud_bridge.store.database import Database
from cloud_bridge.store.releases import ReleaseFiles
from cloud_bridge.store.roll_out_orders import due, mark_sent
from cloud_bridge.store.update_asks import Answer, Asked, Part
from cloud_bridge.wire import Ask
from tests.cloud_bridge.releases.making import release
from tests.cloud_bridge.releases.rolling_out import add_release, start
from tests.cloud_bridge.running import START_MS, Bridge, Unit
from tests.wire_schema import complaints

MADE = release(filling=random.Random(5).randbytes(20_000))
NAME = name_of(MADE.whole)


@pytest.fixture
def unit(bridge: Bridge) -> Iterator[Unit]:
    """cp-1, which was sent the command for MADE. The bridge answers requests."""
    unit = connected(bridge, "cp-1")
    with bridge.app_state.database.writing() as connection:
        add_release(connection, MADE)
        start(connection)
        mark_sent(connection, due(connection, START_MS, 10), START_MS)
    running = asyncio.run_coroutine_threadsafe(
        bridge.app_state.pieces.run(bridge.broker.pieces, bridge.app_state.duties), bridge.app_state.loop
    )
    yield unit
    running.cancel()


def connected(bridge: Bridge, unit_id: str) -> Unit:
    unit = Unit(bridge, unit_id, bridge.add_unit(unit_id).secret).connect()
    unit.subscribe(f"cp/{unit_id}/command")
    assert unit.subscribe(f"cp/{unit_id}/piece") == 1
    unit.publish(f"cp/{unit_id}/heartbeat", b'{"n":1,"b":1}')
    unit.publish(f"cp/{unit_id}/event", b'{"n":0,"b":1,"k":"boot","d":{"board":"tcall"}}')
    return unit


def ask(unit: Unit, file: int, offset: int, size: int, unit_id: str = "cp-1", **more: Any) -> None:
    said = {"n": 2, "b": 1, "h": NAME, "f": file, "o": offset, "c": size} | more
    unit.publish(f"cp/{unit_id}/ask", json.dumps(said).encode())


def load(bridge: Bridge, unit: Unit, file: int, size: int) -> bytes:
    """Request a whole file, eight pieces at a time."""
    unit.pieces.clear()

    def loaded() -> int:
        return sum(len(piece) - 12 for piece in unit.pieces)

    for offset in range(0, size, 8192):
        ask(unit, file, offset, 8192)
        bridge.until(partial(_is_loaded, loaded, min(offset + 8192, size)), "all pieces")
    found = b""
    for piece in unit.pieces:
        assert piece[:12] == bytes.fromhex(NAME) + bytes((file,)) + len(found).to_bytes(3, "big")
        assert len(piece) <= 12 + 1024
        found += piece[12:]
    return found


def _is_loaded(loaded: Callable[[], int], wanted: int) -> bool:
    return loaded() >= wanted


def test_manifest_and_image_come_as_they_were_signed(bridge: Bridge, unit: Unit) -> None:
    assert complaints("ask", {"n": 2, "b": 1, "h": NAME, "f": 1, "o": 0, "c": 8192}) == []
    assert load(bridge, unit, 0, len(MADE.whole)) == MADE.whole
    assert load(bridge, unit, 1, len(MADE.image)) == MADE.image
    assert bridge.counter("pieces_not_sent") == 0
    assert bridge.counter("asks_served") == 1 + -(-len(MADE.image) // 8192)


def dropped(bridge: Bridge, counter: str, act: Callable[[], None]) -> None:
    before = bridge.counter(counter)
    act()
    bridge.until(lambda: bridge.counter(counter) > before, f"counted in {counter}")


def test_an_ask_is_a_contact_and_what_cannot_be_sent_is_counted(bridge: Bridge, unit: Unit) -> None:
    bridge.clock.advance(60_000)
    dropped(bridge, "asks_beyond_file", lambda: ask(unit, 1, 0, update_pieces.MAX_ASKED_BYTES + 1))
    assert bridge.read("cp-1")["last_contact"] == "2026-01-01T00:01:00.000Z"
    dropped(bridge, "asks_beyond_file", lambda: ask(unit, 2, 0, 1))
    dropped(bridge, "asks_beyond_file", lambda: ask(unit, 1, 2**24, 1))
    dropped(bridge, "asks_beyond_file", lambda: ask(unit, 1, len(MADE.image), 1))
    dropped(bridge, "asks_without_order", lambda: ask(unit, 1, 0, 1, h="0" * 16))
    dropped(bridge, "bad_payloads", lambda: ask(unit, 1, -1, 1))
    stranger = connected(bridge, "cp-2")
    dropped(bridge, "asks_without_order", lambda: ask(stranger, 1, 0, 1, unit_id="cp-2"))
    assert unit.pieces == stranger.pieces == []


def test_a_unit_that_asks_too_often_is_not_answered_and_its_commands_still_come(bridge: Bridge, unit: Unit) -> None:
    for _ in range(update_pieces.ASKS_AT_ONCE + 20):
        ask(unit, 1, 0, 1)
    bridge.until(lambda: bridge.counter("asks_too_often") > 0, "asked too often")
    assert bridge.command("cp-1", b'{"id":"c-1","do":"resume"}')
    assert unit.heard.wait(60)


def test_nobody_reads_the_pieces_of_another(bridge: Bridge, unit: Unit) -> None:
    stranger = connected(bridge, "cp-2")
    assert stranger.subscribe("cp/cp-1/piece") == 0x80
    assert stranger.subscribe("cp/+/piece") == 0x80


def test_a_month_is_a_calendar_month() -> None:
    assert month_of(0) == 0
    assert month_of(START_MS - 1) == 56 * 12 - 1
    assert month_of(START_MS) == 56 * 12


def asking(**change: Any) -> Ask:
    said = {"boot": 1, "sequence": 2, "unit_time_s": None, "release": "00" * 8, "file": 1, "offset": 0, "size": 1}
    return Ask(**(said | change))


@pytest.mark.parametrize(
    ("change", "is_read"),
    [
        ({}, True),
        ({"file": 0}, True),
        ({"file": 2}, False),
        ({"file": None}, False),
        ({"release": None}, False),
        ({"offset": None}, False),
        ({"size": None}, False),
        ({"offset": 2**24 - 1}, True),
        ({"offset": 2**24}, False),
        ({"size": 0}, False),
        ({"size": update_pieces.MAX_ASKED_BYTES}, True),
        ({"size": update_pieces.MAX_ASKED_BYTES + 1}, False),
    ],
)
def test_what_some_file_may_have(change: dict[str, Any], is_read: bool) -> None:
    asked, ask = update_pieces._read("cp-1", asking(**change)), asking(**change)
    assert asked == (("cp-1", ask.release, ask.file, ask.offset, ask.size) if is_read else None)


@pytest.mark.parametrize(
    ("offset", "size", "lengths"),
    [(0, 1, [1]), (0, 1024, [1024]), (0, 1025, [1024, 1]), (1000, 2048, [1024, 1024]), (4995, 5, [5])],
)
def test_pieces_are_cut_of_what_may_be_sent(offset: int, size: int, lengths: list[int]) -> None:
    manifest, image = bytes(range(250)) * 20, bytes(reversed(range(250))) * 20
    for file, whole in ((0, manifest), (1, image)):
        asked = Asked("cp-1", "0011223344556677", file, offset, 9999)
        pieces = update_pieces._cut(asked, Part(Answer.SERVED, size), ReleaseFiles(manifest, image))
        assert [len(piece) - 12 for piece in pieces] == lengths
        assert b"".join(piece[12:] for piece in pieces) == whole[offset : offset + size]
        starts = [offset + 1024 * number for number in range(len(lengths))]
        heads = [bytes.fromhex(asked.name) + bytes([file]) + at.to_bytes(3, "big") for at in starts]
        assert [piece[:12] for piece in pieces] == heads


def waiting_for(now_s: float = 0.0) -> tuple[UpdatePieces, Counters]:
    """For asks; nobody answers them."""
    nothing: Any = None
    counters = Counters()
    return UpdatePieces(nothing, nothing, counters, 0, lambda: now_s), counters


def test_the_newest_ask_of_a_unit_waits_and_the_one_before_it_is_counted() -> None:
    pieces, counters = waiting_for()
    for offset in (0, 1, 2):
        pieces.take("cp-1", asking(offset=offset))
    assert [asked.offset for asked in pieces._waiting.values()] == [2] and counters.asks_dropped == 2
    assert pieces._came.is_set()
    pieces.take("cp-1", asking(size=0))
    assert counters.asks_beyond_file == 1 and len(pieces._waiting) == 1


def test_no_more_units_wait_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update_pieces, "WAITING", 2)
    pieces, counters = waiting_for()
    for unit_id in ("cp-1", "cp-2", "cp-3"):
        pieces.take(unit_id, asking())
    assert list(pieces._waiting) == ["cp-1", "cp-2"] and counters.asks_dropped == 1
    pieces.take("cp-1", asking(offset=7))
    assert pieces._waiting["cp-1"].offset == 7 and counters.asks_dropped == 2


def test_a_unit_may_ask_so_often_and_no_more() -> None:
    pieces, counters = waiting_for()
    for _ in range(update_pieces.ASKS_AT_ONCE):
        pieces.take("cp-1", asking())
    assert counters.asks_too_often == 0
    pieces.take("cp-1", asking(offset=7))
    assert counters.asks_too_often == 1 and pieces._waiting["cp-1"].offset == 0


def test_the_releases_that_were_asked_for_last_are_kept_in_memory(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def read_files(_connection: Any, name: str) -> ReleaseFiles | None:
        read.append(name)
        return None if name == "gone" else ReleaseFiles(name.encode(), b"")

    monkeypatch.setattr(update_pieces, "read_files", read_files)
    nothing: Any = None
    pieces = UpdatePieces(database, nothing, Counters(), 0, lambda: 0.0)
    names = [str(number) for number in range(update_pieces.KEPT_RELEASES)]
    for name in [*names, *names, "one more", names[-1], names[0]]:
        assert pieces._release(name).manifest == name.encode()
    assert read == [*names, "one more", names[0]] and len(pieces._files) == update_pieces.KEPT_RELEASES
    assert pieces._release("gone") == ReleaseFiles(b"", b"")
