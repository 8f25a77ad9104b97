"""The latest dialogue on a line, for the message of a failing test."""

import time
from collections import deque

KEPT_ENTRIES = 2000
SHOWN_BYTES = 96  # of one entry; a payload of 1,460 bytes would hide the dialogue


class Transcript:
    """The latest entries of a dialogue: time, sender, bytes. Adjacent entries of one sender are joined."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()
        self._entries: deque[tuple[float, str, bytes]] = deque(maxlen=KEPT_ENTRIES)

    def add(self, speaker: str, said: bytes) -> None:
        """Add bytes from one sender. `speaker` is a short mark such as ">" or "<"."""
        now_s = time.monotonic() - self._start_s
        if self._entries:
            then_s, last_speaker, earlier = self._entries[-1]
            if last_speaker == speaker and now_s - then_s < 0.05 and len(earlier) < SHOWN_BYTES:
                self._entries[-1] = (then_s, speaker, earlier + said)
                return
        self._entries.append((now_s, speaker, said))

    def tail(self, entries: int = 200) -> str:
        """Return the latest entries as text, one per line, with seconds since the start."""
        return "\n".join(_line(*entry) for entry in list(self._entries)[-entries:])


def _line(at_s: float, speaker: str, said: bytes) -> str:
    cut = f" ... ({len(said)} bytes)" if len(said) > SHOWN_BYTES else ""
    return f"{at_s:9.3f} {speaker} {said[:SHOWN_BYTES]!r}{cut}"
