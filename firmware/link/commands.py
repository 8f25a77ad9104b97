"""Decodes and checks commands from the cloud. Pure; firmware/commands.py carries them out.

A command is a JSON object: `id` identifies it, `do` is its name, and the other keys are its arguments. `exp` (epoch seconds)
is its expiry: from then on it is not carried out, and its limit or pause no longer applies. A command that requires an expiry
is refused while the unit does not know the time. Each ID is carried out only once. It is stored on the flash before the
command is carried out, so that, for example, a reboot command that is delivered again after the reboot is refused as a
repetition.
"""

import json
from collections import namedtuple

from firmware.errors import CommandRefused
from firmware.wall_clock import EARLIEST_S

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

PAYLOAD_MAX = 1960  # bytes; with the longest topic, the packet has at most PACKET_MAX bytes
CERTIFICATE_MAX = 1880  # characters of base64; a certificate with an RSA key of 4,096 bits has up to 1,860
MANIFEST_MAX = 8192  # bytes (firmware/update/manifest.py)
ID_MAX = 64  # characters
AHEAD_MAX_S = 7 * 86400  # a later expiry is a mistake, or the command is not meant to expire
REMEMBERED = 32  # IDs that are stored

Command = namedtuple("Command", "id do arguments exp")


class Refused(Exception):
    """The command is not carried out. `id`: of the command, None if it is not valid; `why`: the reason in the result."""

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


# do -> (whether `exp` is required, {argument: check}). Other arguments are ignored.
TABLE: "dict[str, tuple[bool, dict[str, Callable[[object], bool]]]]" = {
    "limit": (True, {"amps": _whole(0, 80)}),  # the most that is offered; below 6 A it is a pause, as in the standard
    "pause": (True, {}),
    "resume": (False, {}),  # withdraws limit and pause
    # The current that the site can spare, from its load manager; valid until `exp`. Each command causes some flash writes, so
    # one every 10 minutes is enough.
    "load_manager": (True, {"amps": _whole(0, 80)}),
    "override": (False, {"on": _flag}),  # the owner's "charge now" for this session; off: the schedule applies again
    "clear_override": (False, {}),  # the older name of `override` off
    "schedule": (False, {"hours": _text}),  # the owner's hours, in the format of the setting `schedule`
    "delay": (False, {"s": _whole(0, 1800)}),  # longest random delay; SI 2021/1467, regulation 11
    "skip_delay": (False, {}),  # ends the running random delay, which the owner may do; regulation 11
    # The results of an installer at the unit: commissioning.py.
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
    "rescan": (True, {}),  # scan for networks, which closes the connection for a minute
    "time": (False, {"t": _whole(EARLIEST_S, 1 << 40)}),  # the time, for a unit whose network does not provide it
    "config": (False, {"set": _settings}),
    "authority": (False, {"der": _certificate}),  # the next certificate authority, base64; the current one stays
    # v: the release to install ("": none); h, m: its manifest (first digits of its SHA-256, bytes); r: without pauses.
    "update": (False, {"v": _text, "h": _hash, "m": _whole(0, MANIFEST_MAX), "r": _flag}),
    "authority_only": (False, {"sha256": _text}),  # trust only this authority, if it verified this connection
}
# The settings that `config` may change: none that could disconnect the unit from its cloud or override the installer's limits.
CONFIGURABLE = ("heartbeat_idle_s", "heartbeat_charging_s")


def read(payload: bytes, time_s: "int | None", done: "list[str]") -> Command:
    """Return the Command in `payload`. `time_s`: the current time or None; `done`: IDs carried out before. Raises Refused."""
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
    """Return the arguments of the command `do`. Raises CommandRefused if one is missing or invalid."""
    for name, check in TABLE[do][1].items():
        if not check(said.get(name)):
            raise CommandRefused("bad " + name)
    return {name: said[name] for name in TABLE[do][1]}


def remember(done: "list[str]", command_id: str) -> "list[str]":
    """Return the IDs to store, with `command_id` added."""
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
