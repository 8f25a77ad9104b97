"""Does anything that cloud, flash or maker provide cause a refusal at worst?"""

import json
import zlib
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from firmware.boards.stock import starter
from firmware.errors import CommandRefused, UpdateRefused
from firmware.update import manifest, ordering, transfer
from tests.firmware.storage.folder import empty
from tests.firmware.update import golden
from tests.firmware.update.scene import FakeUnit

FOLDER = "tests-update-properties"
SAID = json.loads(golden.MANIFEST.split(b"\n")[0])
ANYTHING: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=70)
    | st.sampled_from(["a", "b", "built_in"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "active": st.sampled_from(["a", "b", "built_in", "c"]) | ANYTHING,
        "before": st.sampled_from(["a", "b", "built_in"]) | ANYTHING,
        "state": st.sampled_from(["trial", "good", "settled"]) | ANYTHING,
        "strikes": st.integers(-5, 5) | ANYTHING,
        "why": st.none() | st.text(max_size=8) | ANYTHING,
        "tell": st.just([]) | ANYTHING,
    },
)


@given(
    st.binary(max_size=300) | st.binary(max_size=60).map(lambda line: line + b"\n" + golden.MANIFEST.split(b"\n", 1)[1])
)
def test_any_bytes_are_two_lines_or_a_refusal(content: bytes) -> None:
    try:
        found = manifest.split(content)
    except UpdateRefused:
        return
    assert content.startswith(found.line + b"\n") and len(found.signature) == 64 and found.key in (0, 1)


@given(ANYTHING | st.dictionaries(st.sampled_from(sorted(SAID)), ANYTHING).map(lambda changed: {**SAID, **changed}))
def test_any_json_is_a_manifest_or_a_refusal(said: object) -> None:
    try:
        found = manifest.read(json.dumps(said).encode())
    except UpdateRefused:
        return
    assert 0 < found.size <= manifest.IMAGE_MAX and 0 < found.unpacked <= manifest.UNPACKED_MAX
    assert len(found.pieces) == -(-found.size // 1024) * 16 and found.boards


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_piece_or_none(message: bytes) -> None:
    found = transfer.parts(message)
    assert found is None or (len(found[3]) in range(1, 1025) and found[0] + bytes((found[1],)) == message[:9])


@given(st.fixed_dictionaries({"v": ANYTHING, "h": ANYTHING, "m": ANYTHING, "r": ANYTHING}))
def test_any_order_is_taken_or_refused(order: dict[str, object]) -> None:
    """firmware/link/commands.py checks it before; here, texts and numbers can be anything."""
    order = {"v": str(order["v"]), "h": str(order["h"])[:16], "m": 100, "r": bool(order["r"])}
    unit = FakeUnit(empty(FOLDER))
    try:
        ordering.order(unit, order)
    except CommandRefused:
        assert unit.updates is None or not unit.updates.is_needed()


@given(
    RECORDS | ANYTHING,
    st.sampled_from(["watchdog", "power_on", "soft"]),
    st.booleans(),
    st.binary(max_size=80) | ANYTHING.map(lambda said: json.dumps(said).encode()),
)
def test_any_record_and_any_slot_start_something(record: object, cause: str, is_true: bool, said: bytes) -> None:
    """No content of the flash prevents the starter from a choice, and no incomplete slot is chosen."""
    flash = empty(FOLDER)
    text = json.dumps(record).encode()
    Path(flash, "slots").write_bytes(b"%08x " % (zlib.crc32(text) ^ (not is_true)) + text)
    for slot in starter.SLOTS:
        Path(flash, slot).mkdir()
        Path(flash, slot, "manifest").write_bytes(said)
        Path(flash, slot, "product").write_bytes(b"product")
    chosen = starter.choose(flash, cause)
    assert chosen == starter.BUILT_IN or starter.is_whole(f"{flash}/{chosen}")
