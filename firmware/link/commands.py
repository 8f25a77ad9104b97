"""Commands from the cloud: what may be ordered, and whether this one may be carried out. Pure; firmware/commands.py does it.

A command is a JSON object: `id` names it, `do` says what, the rest are its arguments; `exp` (epoch seconds) is when it
ends: from then on it is not carried out any more, and what it asked for (a limit, a pause) holds no longer. A command that
must have an end is refused while the unit does not know the time. An id is carried out once: whoever obeys remembers it
first, on flash, so that a reboot that comes again after the reboot is a repeat.
"""

import json
from collections import namedtuple

from firmware.errors import CommandRefused
from firmware.wall_clock import EARLIEST_S

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

PAYLOAD_MAX = 1960  # bytes, which with the longest topic make a packet of at most PACKET_MAX
CERTIFICATE_MAX = 1880  # characters of base64; a certificate with an RSA key of 4,096 bits has up to 1,860
MANIFEST_MAX = 8192  # bytes (firmware/update/manifest.py)
ID_MAX = 64  # characters
AHEAD_MAX_S = 7 * 86400  # a command that ends later is a mistake, or is not meant to end
REMEMBERED = 32  # ids

Command = namedtuple("Command", "id do arguments exp")


class Refused(Exception):
    """Not carried out. `id` is the command's, None where it cannot be read; `why` is the answer's reason."""

    def __init__(self, command_id: "str | None", why: str) -> None:
        super().__init__(why)
        self.id = command_id
        self.why = why


def _whole(lowest: int, highest: int) -> "Callable[[object], bool]":
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def _flag(value: object) -> bool:
    return value is True or value is False


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 256 and _printable(value)


def _name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 40 and all(letter >= " " for letter in value)


def _one_of(*names: str) -> "Callable[[object], bool]":
    return lambda value: value in names


def _hash(value: object) -> bool:
    return isinstance(value, str) and len(value) in (0, 16) and _printable(value)


def _certificate(value: object) -> bool:
    return isinstance(value, str) and len(value) <= CERTIFICATE_MAX and _printable(value)


def _printable(text: str) -> bool:
    return all(" " <= letter <= "~" for letter in text)


def _settings(value: object) -> bool:
    return isinstance(value, dict) and 0 < len(value) <= 8 and all(_text(name) for name in value)


# do -> (must it end, {argument: check}). Arguments that are not here are ignored.
TABLE: "dict[str, tuple[bool, dict[str, Callable[[object], bool]]]]" = {
    "limit": (True, {"amps": _whole(0, 80)}),  # at most so much, for the time being; below 6 A the standard says pause
    "pause": (True, {}),
    "resume": (False, {}),  # withdraws limit and pause
    # What the house can spare, of its load manager, heard until the end of the command; each costs some writes to the flash,
    # so one in 10 minutes is often enough.
    "load_manager": (True, {"amps": _whole(0, 80)}),
    "override": (False, {"on": _flag}),  # the owner wants this session charged now; off: the schedule holds again
    "clear_override": (False, {}),  # the older word for `override` off
    "schedule": (False, {"hours": _text}),  # the owner's hours, as the setting `schedule` writes them
    "delay": (False, {"s": _whole(0, 1800)}),  # longest random delay; SI 2021/1467, regulation 11
    "skip_delay": (False, {}),  # ends the random delay that runs, as the owner may; regulation 11
    # What an installer at the unit has found: commissioning.py.
    "commission": (
        True,
        {
            "amps": _whole(6, 80),
            "earth": _one_of("TN-S", "TN-C-S", "TT"),  # BS 7671, section 312
            "polarity": _flag,
            "rcd_ms": _whole(0, 9999),
            "csq": _whole(0, 99),
            "boost": _one_of("none", "fitted", "ordered"),
            "by": _name,
        },
    ),
    "reboot": (True, {}),
    "rescan": (True, {}),  # look for networks; the link is gone for a minute
    "time": (False, {"t": _whole(EARLIEST_S, 1 << 40)}),  # what time it is, to a unit whose network does not say
    "config": (False, {"set": _settings}),
    "authority": (False, {"der": _certificate}),  # the next certificate authority, base64; the present one stays
    # The release that is wanted ("": none), its manifest (the first digits of its SHA-256, bytes), whether it hurries.
    "update": (False, {"v": _text, "h": _hash, "m": _whole(0, MANIFEST_MAX), "r": _flag}),
    "authority_only": (False, {"sha256": _text}),  # trust this one alone, if it is the one of this connection
}
# What `config` may set: nothing that could cut the unit off from its cloud or from its installer's limits.
CONFIGURABLE = ("heartbeat_idle_s", "heartbeat_charging_s")


def read(payload: bytes, time_s: "int | None", done: "list[str]") -> Command:
    """The Command in `payload`. `time_s` is the time now or None, `done` the ids that were carried out. Raises Refused."""
    if len(payload) > PAYLOAD_MAX:
        raise Refused(None, "longer than %d bytes" % PAYLOAD_MAX)
    try:
        said = json.loads(payload)
    except (ValueError, RuntimeError):  # RuntimeError: nested too deeply
        raise Refused(None, "not JSON") from None
    if not isinstance(said, dict):
        raise Refused(None, "not an object")
    command_id, do, end_s = said.get("id"), said.get("do"), said.get("exp")
    if not isinstance(command_id, str) or not 0 < len(command_id) <= ID_MAX or not _printable(command_id):
        raise Refused(None, "no id of 1 to %d printable characters" % ID_MAX)
    if command_id in done:
        raise Refused(command_id, "repeated")
    if not isinstance(do, str) or do not in TABLE:
        raise Refused(command_id, "unknown command")
    try:
        arguments = checked(do, said)
    except CommandRefused as bad:
        raise Refused(command_id, str(bad)) from None
    _check_end(command_id, end_s, TABLE[do][0], time_s)
    return Command(command_id, do, arguments, end_s)


def checked(do: str, said: "dict[str, Any]") -> "dict[str, Any]":
    """The arguments of a command. Raises CommandRefused for one that is missing or bad."""
    for name, check in TABLE[do][1].items():
        if not check(said.get(name)):
            raise CommandRefused("bad " + name)
    return {name: said[name] for name in TABLE[do][1]}


def remember(done: "list[str]", command_id: str) -> "list[str]":
    """The ids to remember once this one is carried out too."""
    return done[-(REMEMBERED - 1) :] + [command_id]


def _check_end(command_id: str, end_s: "Any", must_end: bool, time_s: "int | None") -> None:
    if end_s is None and not must_end:
        return
    if not _whole(0, 1 << 53)(end_s):
        raise Refused(command_id, "bad exp")
    if time_s is None:
        raise Refused(command_id, "time unknown")
    if time_s >= end_s:
        raise Refused(command_id, "expired")
    if end_s - time_s > AHEAD_MAX_S:
        raise Refused(command_id, "ends more than 7 days ahead")
