"""How late this machine itself lets a 20 ms loop be: the same MicroPython with an empty loop, at the same time.

On a busy machine the worst latency may be the machine's, and this shows it.
"""

import asyncio
import shutil
import sys
from pathlib import Path

from hil_tests.fixtures.children import die_with_parent

LOOP = """
import time
worst = 0
before = time.ticks_ms()
while True:
    time.sleep_ms(20)
    now = time.ticks_ms()
    apart, before = time.ticks_diff(now, before), now
    if apart > worst:
        worst = apart
        print(worst)
"""


class Yardstick:
    """An empty loop. `worst_ms` is its longest interval so far."""

    def __init__(self) -> None:
        self.worst_ms = 0

    async def lie_beside(self) -> None:
        """Run until cancelled."""
        micropython = shutil.which("micropython", path=str(Path(sys.prefix) / "bin"))
        if micropython is None:
            raise FileNotFoundError("there is no micropython; `make .venv` fetches it")
        process = await asyncio.create_subprocess_exec(
            micropython, "-c", LOOP, stdout=asyncio.subprocess.PIPE, preexec_fn=die_with_parent
        )
        try:
            assert process.stdout is not None
            while line := await process.stdout.readline():
                self.worst_ms = int(line)
        finally:
            process.kill()
            await process.wait()
