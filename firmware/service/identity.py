"""Console commands for the unit's identity: `identity`, `provision`, `commission`, `factoryreset`, `authority`.

A secret that the unit generates for `identity` is never output. A secret that it generates for another command is output once,
in the answer.
"""

import binascii
import hashlib
import json
import os

from firmware.errors import CommandRefused
from firmware.lazy_import import LazyImport
from firmware.storage import authority_change

if False:  # for mypy alone
    from typing import Any

    from firmware.charge_point import ChargePoint

SECRET_BYTES = 32
HEX_DIGITS = b"0123456789abcdef"


def answer_identity(unit: "ChargePoint", argument: str) -> "list[str]":
    """`identity ID` sets the ID of a unit without one, and generates a secret that never leaves the unit. The same ID again
    changes nothing.

    The answer has the SHA-256 of the secret, by which a cloud can authenticate the unit. It is omitted for a secret that a
    person chose, which could be guessed from it.
    """
    settings = unit.settings
    if argument and not (argument == settings["id"] and settings["secret"]):
        if settings["id"] not in ("", argument):
            raise CommandRefused("this unit is %s" % settings["id"])
        unit.installer_lock.check(("id",))
        wanted = {"id": argument}
        if not settings["secret"]:
            wanted["secret"] = _new_secret()
        settings.change(wanted)
        unit.note("settings", {"names": " ".join(sorted(wanted))})
        unit.apply_settings()
    return ["id %s" % (settings["id"] or "-"), "secret_sha256 %s" % (_fingerprint(settings["secret"]) or "-")]


def answer_provision(unit: "ChargePoint", argument: str) -> "list[str]":
    """Store settings given as one JSON object. They are not echoed, as a secret may be among them. A unit without a secret
    generates one if none is given; the answer then has the command that adds the unit to the cloud.
    """
    wanted = _object(argument)
    unit.installer_lock.check(wanted)
    if "installer_max_a" in wanted:
        raise CommandRefused("commission sets the rating of the circuit")
    said = []
    if "secret" not in wanted and not unit.settings["secret"]:
        wanted["secret"] = _new_secret()
        said = _to_tell_the_cloud("add", wanted.get("id", unit.settings["id"]), wanted["secret"])
    unit.settings.change(wanted)
    unit.note("settings", {"names": " ".join(sorted(wanted))})
    unit.apply_settings()
    return said


def answer_commission(unit: "ChargePoint", argument: str) -> "list[str]":
    """Record the installer's results, given as one JSON object. Answer with the record, or that there is none."""
    with LazyImport():
        from firmware import commissioning
        from firmware.link import commands

        if argument:
            steps = _object(argument)
            unit.installer_lock.check(("commission",))
            commissioning.commission(unit, commands.checked("commission", steps), "console")
        record = commissioning.load(unit.flash())
        if record:
            return ["%s %s" % (name, record[name]) for name in sorted(record)]
        return [commissioning.status(unit)]


def answer_factoryreset(unit: "ChargePoint", argument: str) -> "list[str]":
    """Generate a new secret and erase the owner's data: wishes, sessions, unsent messages. The identity, the broker, the
    installer's settings, the meter reading and the security log stay. Then restart.
    """
    if unit.exchange.report.session:
        raise CommandRefused("unplug first")
    unit.installer_lock.check(("installer_code",))
    if not argument or argument != unit.settings["id"]:
        raise CommandRefused("cannot be undone: type factoryreset and the ID")
    secret = _new_secret()
    unit.note("security", {"what": "factory reset"})
    unit.settings.reset(secret)
    with LazyImport():
        from firmware.storage import forgetting

        forgetting.forget_owner(unit.flash())
    unit.after_answer = unit.restart
    return _to_tell_the_cloud("secret", argument, secret)


def answer_authority(unit: "ChargePoint", argument: str) -> "list[str]":
    """Show or set the authority that must certify the broker. It takes effect with the next connection."""
    step, _, text = argument.partition(" ")
    authority = unit.authority
    if step:
        unit.installer_lock.check(("authority",))
    if step == "begin":
        authority.entered = b""
    elif step == "add":
        authority_change.enter(authority, text)
    elif step == "keep":
        authority_change.keep(authority)
        unit.note("security", {"what": "authority changed"})
        authority_change.tell(authority, unit.note)
        unit.link.reconnect()
    elif step:
        raise CommandRefused("authority begin, authority add BASE64 as often as needed, then authority keep")
    return ["authority %s" % ("set" if authority.certificates() else "-")]


def _fingerprint(secret: str) -> str:
    """Return the SHA-256, in hexadecimal digits, of a secret in the form that units generate; "" for any other secret."""
    text = secret.encode()
    if len(text) != 2 * SECRET_BYTES or text.strip(HEX_DIGITS):
        return ""
    return binascii.hexlify(hashlib.sha256(text).digest()).decode()


def _object(argument: str) -> "dict[str, Any]":
    try:
        wanted = json.loads(argument)
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict) or not wanted:
        raise CommandRefused("give one JSON object")
    return wanted


def _new_secret() -> str:
    return binascii.hexlify(os.urandom(SECRET_BYTES)).decode()


def _to_tell_the_cloud(command: str, unit_id: str, secret: str) -> "list[str]":
    return ["secret %s" % secret, "cloud python -m cloud_bridge unit %s %s --secret -" % (command, unit_id)]
