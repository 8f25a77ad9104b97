"""Texts that often break programs, as bytes of a form field."""

import random

SCRIPT = b"<script>siege()</script>"
TEXTS = (
    b"",
    SCRIPT,
    b'"><img src=x onerror=siege()>' + SCRIPT,
    b"'; DROP TABLE units; --",
    b"{{ 7 * 7 }}${7*7}{% include '/etc/passwd' %}",
    b"../../../../etc/passwd",
    b"a\0b",
    b"\xed\xa0\x80",  # a lone surrogate in UTF-8
    b"\xff\xfe\x00\x61",
    "\u202egnirts detrever\u200b\u2066\ufeff".encode(),
    b"o" + "\u0335".encode() * 500,
    "🔌".encode() * 300,
    b"x" * 60_000,
    b"x" * 300,
    b"\r\nSet-Cookie: chargekeeper=1\r\n\r\n" + SCRIPT,
    b"a@b\r\nBcc: c@d",
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"-Infinity",
    b"9" * 30,
    b"9" * 5000,
    "٣".encode(),
    "²".encode(),
    b"0x10",
    b"1_0",
    b" 1 ",
    b"+1",
    b"9223372036854775808",
    b"99:99",
    b"24:00",
    b"-1:-1",
    b"2026-02-31T25:61",
    b"0001-01-01",
    b"9999-12-31T23:59:59",
    b"Europe/../../etc/passwd",
    b"Europe/London\0",
    b"https://127.0.0.1/",
    b"https://[::ffff:127.0.0.1]/",
    b"file:///etc/passwd",
    b"//127.0.0.1/",
    b"javascript:siege()",
    b"[" * 5000,
    b'{"a":' * 2000,
    b"%00%ff%u0041",
)


def text(chance: random.Random) -> bytes:
    """Return a text, two texts in a row, or random bytes."""
    which = chance.random()
    if which < 0.1:
        return chance.randbytes(chance.randrange(1, 200))
    if which < 0.2:
        return chance.choice(TEXTS) + chance.choice(TEXTS)
    return chance.choice(TEXTS)
