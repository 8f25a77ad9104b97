"""`python -m hil_tests.update`: one update over GPRS, from the order to the first charge by the new version: time and bytes.

The unit is the whole virtual one, with its modem. Down come 3,000 bytes a second and up go 1,500, 0.4 to 1 s late (GPRS with a
weak signal); 5 % of it is lost on the air and sent again by TCP, which is reckoned, not simulated. To what the proxy between
modem and broker has carried, 22 bytes of TLS are added for each message. Exits 1 if that is more than 1.15
times the size of the image and its manifest. With the headers of TCP/IP it is printed beside it.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from hil_tests.sim.network import Way
from hil_tests.update.life import Life
from hil_tests.update.release import make

DOWN, UP = Way(delay=0.4, jitter=0.6, rate=3_000), Way(delay=0.4, jitter=0.6, rate=1_500)
LOSS = 0.05
RECORD_BYTES = 22  # TLS 1.3: header, content type, tag of AES-GCM
SEGMENT_BYTES = 40  # IPv4 and TCP, without options
PIECE_BYTES = 1024
LIMIT = 1.15
WITHIN_S = 900
OFF_S = 3
QUIET_S = 3600  # between two heartbeats, which are not the update's


async def update(folder: Path, required: bool) -> bool:
    """Whether it costs what it may."""
    release = make(folder, "100.4.0")
    async with Life(folder / "unit") as life:
        await life.introduce(QUIET_S)
        life.network.down, life.network.up = DOWN, UP
        before, asked_before, began_s = dict(life.network.carried), life.asked, time.monotonic()
        await life.order(release, required)
        fetched_s = installed_s = 0.0
        up = down = 0
        worst_ms = 0
        while not installed_s:
            status = await life.status("update")
            if status.get("doing", "").startswith("install") and not fetched_s:
                fetched_s = time.monotonic() - began_s
            if any(kind == "boot" and details["v"] == release.version for kind, details in life.events):
                installed_s = time.monotonic() - began_s
            if not fetched_s:
                down, up = life.network.carried["down"] - before["down"], life.network.carried["up"] - before["up"]
            if not fetched_s or status.get("doing", "").startswith("install"):
                now = await life.status()
                worst_ms = max(worst_ms, int(now.get("loop_worst_ms", 0)))
            if time.monotonic() - began_s > WITHIN_S:
                print(life.unit.full_log(), file=sys.stderr)
                return False
            await asyncio.sleep(0.1)
        from_slot_s = await start_s(life)
        questions, pieces = life.asked - asked_before, life.sent_bytes // PIECE_BYTES
    size = len(release.image) + len(release.manifest)
    messages = pieces + 2 * questions  # each piece, each question with its acknowledgement
    carried = (down + up + messages * RECORD_BYTES) / (1 - LOSS)
    air = (down + up + messages * (RECORD_BYTES + SEGMENT_BYTES) + pieces // 2 * SEGMENT_BYTES) / (1 - LOSS)
    print(f"{len(release.image):9,} bytes of image, {len(release.manifest):,} of manifest")
    print(f"{fetched_s:9.0f} s until it is fetched, {installed_s:.0f} until the new version has told of itself")
    print(f"{down:9,} bytes down and {up:,} up, {questions} questions")
    print(f"{carried / size:9.3f} times the size, with TLS and {LOSS:.0%} sent again, limit {LIMIT}")
    print(f"{air / size:9.3f} times the size, with the headers of TCP/IP too")
    print(f"{worst_ms:9} ms between two steps of the control loop, the worst")
    print(f"{from_slot_s:9.1f} s from the mains to a closed contactor, from the slot")
    return carried / size <= LIMIT


async def start_s(life: Life) -> float:
    """Seconds from the mains to a closed contactor, of a unit that was charging before."""

    async def charges() -> bool:
        return life.unit.reading().contactor

    life.unit.plug()
    await life.until(charges, WITHIN_S)
    life.unit.mains(False)
    await asyncio.sleep(OFF_S)
    life.unit.mains(True)
    begun_s = time.monotonic()
    await life.until(charges, WITHIN_S)
    return time.monotonic() - begun_s


def main() -> int:
    """Exit code 1 if it costs too much, or does not come to its end."""
    with tempfile.TemporaryDirectory() as folder:
        return 0 if asyncio.run(update(Path(folder), True)) else 1


if __name__ == "__main__":
    sys.exit(main())
