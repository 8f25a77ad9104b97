"""A modem that answers from a script, on a line without delay, and a clock that only advances while a program waits.

The script maps each command to its answer; unknown commands are answered with ERROR, as by a modem. Nothing sleeps, and
nothing is random.
"""

from modem.client import Modem
from modem.families import sim800


class Clock:
    def __init__(self):
        self.ms = 0

    def now_ms(self):
        return self.ms

    def sleep_ms(self, ms):
        self.ms += ms


class Port:
    """`answers` maps a command ("AT+CSQ") to its answer, or to a list of answers for the first, second... time.

    An answer is bytes, a list of (delay_ms, bytes), or a function of the port that returns one of these. A payload sent after
    a prompt is collected in `payloads`, and answered with `answers[PAYLOAD]`.
    """

    def __init__(self, clock, answers):
        self.clock = clock
        self.answers = answers
        self.sent = []
        self.payloads = []
        self.prompt = b"\r\n> "
        self.bauds = []
        self.hears_from_ms = 0  # earlier commands are lost; None: all commands are
        self._line = b""
        self._payload_left = 0
        self._arriving = []  # (at_ms, bytes), in order of arrival

    def says(self, text, delay_ms=0):
        """Let the modem send something unprompted: text is framed as a line, bytes are sent as they are."""
        chunk = text if isinstance(text, bytes) else b"\r\n" + text.encode() + b"\r\n"
        at_ms = self.clock.ms + delay_ms
        place = len(self._arriving)
        while place and self._arriving[place - 1][0] > at_ms:
            place -= 1
        self._arriving.insert(place, (at_ms, chunk))

    def read(self):
        chunk = b""
        while self._arriving and self._arriving[0][0] <= self.clock.ms:
            chunk += self._arriving.pop(0)[1]
        return chunk

    def wait(self, timeout_ms):
        assert timeout_ms >= 0, "a wait of %d ms" % timeout_ms
        until = self.clock.ms + timeout_ms
        if self._arriving and self._arriving[0][0] <= until:
            self.clock.ms = max(self.clock.ms, self._arriving[0][0])
            return True
        self.clock.ms = until
        return False

    def write(self, data):
        for byte in bytes(data):
            if self._payload_left:
                self._take_payload(byte)
            elif byte == 13:
                self._take_command()
            else:
                self._line += bytes([byte])

    def set_baud(self, baud):
        self.bauds.append(baud)

    def close(self):
        pass

    def _take_command(self):
        command = self._line.decode()
        self._line = b""
        if not command or self.hears_from_ms is None or self.clock.ms < self.hears_from_ms:
            return
        self.sent.append(command)
        if command.startswith(TAKES_PAYLOAD) and command not in self.answers:
            self._payload_left = int(command.split(",")[1])
            self.payloads.append(b"")
            self.says(self.prompt)
        else:
            self._say(self.answers.get(command, b"\r\nERROR\r\n"))

    def _take_payload(self, byte):
        self.payloads[-1] += bytes([byte])
        self._payload_left -= 1
        if not self._payload_left:
            self._say(self.answers[PAYLOAD])

    def _say(self, answer):
        if isinstance(answer, list) and not (answer and isinstance(answer[0], tuple)):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(self)
        if isinstance(answer, bytes):
            answer = [(0, answer)]
        for delay_ms, chunk in answer:
            self.says(chunk, delay_ms)


TAKES_PAYLOAD = ("AT+CIPSEND=", "AT+QISEND=", "AT+CASEND=")
PAYLOAD = "what a payload is answered with"
OK = b"\r\nOK\r\n"
SILENCE = b""


def line(text):
    """Return a line as a modem frames it."""
    return b"\r\n" + text.encode() + b"\r\n"


def scripted(answers, family=sim800.FAMILY):
    """Return (modem, port, clock): a client with a scripted modem that at least answers its start-up."""
    answers = dict(answers)
    answers.setdefault("AT+CMEE?", line("+CMEE: 1") + OK)
    clock = Clock()
    port = Port(clock, answers)
    return Modem(port, clock, family), port, clock
