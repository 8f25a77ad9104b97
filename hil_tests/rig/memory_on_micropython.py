"""MicroPython, by boot.py: what each module of the firmware leaves in memory when it is imported, largest first.

The code itself stays in the image; this is names, functions, classes and tables. The table that says which name has which
number, which all share, is not counted: 28 kB. Bytes of this machine's 64 bits; a board with 32
takes 0.58 of it, and less of what is frozen into its image (hil_tests/cortex_m).
"""

import builtins
import gc
import sys

DUMMIES = 3000  # names that nobody uses: the table of names has then grown before anything is measured

# app.py imports these part by part.
TALKING = (
    "firmware.console",
    "firmware.link.journal",
    "firmware.storage.outbox",
    "firmware.storage.event_log",
    "firmware.installer_lock",
    "firmware.storage.authority",
    "firmware.link.bearer",
    "firmware.link.cloud_messages",
    "firmware.link.uplink",
    "firmware.daily_report",
)
imported = builtins.__import__
inner = [0]  # bytes that the imports within the present ones have taken
rows: list[tuple[int, str]] = []


def mem_alloc() -> int:
    gc.collect()
    taken: int = gc.mem_alloc()  # type: ignore[attr-defined]  # CPython has none
    return taken


def measured(name: str, *more: object) -> object:
    known = len(sys.modules)
    inner.append(0)
    before = mem_alloc()
    try:
        return imported(name, *more)  # type: ignore[arg-type]  # as they came
    finally:
        taken = mem_alloc() - before
        own = taken - inner.pop()
        inner[-1] += taken
        if len(sys.modules) != known:
            rows.append((own, name))


for number in range(DUMMIES):
    hasattr(sys, f"dummy{number}")
rows.extend([(0, "")] * 200)  # so that keeping rows takes no memory later
del rows[:]
builtins.__import__ = measured  # type: ignore[assignment]
measured("firmware.app")
for part in TALKING:
    measured(part)
measured("firmware.boards.virtual")
builtins.__import__ = imported
for own, name in sorted(rows, reverse=True):
    print(own, name)
