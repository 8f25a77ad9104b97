"""The memory and open files of the bridge during a siege, measured once a second, and what it writes to its log."""

import re
import threading
import time
from contextlib import suppress
from pathlib import Path

from hil_tests.bench.cloud.load import cpu_s, memory_mb

EVERY_S = 1.0
# A traceback, an error, or a value that got as far as the database. No request and no message may cause one.
FAULT = re.compile(
    r"^(?:Traceback .*|\S+ \S+ (?:ERROR|CRITICAL) .*|.*Task exception was never retrieved.*)$", re.MULTILINE
)


class Watch:
    """The constructor starts it; `stop` ends it. Only lines added to the log since then count."""

    def __init__(self, pid: int, log: Path) -> None:
        self.memory_mb: list[float] = []
        self.files_peak = 0
        self._pid, self._log, self._from_byte = pid, log, log.stat().st_size
        self.began_s = time.monotonic()
        self.cores = 0.0  # average number of cores that the process used, after `stop`
        self._cpu_s = cpu_s(pid)
        self._over = threading.Event()
        self._look()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop measuring."""
        self._over.set()
        self._thread.join()
        with suppress(OSError):  # the bridge has ended: the siege reports that /healthz does not answer
            self.cores = (cpu_s(self._pid) - self._cpu_s) / (time.monotonic() - self.began_s)

    def log_bytes(self) -> int:
        """Return the number of bytes written to the log since the start."""
        return self._log.stat().st_size - self._from_byte

    def log_faults(self) -> list[str]:
        """Return each fault in the log, in order; a traceback as a whole."""
        text = self._log.read_bytes()[self._from_byte :].decode("utf-8", "replace")
        return [_with_context(text, found) for found in FAULT.finditer(text)]

    def _watch(self) -> None:
        while not self._over.wait(EVERY_S):
            self._look()

    def _look(self) -> None:
        """Measure once. Do nothing if the process has ended, which the siege notices itself."""
        try:
            self.memory_mb.append(memory_mb(self._pid))
            self.files_peak = max(self.files_peak, len(list(Path(f"/proc/{self._pid}/fd").iterdir())))
        except OSError:
            return


def _with_context(text: str, found: "re.Match[str]") -> str:
    """Return the line, or the traceback up to its first line that is not indented."""
    if not found[0].startswith("Traceback"):
        return found[0][:500]
    lines = text[found.start() :].splitlines()[1:]
    end = next((at for at, line in enumerate(lines) if not line.startswith(" ")), len(lines) - 1)
    return "\n".join([found[0], *lines[: end + 1]])[-3000:]
