"""Parses the comma-separated fields of an AT response line, with quoted strings, into text and numbers. Pure.

Source: 3GPP TS 27.007, section 4, and ITU-T V.250, 5.7.
"""

from modem.errors import ProtocolError


def line_after(names: tuple[str, ...], text: str) -> str:
    """Return the rest of the first line that begins with one of `names` ("+CSQ:"). Raises ProtocolError if there is none."""
    for line in lines(text):
        for name in names:
            if line.startswith(name):
                return line[len(name) :].strip()
    raise ProtocolError("no " + " or ".join(names), text)


def lines(text: str) -> list[str]:
    """Return the non-empty lines of a response; CR and LF both end a line."""
    return [line for line in text.replace("\r", "\n").split("\n") if line.strip()]


def split(line: str, text: str) -> "tuple[list[str | None], list[bool]]":
    """Return (values, quoted): the fields without quotes, None if empty, and whether each was quoted.

    `text` is the whole response, for the message. Raises ProtocolError.
    """
    values: list[str | None] = []
    quoted: list[bool] = []
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


def number(value: str | None, text: str) -> int:
    """Return a mandatory field as an unsigned decimal number. Raises ProtocolError."""
    if value is None or not value.isdigit() or not is_ascii(value):
        raise ProtocolError("not a number", text)
    return int(value)


def optional_number(value: str | None, text: str) -> int | None:
    """Return an optional field as an unsigned decimal number, None if empty. Raises ProtocolError."""
    return None if value is None else number(value, text)


def optional_hexadecimal(value: str | None, text: str) -> int | None:
    """Return an optional field as a hexadecimal number without prefix, None if empty. Raises ProtocolError."""
    if value is None:
        return None
    for character in value:
        if character not in "0123456789abcdefABCDEF":
            raise ProtocolError("not hexadecimal", text)
    return int(value, 16)


def is_ascii(value: str) -> bool:
    """Return whether `value` is ASCII. `str.isdigit` alone also accepts digits of other scripts."""
    return all(ord(character) < 128 for character in value)
