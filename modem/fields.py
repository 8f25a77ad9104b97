"""The fields of an AT reply line: split at commas, with quotes respected, and turned into numbers. Pure."""

from modem.errors import ProtocolError


def line_after(names: tuple, text: str) -> str:
    """What stands behind the first line that begins with one of `names` ("+CSQ:")."""
    for line in lines(text):
        for name in names:
            if line.startswith(name):
                return line[len(name) :].strip()
    raise ProtocolError("no " + " or ".join(names), text)


def lines(text: str) -> list:
    """The lines of a reply that are not empty, whatever ends them."""
    return [line for line in text.replace("\r", "\n").split("\n") if line.strip()]


def split(line: str, text: str) -> tuple:
    """(values, quoted): the fields of a line without their quotes, None where empty, and which of them had quotes."""
    values = []
    quoted = []
    at = 0
    while True:
        while at < len(line) and line[at] == " ":
            at += 1
        has_quotes = line[at : at + 1] == '"'
        if has_quotes:
            end = line.find('"', at + 1)
            if end < 0:
                raise ProtocolError("quote not closed", text)
            value = line[at + 1 : end]
            at = end + 1
            while at < len(line) and line[at] == " ":
                at += 1
            if at < len(line) and line[at] != ",":
                raise ProtocolError("text behind a quote", text)
        else:
            end = line.find(",", at)
            if end < 0:
                end = len(line)
            value = line[at:end].strip()
            if '"' in value:
                raise ProtocolError("quote within a field", text)
            at = end
        values.append(value or None)
        quoted.append(has_quotes)
        if at >= len(line):
            return values, quoted
        at += 1


def number(value, text: str) -> int:
    """A field that must be an unsigned decimal number."""
    if value is None or not value.isdigit() or not is_ascii(value):
        raise ProtocolError("not a number", text)
    return int(value)


def optional_number(value, text: str):
    """A field that is an unsigned decimal number, or empty."""
    return None if value is None else number(value, text)


def optional_hexadecimal(value, text: str):
    """A field that is a hexadecimal number without 0x, or empty."""
    if value is None:
        return None
    for character in value:
        if character not in "0123456789abcdefABCDEF":
            raise ProtocolError("not hexadecimal", text)
    return int(value, 16)


def is_ascii(value: str) -> bool:
    """Whether a text is ASCII: `isdigit` alone also takes the digits of other scripts."""
    return all(ord(character) < 128 for character in value)
