"""Redacts personal data and credentials in a recorded dialogue. The lengths stay the same.

Digits become 0 and letters x, so that a replay parses as the original did:

    IMEI, IMSI, ICCID     14 digits or more, in any line, within any other text; the last four digits are kept
    phone numbers         after "+" in any line; without "+" in the responses that contain phone numbers
    PINs and passwords    in commands, in their echoes and in the responses to queries of the settings; the APN is kept
    SMS, USSD             the whole text

A number is recognised even if noise, spaces or hyphens interrupt it. If a URC interrupts it, the command that requested the
number decides what is redacted.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

SENT, RECEIVED = ">", "<"

_NUMBER_DIGITS = 14  # the fewest digits of an IMEI, IMSI or ICCID
DIGITS_KEPT = 4  # at the end of a number: enough to assign a recording to a unit
_UCS2_CHARACTERS = 4

_NOISE = r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\xff -]{0,64}"
_NUMBER = re.compile(
    rf"\d(?:{_NOISE}\d){{{_NUMBER_DIGITS - 1},}}"
)  # IMEI: 27.007, 7.4; IMSI: 23.003, 2.2; ICCID: ITU-T E.118
_HEXADECIMAL_ICCID = re.compile(
    r"(?<![0-9A-Za-z])89\d{2}[0-9A-Fa-f]{14,16}(?![0-9A-Za-z])"
)  # of some operators in China
_PHONE = re.compile(rf"(?<=\+)\d(?:{_NOISE}\d){{6,}}")
_UCS2 = re.compile(r"(?<![0-9A-Za-z])(?:00[2-7][0-9A-Fa-f]){2,}(?![0-9A-Za-z])")  # ASCII in UCS2: 27.005, 3.1
_LINE = re.compile(r"[^\r\n]{1,2048}")  # twice the longest line that the client accepts: a bound on endless lines
_NAME = re.compile(r"([+*$^#%][A-Z][A-Z0-9]*)\s*([=:])", re.IGNORECASE)
_FIELD = re.compile(r'(?:"[^"]*(?:"|$)|[^",])*')
_DIGITS = re.compile(r"\d+")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{8,}")

# Commands whose response is a number of the modem or the SIM. Its digits are redacted even if they are not contiguous.
_ASKS_NUMBER = re.compile(
    r"AT[+*$^#%](?:CGSN|GSN|EGMR|SIMEI|CIMI|QIMI|CCID|QCCID|ICCID|CICCID|XICCID|CNUM|CSIM|CRSM=176,(?:12258|28423|28480))",
    re.IGNORECASE,
)
_ASKS_IDENTITY = re.compile(
    r"AT(?:I\d?|\+SIMCOMATI|&V)$", re.IGNORECASE
)  # some modems include the IMEI in the response, beside model numbers
_OF_NETWORK = re.compile(
    r"\s*[+*](?:CREG|CGREG|CEREG|C5GREG|COPS|CPSI|CSQ|CSQN|CESQ|QCSQ|CCLK|PSUTTZ|CTZV|CTZE|CIEV|CGEV)\s*:"
)  # URCs that may interrupt such a response; their digits are cells and times
_NUMBER_PART_DIGITS = 4
_IDENTITY_PART_DIGITS = 6  # longer than the digits of a model number

_PIN_FROM_FIELD = {"CPIN": 0, "CPIN2": 0, "CPWD": 1, "CLCK": 2}  # in commands; the responses contain no PIN
_LOGIN_AFTER_NAME = (
    "CSTT",
    "CIPCSGP",
    "QICSGP",
    "CNCFG",
    "CGSOCKCONT",
    "QMTCONN",
    "CMQTTCONNECT",
)  # the secrets follow the name of an APN, a client or a server
_LOGIN_FROM_FIELD = {
    "CGAUTH": 2,
    "CSOCKAUTH": 2,
    "QCPDPP": 2,
    "XGAUTH": 2,
    "AUTHDATA": 2,
    "UAUTHREQ": 2,
    "CFTPSLOGIN": 1,
}
_LOGIN_FROM_FIELD.update({"FTPUN": 0, "FTPPW": 0})
_LOGIN_STRINGS = 3  # a command with this many quoted strings carries an APN, a user and a password, in whatever family
_LOGIN_PAIR = re.compile(r'"(?:USER|USERNAME|USERPWD|PWD|PASSWORD)"\s*,(.*)', re.IGNORECASE)  # AT+SAPBR, AT+SMCONF
_LOGIN_LINE = re.compile(r"\s*(?:USER|USERNAME|PWD|PASSWORD)\s*:(.*)", re.IGNORECASE)  # AT+SAPBR=4
_PERSONAL = (
    "CNUM", "CLIP", "CLCC", "CCWA", "CSCA", "COLP", "CDIP", "CUSD", "CMGS", "CMGW", "CMT", "CMGR", "CMGL", "CDS", "CBM",
    "CPBR", "CPBF", "CPBW",
)  # fmt: skip
_TEXT_FOLLOWS = ("CMT", "CMGR", "CMGL", "CDS", "CBM")
_COMMAND = re.compile(r"[^0-9A-Za-z]*AT[+*$^#%&][A-Z]+=", re.IGNORECASE)
_DIALLED = re.compile(r"[^0-9A-Za-z]*AT\s*D([*#+0-9].*)", re.IGNORECASE)
_NO_TEXT = re.compile(r"\s*(?:OK|ERROR|RING|NO CARRIER|>|[+*^][A-Z]+:.*)\s*$")


class Chunk(NamedTuple):
    """Bytes of one direction, SENT or RECEIVED, with their time in ms since the start of the recording."""

    at_ms: int
    direction: str
    data: bytes


def redacted(dialogue: list[Chunk]) -> list[Chunk]:
    """Return the redacted dialogue. Chunks keep their lengths. A number may span several chunks."""
    received = _Text(b"".join(chunk.data for chunk in dialogue if chunk.direction == RECEIVED))
    commands: list[tuple[int, str]] = []  # with their offset in the received text
    place = 0
    for chunk in dialogue:
        if chunk.direction == RECEIVED:
            place += len(chunk.data)
        else:
            commands.append((place, chunk.data.decode("latin-1").strip()))
    _redact_received(received, commands)
    return list(_divided(dialogue, received.replaced()))


def _divided(dialogue: list[Chunk], received: bytes) -> Iterator[Chunk]:
    place = 0
    for chunk in dialogue:
        if chunk.direction == RECEIVED:
            yield chunk._replace(data=received[place : place + len(chunk.data)])
            place += len(chunk.data)
        else:
            sent = _Text(chunk.data)
            _redact_numbers(sent)
            for line in _LINE.finditer(sent.text):
                _redact_line(sent, line)
            yield chunk._replace(data=sent.replaced())


class _Text:
    """A text with one character per byte, and a copy in which parts are replaced."""

    def __init__(self, data: bytes) -> None:
        self.text = data.decode("latin-1")
        self._copy = bytearray(data)

    def replaced(self) -> bytes:
        return bytes(self._copy)

    def replace(self, start: int, end: int) -> None:
        """Replace digits by 0 and letters by x; in a hexadecimal number, replace letters by 0 too."""
        letter = "0" if _HEXADECIMAL.fullmatch(self.text[start:end].strip('"')) else "x"
        shape = "".join(
            "0" if each.isdigit() else letter if each.isalpha() or each > "\x7f" else each
            for each in self.text[start:end]
        )
        self._copy[start:end] = shape.encode("latin-1", "replace")

    def replace_number(self, start: int, end: int) -> None:
        """Replace all digits except the last DIGITS_KEPT by 0. Other characters stay."""
        places = [place for place in range(start, end) if self.text[place] in "0123456789"]
        for place in places[:-DIGITS_KEPT]:
            self._copy[place] = ord("0")

    def replace_ucs2(self, start: int, end: int) -> None:
        """Redact numbers in a text that is coded as UCS2."""
        groups = range(start, end, _UCS2_CHARACTERS)
        inner = _Text(bytes(int(self.text[at : at + _UCS2_CHARACTERS], 16) for at in groups))
        _redact_numbers(inner)
        for at, before, after in zip(groups, inner.text.encode("latin-1"), inner.replaced(), strict=True):
            if before != after:
                self._copy[at : at + _UCS2_CHARACTERS] = b"%04X" % after


def _redact_received(received: _Text, commands: list[tuple[int, str]]) -> None:
    _redact_numbers(received)
    ends = [place for place, _ in commands[1:]] + [len(received.text)]
    for (start, command), end in zip(commands, ends, strict=False):
        if _ASKS_NUMBER.match(command):
            _redact_parts(received, start, end, _NUMBER_PART_DIGITS)
        elif _ASKS_IDENTITY.match(command):
            _redact_parts(received, start, end, _IDENTITY_PART_DIGITS)
    sent_at = [place for place, _ in commands]
    text_follows = text_seen = False
    for line in _LINE.finditer(received.text):
        while sent_at and sent_at[0] <= line.start():
            sent_at.pop(0)
            text_follows = text_follows and not text_seen
        is_header = _redact_line(received, line)
        if is_header:
            text_follows, text_seen = True, False
        elif text_follows and not _NO_TEXT.match(line.group()):
            received.replace(*line.span())
            text_seen = True


def _redact_numbers(text: _Text) -> None:
    """Replace numbers that are recognised by their form alone."""
    coded = [match.span() for match in _UCS2.finditer(text.text)]
    for span in coded:
        text.replace_ucs2(*span)
    for pattern in (_NUMBER, _HEXADECIMAL_ICCID):
        for number in pattern.finditer(text.text):
            if not any(start <= number.start() and number.end() <= end for start, end in coded):
                text.replace_number(*number.span())
    for number in _PHONE.finditer(text.text):
        text.replace(*number.span())


def _redact_parts(text: _Text, start: int, end: int, least_digits: int) -> None:
    """Replace digits that may be part of a number. Complete numbers were replaced before."""
    for line in _LINE.finditer(text.text, start, end):
        if _OF_NETWORK.match(line.group()):
            continue
        for part in _DIGITS.finditer(text.text, *line.span()):
            if least_digits <= len(part.group()) < _NUMBER_DIGITS:
                text.replace(*part.span())


def _redact_line(text: _Text, line: "re.Match[str]") -> bool:
    """Replace the fields that are personal by the name of the command or response. Return whether a message text follows."""
    start, end = line.span()
    is_header = False
    for name in _NAME.finditer(text.text, start, end):
        word, is_command = name.group(1)[1:].upper(), name.group(2) == "="
        if word in _PERSONAL:
            is_header = is_header or (word in _TEXT_FOLLOWS and not is_command) or _is_open(text.text[name.end() : end])
            _redact_personal(text, name.end(), end)
        else:
            _redact_login(text, word, is_command, name.end(), end)
    quoted = _quoted(text.text, start, end)
    if len(quoted) >= _LOGIN_STRINGS and _COMMAND.match(line.group()):
        for span in quoted[1:]:
            text.replace(*span)
    for pattern in (_LOGIN_PAIR, _LOGIN_LINE):
        for each in pattern.finditer(text.text, start, end):
            text.replace(*each.span(1))
    if dialled := _DIALLED.match(text.text, start, end):
        for digits in _DIGITS.finditer(text.text, *dialled.span(1)):
            if len(digits.group()) >= _NUMBER_PART_DIGITS:
                text.replace(*digits.span())
    return is_header


def _fields(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return (start, end) of each comma-separated field, empty ones included. A quoted field may contain commas."""
    fields = []
    while start <= end:
        field = _FIELD.match(text, start, end)
        stop = field.end() if field else end
        fields.append((start, stop))
        start = stop + 1
    return fields


def _quoted(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return (start, end) of each quoted string; the last one may lack its closing quote."""
    marks = [at for at in range(start, end) if text[at] == '"'] + [end]
    return [(marks[at] + 1, marks[at + 1]) for at in range(0, len(marks) - 1, 2)]


def _is_open(rest: str) -> bool:
    """Return whether a quoted text continues on the next line, as in +CUSD."""
    return rest.count('"') % 2 == 1


def _redact_personal(text: _Text, start: int, end: int) -> None:
    for span in _quoted(text.text, start, end):
        text.replace(*span)
    for each in _DIGITS.finditer(text.text, start, end):
        if len(each.group()) >= _NUMBER_PART_DIGITS:
            text.replace(*each.span())


def _redact_login(text: _Text, word: str, is_command: bool, start: int, end: int) -> None:
    fields = _fields(text.text, start, end)
    first: int | None = None  # secret field
    if is_command and word in _PIN_FROM_FIELD:
        first = _PIN_FROM_FIELD[word]
    elif word in _LOGIN_FROM_FIELD:
        first = _LOGIN_FROM_FIELD[word]
    elif word in _LOGIN_AFTER_NAME:
        words = [number for number, (left, right) in enumerate(fields) if re.search('[A-Za-z"]', text.text[left:right])]
        first = words[0] + 1 if words else None
    if first is not None:
        for left, right in fields[first:]:
            text.replace(left, right)
