"""Decodes network names in the character sets of AT+CSCS. Pure."""

from modem.errors import ProtocolError

# Where the GSM 7-bit default alphabet (23.038, 6.2.1) differs from ASCII in the printable range.
_GSM = {
    "$": "\xa4",
    "@": "\xa1",
    "[": "\xc4",
    "\\": "\xd6",
    "]": "\xd1",
    "^": "\xdc",
    "_": "\xa7",
    "`": "\xbf",
    "{": "\xe4",
    "|": "\xf6",
    "}": "\xf1",
    "~": "\xfc",
}


def decoded(name: str | None, charset: str) -> str | None:
    """Return a network name as Unicode, or None if it is empty. `charset` is that of AT+CSCS: IRA (ASCII), GSM or UCS2.

    Raises ProtocolError if a UCS2 name is not hexadecimal. Source: 3GPP TS 27.007, 5.5.
    """
    if not name:
        return None
    if charset == "GSM":
        return "".join([_GSM.get(character, character) for character in name])
    if charset == "UCS2":
        return _from_ucs2(name)
    return name


def _from_ucs2(name: str) -> str:
    """Decode four hexadecimal digits per character."""
    if len(name) % 4:
        raise ProtocolError("UCS2 needs four digits a character", name)
    try:
        return "".join([chr(int(name[at : at + 4], 16)) for at in range(0, len(name), 4)])
    except ValueError:
        raise ProtocolError("UCS2 needs hexadecimal digits", name) from None
