"""A log of the last 4 kB of the AT dialogue, for diagnosis. Passwords, PINs and subscriber numbers are redacted.

A line is `milliseconds > command` or `milliseconds < response`. For a payload, only its length is logged: `<300 bytes>`.
tests/modem/replayed.py replays a trace as a test, hil_tests/sim/modem/replay.py on a serial line.
"""

LIMIT_BYTES = 4_096
LINE_LIMIT_CHARS = 200  # longer lines are cut, so that one long scan does not overwrite the whole log

_SECRET_AFTER = ("AT+CPIN=", "AT+CLCK=", "AT+CPWD=", "AT+CGAUTH=", "+CMT:", "+CUSD:")
_LOGIN_STRINGS = 3  # a command with this many quoted strings carries an APN, a user and a password, in whatever family
_NUMBER_DIGITS = 14  # IMEI, IMSI and ICCID have 14 to 20 digits
_DIGITS_SHOWN = 4


class Trace:
    """A ring buffer of `limit_bytes`, allocated once, so that logging does not fragment the heap."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._ring = bytearray(limit_bytes)
        self._written = 0  # bytes since the start

    def sent(self, now_ms: int, text: str) -> None:
        """Log a command, without its carriage return."""
        self._add("%d > %s" % (now_ms, redacted(text)))

    def received(self, now_ms: int, text: str) -> None:
        """Log a line received from the modem."""
        self._add("%d < %s" % (now_ms, redacted(text)))

    def payload(self, now_ms: int, mark: str, size: int) -> None:
        """Log the length of a payload, bytes. `mark` is ">" to the modem, "<" from it."""
        self._add("%d %s <%d bytes>" % (now_ms, mark, size))

    def lines(self) -> list[str]:
        """Return the lines, oldest first. A line that is partly overwritten is omitted."""
        size = len(self._ring)
        at = self._written % size
        if self._written <= size:
            return str(self._ring[:at] if self._written < size else self._ring, "utf-8").split("\n")[:-1]
        kept = self._ring[at:] + self._ring[:at]
        return str(kept[kept.find(b"\n") + 1 :], "utf-8").split("\n")[:-1]

    def _add(self, line: str) -> None:
        entry = line[:LINE_LIMIT_CHARS].encode() + b"\n"
        size = len(self._ring)
        at = self._written % size
        room = min(len(entry), size - at)
        self._ring[at : at + room] = entry[:room]
        self._ring[: len(entry) - room] = entry[room:]
        self._written += len(entry)


def redacted(text: str) -> str:
    """Return the line without passwords and PINs, and with zeros in IMEI, IMSI and ICCID except their last digits."""
    text = text[: LINE_LIMIT_CHARS + 32]  # includes all digits of a number that will be cut later
    for beginning in _SECRET_AFTER:
        if text.startswith(beginning):
            return beginning + "***"
    parts = text.split('"')  # every second part was quoted
    if text.startswith("AT") and len(parts) > 2 * _LOGIN_STRINGS:
        return '"'.join(["***" if at > 1 and at % 2 else part for at, part in enumerate(parts)])
    at = _NUMBER_DIGITS - 1  # every number covers at least one of the places that are checked
    while at < len(text):
        if text[at].isdigit():
            text = _masked(text, at)
        at += _NUMBER_DIGITS
    return text


def _masked(text: str, at: int) -> str:
    """Return the text with zeros in the run of digits around index `at`, if the run is long enough for a number."""
    end = at
    while at and text[at - 1].isdigit():
        at -= 1
    while text[end : end + 1].isdigit():
        end += 1
    if end - at < _NUMBER_DIGITS:
        return text
    end -= _DIGITS_SHOWN
    return text[:at] + "0" * (end - at) + text[end:]
