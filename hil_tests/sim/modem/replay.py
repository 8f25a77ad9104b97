"""Play a recording back: each command gets its recorded answer, after the same time, with the same URCs and silences.

What the modem sent between two commands belongs to the first, and is sent at the same distance from it. A received
command is matched to its next occurrence after the present place in the recording; if there is none, to the nearest
earlier one, and the replay continues from there. So a client may leave out commands, repeat them more often (the last
answer is repeated), and start again. Nothing else is modelled: a command does not change the later answers.

A command that is not in the recording is answered with ERROR at once, counted, and reported with the command that was
expected. Payload is expected where the recording has it, with the same length. What the modem sent before the first
command is sent with the answer to the first.
"""

from collections.abc import Callable
from pathlib import Path

from hil_tests.sim.modem.recording import BadRecording, Received, Sent, load
from hil_tests.sim.modem.terminal import LINE_LIMIT_BYTES

Entry = Sent | Received
Sending = list[tuple[int, bytes]]  # at_ms, what


class Replay:
    """A modem that repeats a recording. Pure: bytes and times in, bytes and their times out.

    The counters are commands `in_order`, `moved` (recorded commands were left out, or an earlier one was repeated) and
    `unknown`. `report` is called with a text for each unknown command.
    """

    def __init__(self, entries: list[Entry], report: Callable[[str], object] = lambda text: None) -> None:
        self._entries = entries
        self._commands = [at for at, entry in enumerate(entries) if isinstance(entry, Sent) and entry.command]
        if not self._commands:
            raise BadRecording("it contains no command")
        self._report = report
        self._first = [entry.data for entry in entries[: self._commands[0]] if isinstance(entry, Received)]
        self._place = -1  # of the last command, as an index of _commands
        self._payload_at = -1  # index of the entry whose payload is expected
        self._payload_left = 0
        self._unread = bytearray()
        self.in_order = self.moved = self.unknown = 0

    def __len__(self) -> int:
        return len(self._commands)

    def receive(self, now_ms: int, chunk: bytes) -> Sending:
        """Handle bytes from the client. Return what to send, and when."""
        self._unread += chunk
        sending: Sending = []
        while True:
            if self._payload_left:
                taken = min(self._payload_left, len(self._unread))
                del self._unread[:taken]
                self._payload_left -= taken
                if self._payload_left:
                    return sending
                sending += self._from(self._payload_at, now_ms)
            end = self._unread.find(b"\r")
            if end < 0:
                if len(self._unread) > 4 * LINE_LIMIT_BYTES:
                    self._unread.clear()
                return sending
            line = bytes(self._unread[:end])
            del self._unread[: end + 1]
            start = line.upper().find(b"AT")
            if start >= 0:
                sending += self._answer(line[start:].decode("ascii", "replace").strip(), now_ms)

    def _answer(self, command: str, now_ms: int) -> Sending:
        first, self._first = [(now_ms, data) for data in self._first], []
        later = range(self._place + 1, len(self._commands))
        place = self._found(command, [*later, *range(self._place, -1, -1)])
        if place is None:
            self.unknown += 1
            expected = self._sent(self._place + 1) if later else None
            text = f"{expected.command} of line {expected.line}" if expected else "the end of the recording"
            self._report(f"{command} is not in the recording; expected: {text}")
            return [*first, (now_ms, b"\r\nERROR\r\n")]
        if place == self._place + 1:
            self.in_order += 1
        else:
            self.moved += 1
        self._place = place
        return first + self._from(self._commands[place], now_ms)

    def _found(self, command: str, places: list[int]) -> int | None:
        return next((place for place in places if self._sent(place).matches(command)), None)

    def _sent(self, place: int) -> Sent:
        entry = self._entries[self._commands[place]]
        if not isinstance(entry, Sent):
            raise TypeError(f"{entry} is no command")
        return entry

    def _from(self, at: int, now_ms: int) -> Sending:
        """Return what was sent after the entry `at`, up to the client's next turn."""
        since_ms = self._entries[at].at_ms
        sending: Sending = []
        for number in range(at + 1, len(self._entries)):
            entry = self._entries[number]
            if isinstance(entry, Sent):
                if entry.payload_bytes:
                    self._payload_at, self._payload_left = number, entry.payload_bytes
                break
            sending.append((now_ms + max(0, entry.at_ms - since_ms), entry.data))
        return sending


def open_replay(path: Path, report: Callable[[str], object]) -> Replay:
    """Return the replay of a file. Raises BadRecording, OSError."""
    try:
        return Replay(load(path), report)
    except BadRecording as error:
        raise BadRecording(str(error) if str(path) in str(error) else f"{path}: {error}") from None
