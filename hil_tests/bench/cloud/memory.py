"""The memory of the live state of a large fleet, as the interpreter counts its allocations."""

import tracemalloc

from cloud_bridge.live import Live
from cloud_bridge.wire import Heartbeat, decode

UNITS = 100_000
BOOTS = 300  # starts of a unit in some years
LIMIT_MB = 30.0
NOW_MS = 1_767_229_200_000
HEARTBEAT = b'{"n":%d,"b":%d,"s":"A1","m":"smart","q":17,"o":"23415","a":32,"w":0,"e":%d,"f":[],"x":24}'


def live_state() -> bool:
    """Measure the memory after a heartbeat of each unit. Ids, times, numbers and meter readings are separate objects."""
    tracemalloc.start()
    try:
        live = Live()
        for number in range(UNITS):
            unit, at_ms = live.unit(f"cp{number:06d}"), NOW_MS + UNITS + number
            heartbeat = decode("heartbeat", HEARTBEAT % (1000 + number, number % BOOTS, 1000 + number))
            assert isinstance(heartbeat, Heartbeat)
            live.contact(unit, at_ms, UNITS + number)
            unit.told(heartbeat, at_ms, redelivered=False)
            unit.stored(heartbeat)
        heard_mb = tracemalloc.get_traced_memory()[0] / 1e6
    finally:
        tracemalloc.stop()
    print(f"live state of {UNITS:,} units that were heard: {heard_mb:.1f} MB, limit {LIMIT_MB:.0f} MB")
    return heard_mb <= LIMIT_MB
