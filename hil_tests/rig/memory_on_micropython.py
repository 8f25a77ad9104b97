"""Run on MicroPython by boot.py: print what each module of the firmware leaves in memory on import, largest first.

The code itself stays in the image; what is left are names, functions, classes and tables. The table of all names (qstr
pool), which the modules share, is not counted: 28 kB. The bytes are those of this 64-bit machine. A 32-bit board takes
0.58 of them, and less for what is frozen into its image (hil_tests/cortex_m).
"""

import builtins
import gc
import sys

DUMMIES = 3000  # unused names, which grow the table of names before anything is measured

# app.py imports these one by one.
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
inner = [0]  # for each import in progress: bytes taken by the imports inside it
rows: list[tuple[int, str]] = []


def mem_alloc() -> int:
    gc.collect()
    taken: int = gc.mem_alloc()  # type: ignore[attr-defined]  # CPython does not have it
    return taken


def measured(name: str, *more: object) -> object:
    known = len(sys.modules)
    inner.append(0)
    before = mem_alloc()
    try:
        return imported(name, *more)  # type: ignore[arg-type]  # passed on unchanged
    finally:
        taken = mem_alloc() - before
        own = taken - inner.pop()
        inner[-1] += taken
        if len(sys.modules) != known:
            rows.append((own, name))


for number in range(DUMMIES):
    hasattr(sys, f"dummy{number}")
rows.extend([(0, "")] * 200)  # preallocate, so that adding rows takes no memory later
del rows[:]
builtins.__import__ = measured  # type: ignore[assignment]
measured("firmware.app")
for part in TALKING:
    measured(part)
measured("firmware.boards.virtual")
builtins.__import__ = imported
for own, name in sorted(rows, reverse=True):
    print(own, name)
