"""One command in flight, every wait with a deadline, URCs to whom they concern.

A command that got no answer in time leaves us out of step: its answer may still come. Before the next command the
client then asks questions that nobody else asks (the family's RESYNC), each a different one, until one is answered;
a modem answers in order, so by then every older answer has passed by.
"""

from modem import at, replies
from modem.errors import CommandError, CommandTimeout, ModemHung, ModemRestarted, ProtocolError
from modem.trace import Trace

if 0:  # read by the type checker alone
    from modem.contracts import Family

ANSWER_LIMIT_CHARS = 8_192  # a network scan in a city: 100 cells of 80 characters
QUERY_ATTEMPTS = 5
_TORN = "unexpected line"  # a doubt: another line fell into one of the answer's
DRAIN_READS = 32  # before a command; a modem that never stops talking must not keep us from speaking


class Modem:
    """A modem behind `port`, of the kind that the tables in `family` describe.

    `port` is one of modem/ports, `clock` has now_ms() and sleep_ms(ms). One command at a time: not for two threads, nor
    for use from a URC callback.
    """

    def __init__(self, port, clock, family):
        self.port = port
        self.clock = clock
        self.family = family
        self.unexpected_lines = 0  # lines that belonged to nothing: late answers, torn lines
        self.broken = 0  # times that bytes were seen to be missing
        self.timeouts = 0
        self.resyncs = 0
        self.restarts = 0  # boots that we heard of
        self.voltage_warnings = 0
        self.trace = Trace()
        self._tokenizer = at.Tokenizer(family.URCS, family.LINK_URCS)
        self._subscribers = []
        self._in_step = True
        self._owed_bytes = 0  # payload that the modem may still be waiting for
        self._command = ""  # the command in flight, if any
        self._forget()

    def use_family(self, family: "Family") -> None:
        """Use the tables of another family, from the next command on. See families/registry.py."""
        self.family = family
        self._tokenizer.use_urcs(family.URCS, family.LINK_URCS)

    # Commands

    def command(self, text: str, timeout_ms=None, expect=None) -> str:
        """Send `text` ("AT+CSQ") and return its info lines, joined by line feeds, without the final result.

        `expect` is the beginning of the info line that ends the answer, where that is not what the family's table says.
        Raises CommandError, CommandTimeout, ModemHung, ModemRestarted, ProtocolError; OSError from the port.
        """
        self._exchange(text, timeout_ms, last=expect)
        return "\n".join(self._lines)

    def query(self, text: str, parse):
        """Ask what may safely be asked again; return `parse` of the answer. A torn or missing answer is asked again."""
        for _ in range(QUERY_ATTEMPTS - 1):
            try:
                return parse(self.command(text))
            except (ProtocolError, CommandTimeout):
                pass  # counted where it was raised; the next command gets back in step first
        return parse(self.command(text))

    def ensure(self, text: str):
        """Send a command that may safely be sent again: a setting, or the end of something."""
        self.query(text, str)

    def send_payload(self, text: str, payload, timeout_ms=None) -> str:
        """Send `text`, wait for the prompt, send `payload`; return the line of the final result."""
        return self._exchange(text, timeout_ms, payload=payload)

    def receive_payload(self, text: str, header: str, buffer, timeout_ms=None) -> tuple:
        """Send `text`; return (info lines, bytes that came into `buffer`). `header` begins the line that counts them.

        Raises ProtocolError if any byte of the answer may be missing. The modem has then forgotten the payload too.
        """
        self._exchange(text, timeout_ms, header=header, buffer=buffer)
        return "\n".join(self._lines), self._received

    # Unsolicited result codes

    def subscribe(self, beginning: str, callback):
        """Call `callback(line)` for every URC that begins so. It must not talk to the modem: note it, act later."""
        subscription = (beginning, callback)
        self._subscribers.append(subscription)
        return subscription

    def unsubscribe(self, subscription):
        """End what `subscribe` began and returned."""
        self._subscribers = [other for other in self._subscribers if other is not subscription]

    def poll(self) -> bool:
        """Take what the modem has sent, without waiting. True if there was anything."""
        chunk = self.port.read()
        for kind, value in self._tokenizer.feed(chunk):
            self._take(kind, value)
        return bool(chunk)

    def wait(self, timeout_ms: int) -> bool:
        """Wait until the modem sends anything, and take it. False if nothing came in time."""
        return self.port.wait(timeout_ms) and self.poll()

    # Everyday questions

    def signal_quality(self) -> int:
        """CSQ, 0..31, or 99 while there is no reading."""
        return self.query("AT+CSQ", replies.signal_quality)[0]

    def registration(self):
        """Registration with the packet service: (stat, lac, cell, act). That of CREG does not mean that data can pass."""
        return self.query("AT+CGREG?", replies.registration)

    def operator(self):
        """PLMN digits of the network that serves us ("23415"), or None."""
        serving = self.query("AT+COPS?", replies.operator)
        if serving.name is not None and serving.format != replies.NUMERIC:
            self.command("AT+COPS=3,%d" % replies.NUMERIC)
            serving = self.query("AT+COPS?", replies.operator)
        return serving.name

    def is_locked(self) -> bool:
        """Whether the modem was told which network to use."""
        return self.query("AT+COPS?", replies.operator).mode in (1, 4)

    # Being in step

    def resync(self, timeout_ms=None):
        """Get questions and answers in step again. `timeout_ms` is for each question.

        Raises ModemHung if nothing is answered any more, ModemRestarted if the modem boots just now.
        """
        # A modem that lost a byte of a payload takes whatever comes next for the rest of it: give it that. To one that
        # waits for nothing they are empty lines.
        self.port.write(b"\r" * self._owed_bytes)
        self._owed_bytes = 0
        for question in self.family.RESYNC:
            try:
                self._ask_to_resync(question, timeout_ms or self.family.RESYNC_TIMEOUT_MS)
                return
            except CommandTimeout:
                pass  # the next question is a different one
        raise ModemHung("no answer to %d different questions" % len(self.family.RESYNC))

    def _ask_to_resync(self, question: str, timeout_ms: int):
        text = "AT" + question
        self._begin(text)
        # Any result before the line that answers this very question is an old one, an error too.
        self._tokenizer.expect(text, info=(question[:-1] + ":",), info_first=True)
        # The carriage return in front ends whatever half command may still lie in the modem's input.
        self._run(b"\r" + text.encode() + b"\r", timeout_ms)

    # The exchange

    def _exchange(self, text, timeout_ms, last=None, payload=None, header="", buffer=None) -> str:
        """Send a command and take its answer into self._lines; return the line of the final result."""
        if self._command:
            raise RuntimeError("%s while %s is in flight" % (text, self._command))
        if not text.startswith("AT") or "\r" in text or "\n" in text:
            raise ValueError("not a command line: %r" % text)
        for _ in range(DRAIN_READS):
            if not self.poll():
                break
        if not self._in_step:
            self.resyncs += 1
            self.resync()
        usual_timeout_ms, info, ends, usual_last = self._expectation(text[2:])
        if last is None:
            last = usual_last
        self._begin(text)
        self._tokenizer.expect(text, info, ends, last, prompt=payload is not None, header=header, payload=buffer)
        self._unexpected_matters = bool(info)
        try:
            self._run(text.encode() + b"\r", timeout_ms or usual_timeout_ms, payload)
        except CommandTimeout:
            self.timeouts += 1
            raise
        if self._doubt:
            # The final result came, so nothing is owed; unless it is part of a payload whose header was torn.
            self._in_step = self._doubt == _TORN and buffer is None
            raise ProtocolError(self._doubt, "\n".join(self._lines))
        self._check_final(text)
        return self._final

    def _begin(self, text: str):
        self._forget()
        self._command = text

    def _forget(self):
        self._lines = []
        self._chars = 0
        self._final = ""  # the line of the final result, once it is there
        self._prompted = False
        self._received = 0
        self._doubt = None  # why the answer under way cannot be trusted
        self._unexpected_matters = False
        self._restarted = False

    def _run(self, line: bytes, timeout_ms: int, payload=None):
        """Write a command, and its payload when the prompt asks for it, and wait for the final result."""
        deadline_ms = self.clock.now_ms() + timeout_ms
        self._in_step = False  # until the answer is complete
        if payload is not None:
            self._owed_bytes = len(payload)  # from now on: should its prompt get lost, the modem waits all the same
        self.trace.sent(self.clock.now_ms(), self._command)
        try:
            self.port.write(line)
            while not self._final:
                if payload is not None and self._prompted:
                    self.trace.payload(self.clock.now_ms(), ">", len(payload))
                    self.port.write(payload)
                    payload = None
                left_ms = deadline_ms - self.clock.now_ms()
                if left_ms <= 0:
                    raise CommandTimeout(self._command, timeout_ms)
                self.wait(left_ms)
                if self._restarted:
                    raise ModemRestarted(self._command)
            self._in_step = True
            self._owed_bytes = 0
        finally:
            self._command = ""
            self._tokenizer.expect_nothing()

    def _check_final(self, text: str):
        final = self._final
        if final.startswith("+CME ERROR"):
            code, name = replies.cme_error(final)
            raise CommandError(text, final, code, name)
        if final == "ERROR" or final.startswith("+CMS ERROR") or final.endswith(self.family.FAILURES):
            raise CommandError(text, final, None, None)

    def _expectation(self, body: str) -> tuple:
        """What the family's table says of a command: (timeout_ms, info lines, other results, last line)."""
        is_question = "?" in body or "=" not in body
        found: tuple = ("", self.family.DEFAULT_TIMEOUT_MS, None if is_question else (), (), None)
        for row in self.family.COMMANDS:
            if body.startswith(row[0]) and len(row[0]) > len(found[0]):
                found = row
        _, timeout_ms, info, ends, last = found
        if info is None:
            info = (_name(body) + ":",) if body[:1] in ("+", "*") else ()
        return timeout_ms, info, ends, last

    def _take(self, kind: str, value):
        """Put one event where it belongs."""
        if kind == at.PAYLOAD:
            self.trace.payload(self.clock.now_ms(), "<", value)
        elif kind != at.ECHO:
            self.trace.heard(self.clock.now_ms(), value if kind != at.PROMPT else ">")
        if kind == at.URC:
            self._take_urc(value)
        elif kind == at.INFO:
            self._chars += len(value)
            if self._chars > ANSWER_LIMIT_CHARS:
                self._doubt = "answer too long"
            else:
                self._lines.append(value)
        elif kind == at.FINAL:
            self._final = value
        elif kind == at.PROMPT:
            self._prompted = True
        elif kind == at.PAYLOAD:
            self._received = value
        elif kind == at.UNEXPECTED:
            self.unexpected_lines += 1
            if self._unexpected_matters and not self._final:
                self._doubt = self._doubt or _TORN
        elif kind == at.BROKEN:
            self.broken += 1
            self._doubt = value

    def _take_urc(self, line: str):
        if line == self.family.BOOTED:
            self.restarts += 1
            self._restarted = True
        elif line.startswith(self.family.VOLTAGE_URCS):
            self.voltage_warnings += 1
        for beginning, callback in self._subscribers:
            if line.startswith(beginning):
                callback(line)


def _name(body: str) -> str:
    """The name of a command without its value: "+CSQ", "+COPS"."""
    for end, character in enumerate(body):
        if character in "=?":
            return body[:end]
    return body
