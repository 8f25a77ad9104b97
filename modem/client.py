"""The AT command client: one command at a time, a deadline for every wait, URCs dispatched to subscribers.

After a timeout the response may still arrive, so client and modem are out of step. Before its next command, the client then
sends the RESYNC commands, which are used for nothing else, one after the other until one is answered. A modem answers in
order, so all older responses have been received by then.
"""

from modem import at, replies
from modem.errors import CommandError, CommandTimeout, ModemHung, ModemRestarted, ProtocolError
from modem.families import driver
from modem.trace import Trace

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

    from modem.contracts import Bytes, Clock, CommandRow, Family, Port, Subscription, T, UrcCallback

ANSWER_LIMIT_CHARS = 8_192  # a network scan in a city: 100 cells of 80 characters
QUERY_ATTEMPTS = 5
_INTERRUPTED = "unexpected line"  # the response is not reliable: another line interrupted one of its lines
DRAIN_READS = 32  # the most reads before a command: a bound, for a modem that sends without a pause


class Modem:
    """A modem at serial line `port`; `family` is its driver (modem/families). Not thread-safe, not reentrant.

    Counters since construction: `unexpected_lines`, `broken`, `timeouts`, `resyncs`, `voltage_warnings`.
    """

    def __init__(self, port: "Port", clock: "Clock", family: "Family") -> None:
        self.port = port
        self.clock = clock
        self.family = family
        self.model: str | None = None  # as reported by the modem; None until startup.configure, or if it reports none
        self.unexpected_lines = 0  # late responses and fragments of lines
        self.broken = 0  # responses with missing bytes
        self.timeouts = 0
        self.resyncs = 0
        self.needs_setup = True  # the modem was not configured (startup.py), or has restarted since
        self.voltage_warnings = 0
        self.trace = Trace()
        self._tokenizer = at.Tokenizer(driver.TALK + family.URCS, family.LINK_URCS)
        self._subscribers: list[Subscription] = []
        self._in_step = True
        self._expected_bytes = 0  # payload that the modem may still expect
        self._command = ""  # the pending command, "" if none
        self._deadline_ms = 0  # of the pending command
        self._forget()

    def use_family(self, family: "Family") -> None:
        """Use the driver of another family, from the next command on. See families/registry.py."""
        self.family = family
        self._tokenizer.use_urcs(driver.TALK + family.URCS, family.LINK_URCS)

    # Commands

    def command(self, text: str, timeout_ms: int | None = None, expect: str | None = None) -> str:
        """Send `text` ("AT+CSQ") and return its information response, lines joined by LF, without the final result.

        `timeout_ms` and `expect` (prefix of the info line that ends the response) override the family's table.
        Raises CommandError, CommandTimeout, ModemHung, ModemRestarted, ProtocolError; OSError from the port.
        """
        self._exchange(text, timeout_ms, last=expect)
        return "\n".join(self._lines)

    def query(self, text: str, parse: "Callable[[str], T]") -> "T":
        """Send an idempotent command and return `parse` of its response. Sent up to QUERY_ATTEMPTS times.

        Only ProtocolError and CommandTimeout lead to another attempt. Raises the errors of `command` and of `parse`.
        """
        for _ in range(QUERY_ATTEMPTS - 1):
            try:
                return parse(self.command(text))
            except (ProtocolError, CommandTimeout):
                pass  # counted where it was raised; the next command resynchronises first
        return parse(self.command(text))

    def ensure(self, text: str) -> None:
        """Send an idempotent command that has no information response. Raises the errors of `query`."""
        self.query(text, str)

    def send_payload(self, text: str, payload: "Bytes", timeout_ms: int | None = None, prompt: str = "> ") -> str:
        """Send `text`, wait for the `prompt`, send `payload`; return the response, including the final result.

        `prompt` is ">" for modems that may omit the space after it. Raises the errors of `command`.
        """
        final = self._exchange(text, timeout_ms, payload=payload, prompt=prompt)
        return "\n".join(self._lines + [final])

    def receive_payload(
        self, text: str, header: str, buffer: bytearray | memoryview, timeout_ms: int | None = None
    ) -> tuple[str, int]:
        """Send `text` and receive a payload into `buffer`; return (info lines, number of payload bytes).

        `header` precedes the payload size; see Tokenizer.expect in at.py. Raises ProtocolError if any byte of the response may
        be missing; the payload is then lost. Raises the other errors of `command`.
        """
        self._exchange(text, timeout_ms, header=header, buffer=buffer)
        return "\n".join(self._lines), self._received

    # Unsolicited result codes

    def subscribe(self, beginning: str, callback: "UrcCallback") -> "Subscription":
        """Call `callback(line)` for every URC with this prefix. The callback must not use the modem."""
        subscription = (beginning, callback)
        self._subscribers.append(subscription)
        return subscription

    def unsubscribe(self, subscription: "Subscription") -> None:
        """Cancel a subscription that `subscribe` returned. Does nothing if it was cancelled before."""
        self._subscribers = [other for other in self._subscribers if other is not subscription]

    def poll(self) -> bool:
        """Process the received bytes, without waiting. Return whether there were any. Raises OSError from the port."""
        chunk = self.port.read()
        for kind, value in self._tokenizer.feed(chunk):
            self._take(kind, value)
        return bool(chunk)

    def wait(self, timeout_ms: int) -> bool:
        """Wait until the modem sends anything, and process it. Return False after `timeout_ms`. Raises OSError."""
        return self.port.wait(timeout_ms) and self.poll()

    # Common queries

    def signal_quality(self) -> int:
        """Return the CSQ, 0..31, or 99 if it is not known."""
        return self.family.signal_quality(self)

    def registration(self) -> replies.Registration:
        """Return the registration for packet data: the first of the family's domains that is registered, else the last one.

        AT+CREG is not used: circuit-switched registration does not imply that data can be sent.
        """
        for question in self.family.REGISTRATION:
            found = self.query(question, replies.registration)
            if found.stat in replies.REGISTERED:
                break
        return found

    def operator(self) -> str | None:
        """Return the PLMN of the serving network ("23415"), or None if not registered."""
        serving = self.query("AT+COPS?", replies.operator)
        if serving.name is not None and serving.format != replies.NUMERIC:
            self.command("AT+COPS=3,%d" % replies.NUMERIC)
            serving = self.query("AT+COPS?", replies.operator)
        plmn: str | None = serving.name
        return plmn

    def is_locked(self) -> bool:
        """Return whether the network is selected manually (+COPS <mode> 1 or 4)."""
        return self.query("AT+COPS?", replies.operator).mode in (1, 4)

    def hasten(self, within_ms: int) -> None:
        """Shorten the deadline of the pending command to `within_ms` from now. For callbacks of URCs."""
        self._deadline_ms = min(self._deadline_ms, self.clock.now_ms() + within_ms)

    # Resynchronisation

    def resync(self, timeout_ms: int | None = None) -> None:
        """Discard responses of earlier commands. `timeout_ms` applies to each of the RESYNC commands.

        Raises ModemHung if none is answered, ModemRestarted if the modem restarts meanwhile; OSError from the port.
        """
        # A modem that lost payload bytes treats the following bytes as the rest of the payload. For a modem that does not
        # expect payload, these carriage returns are empty lines.
        self.port.write(b"\r" * self._expected_bytes)
        self._expected_bytes = 0
        for question in driver.RESYNC:
            try:
                self._ask_to_resync(question, timeout_ms or driver.RESYNC_TIMEOUT_MS)
                return
            except CommandTimeout:
                pass  # the next query is a different one
        raise ModemHung("no answer to %d different queries" % len(driver.RESYNC))

    def _ask_to_resync(self, question: str, timeout_ms: int) -> None:
        text = "AT" + question
        self._begin(text)
        # Any result, also an error, before the response to this command belongs to an earlier one.
        self._tokenizer.expect(text, info=(question[:-1] + ":",), info_first=True)
        # The leading carriage return ends a partial command in the modem's input buffer.
        self._run(b"\r" + text.encode() + b"\r", timeout_ms)

    # The exchange

    def _exchange(
        self,
        text: str,
        timeout_ms: int | None,
        last: str | None = None,
        payload: "Bytes | None" = None,
        prompt: str = "",
        header: str = "",
        buffer: bytearray | memoryview | None = None,
    ) -> str:
        """Send a command and store its response in self._lines; return the final result line. Raises as `command`."""
        if self._command:
            raise RuntimeError("%s while %s is pending" % (text, self._command))
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
        self._tokenizer.expect(text, info, ends, last, prompt=prompt, header=header, payload=buffer)
        self._unexpected_matters = bool(info)
        try:
            self._run(text.encode() + b"\r", timeout_ms or usual_timeout_ms, payload)
        except CommandTimeout:
            self.timeouts += 1
            raise
        if self._unreliable:
            # The final result was received, so the dialogue is in step, unless the "result" was part of a payload whose header
            # was lost.
            self._in_step = self._unreliable == _INTERRUPTED and buffer is None
            raise ProtocolError(self._unreliable, "\n".join(self._lines))
        self._check_final(text)
        return self._final

    def _begin(self, text: str) -> None:
        self._forget()
        self._command = text

    def _forget(self) -> None:
        self._lines: list[str] = []
        self._chars = 0
        self._final = ""  # the final result line, once received
        self._prompted = False
        self._received = 0
        self._unreliable: str | None = None  # why the response cannot be used
        self._unexpected_matters = False
        self._restarted = False

    def _run(self, line: bytes, timeout_ms: int, payload: "Bytes | None" = None) -> None:
        """Write a command, and its payload after the prompt, and wait for the final result."""
        self._deadline_ms = self.clock.now_ms() + timeout_ms
        self._in_step = False  # until the response is complete
        if payload is not None:
            self._expected_bytes = len(payload)  # set now: the modem expects payload even if its prompt is lost
        self.trace.sent(self.clock.now_ms(), self._command)
        try:
            self.port.write(line)
            while not self._final:
                if payload is not None and self._prompted:
                    self.trace.payload(self.clock.now_ms(), ">", len(payload))
                    self.port.write(payload)
                    payload = None
                left_ms = self._deadline_ms - self.clock.now_ms()
                if left_ms <= 0:
                    raise CommandTimeout(self._command, timeout_ms)
                self.wait(left_ms)
                if self._restarted:
                    raise ModemRestarted(self._command)
            self._in_step = True
            self._expected_bytes = 0
        finally:
            self._command = ""
            self._tokenizer.expect_nothing()

    def _check_final(self, text: str) -> None:
        final = self._final
        if final.startswith("+CME ERROR"):
            code, name = replies.cme_error(final)
            raise CommandError(text, final, code, name)
        if final == "ERROR" or final.startswith(at.ERRORS):
            raise CommandError(text, final, None, None)

    def _expectation(self, body: str) -> "tuple[int, tuple[str, ...], tuple[str, ...], str | None]":
        """Return the longest matching table entry of a command: (timeout_ms, info lines, other results, last line)."""
        is_question = "?" in body or "=" not in body
        found: CommandRow = ("", driver.DEFAULT_TIMEOUT_MS, None if is_question else (), (), None)
        for table in (self.family.COMMANDS, driver.STANDARD_COMMANDS):
            for row in table:
                if body.startswith(row[0]) and len(row[0]) > len(found[0]):
                    found = row
        _, timeout_ms, info, ends, last = found
        if info is None:
            info = (_name(body) + ":",) if body[:1] in ("+", "*") else ()
        return timeout_ms, info, ends, last

    def _take(self, kind: str, value: "Any") -> None:
        """Process one event."""
        if kind == at.PAYLOAD:
            self.trace.payload(self.clock.now_ms(), "<", value)
        elif kind != at.ECHO:
            self.trace.received(self.clock.now_ms(), value if kind != at.PROMPT else ">")
        elif not self.needs_setup:  # echo was switched off, so the modem has restarted without sending a URC
            value, kind = self.family.BOOTED[0], at.URC
        if kind == at.URC:
            self._take_urc(value)
        elif kind == at.INFO:
            self._chars += len(value)
            if self._chars > ANSWER_LIMIT_CHARS:
                self._unreliable = "answer too long"
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
                self._unreliable = self._unreliable or _INTERRUPTED
        elif kind == at.BROKEN:
            self.broken += 1
            self._unreliable = value

    def _take_urc(self, line: str) -> None:
        if line in self.family.BOOTED:
            self.needs_setup = True
            self._restarted = True
        elif line.startswith(self.family.VOLTAGE_URCS):
            self.voltage_warnings += 1
        for beginning, callback in self._subscribers:
            if line.startswith(beginning):
                callback(line)


def _name(body: str) -> str:
    """Return the name of a command without its value: "+CSQ", "+COPS"."""
    for end, character in enumerate(body):
        if character in "=?":
            return body[:end]
    return body
