"""The last 4 kB of the dialogue with the modem, for whoever has to find out what went wrong. Secrets are not in it.

A line is `milliseconds > command` or `milliseconds < what the modem said`. Payload stands as its length only: `<300 bytes>`.
What follows a command in a trace can be played back: tests/modem/replayed.py makes any trace a test.
"""

LIMIT_BYTES = 4_096
LINE_LIMIT_CHARS = 200  # of a line that is kept; a scan of a city must not push out everything before it

_SECRET_AFTER = ("AT+CPIN=", "AT+CLCK=", "AT+CPWD=")
_LOGIN_AFTER = "AT+CSTT="  # "apn","user","password"
_NUMBER_DIGITS = 14  # IMEI, IMSI and ICCID have 14 to 20 digits: who this is, and whose SIM
_DIGITS_SHOWN = 4


class Trace:
    """A ring of bytes, taken once and for ever: what is noted in it leaves no holes in a small heap."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES):
        self._ring = bytearray(limit_bytes)
        self._noted = 0  # bytes since the beginning

    def sent(self, now_ms: int, text: str):
        """A command, without its carriage return."""
        self._add("%d > %s" % (now_ms, redacted(text)))

    def heard(self, now_ms: int, text: str):
        """A line of the modem."""
        self._add("%d < %s" % (now_ms, redacted(text)))

    def payload(self, now_ms: int, mark: str, size: int):
        """Bytes that went by, `mark` says which way. What they were is nobody's business."""
        self._add("%d %s <%d bytes>" % (now_ms, mark, size))

    def lines(self) -> list:
        """Oldest first. The oldest of all may have lost its beginning to newer ones, so it is left out."""
        size = len(self._ring)
        at = self._noted % size
        if self._noted <= size:
            return str(self._ring[:at] if self._noted < size else self._ring, "utf-8").split("\n")[:-1]
        kept = self._ring[at:] + self._ring[:at]
        return str(kept[kept.find(b"\n") + 1 :], "utf-8").split("\n")[:-1]

    def _add(self, line: str):
        noted = line[:LINE_LIMIT_CHARS].encode() + b"\n"
        size = len(self._ring)
        at = self._noted % size
        room = min(len(noted), size - at)
        self._ring[at : at + room] = noted[:room]
        self._ring[: len(noted) - room] = noted[room:]
        self._noted += len(noted)


def redacted(text: str) -> str:
    """A line without passwords, PINs and the numbers of modem and SIM."""
    for beginning in _SECRET_AFTER:
        if text.startswith(beginning):
            return beginning + "***"
    if text.startswith(_LOGIN_AFTER):
        apn = text[len(_LOGIN_AFTER) :].split(",")[0]
        return _LOGIN_AFTER + apn + ',"***","***"'
    bare = text.strip('"').rstrip("F")  # an ICCID may end with a filler
    if len(bare) >= _NUMBER_DIGITS and bare.isdigit():
        return "***" + bare[-_DIGITS_SHOWN:]
    return text
