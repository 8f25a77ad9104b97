"""Troubles: defects that do not stop a charge point from charging, with their meaning and what to do.

Their names are those in the heartbeat's key `h` (tests/samples/schema.toml). Two more come from other keys: dropped
records (`d`) and failed parts of the firmware (`p`). A second charge point with the same identity is also a trouble;
the bridge detects it, and no heartbeat reports it.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from cloud_bridge.durations import DAY_MS
from cloud_bridge.ocpp_words import trouble_words
from cloud_bridge.text import unknown
from cloud_bridge.wire import Heartbeat
from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _

RECORDS_DROPPED, PARTS_FAILED = "records_dropped", "parts_failed"
COUNTED = (RECORDS_DROPPED, PARTS_FAILED)  # fields of a heartbeat that are numbers


class Trouble(NamedTuple):
    """A trouble: its name on the wire, and the texts for people."""

    name: str
    title: str
    meaning: str
    remedy: str

    def said(self) -> "Trouble":
        """Return the trouble with its texts in the reader's language."""
        return self._replace(title=_(self.title), meaning=_(self.meaning), remedy=_(self.remedy))


KNOWN = {
    trouble.name: trouble
    for trouble in (
        Trouble(
            "flash",
            N_("Its memory does not store everything"),
            N_(
                "The memory of the charger is full or worn out. Settings, hours and charging records may be lost when its "
                "supply is switched off."
            ),
            N_("Ask us for help: the charger may have to be replaced."),
        ),
        Trouble(
            "plain_mqtt",
            N_("Its connection is not encrypted"),
            N_("What the charger sends and the commands it receives can be read and changed on the way."),
            N_("An installer has to switch the setting plain_mqtt off: ask us for help."),
        ),
        Trouble(
            "uncommissioned",
            N_("It is not commissioned yet"),
            N_(
                "Until an installer has commissioned the charger it charges with 6 A at most, which is slow. Its light shows "
                "two short violet blinks every 5 seconds."
            ),
            N_(
                "The installer who fitted it finishes that in a few minutes, beside the charger: on the page of their job, or "
                "with the installer's tool. Ask us for help if nobody comes."
            ),
        ),
        Trouble(
            "contactor_worn",
            N_("Its contactor is near the end of its life"),
            N_(
                "The contactor, which switches the current, has closed 80,000 times. Contactors of its kind are made for "
                "100,000. After that they may stay closed or open, and the charger stops with a fault."
            ),
            N_(
                "An installer has to fit a new contactor within months, and then to set contactor_fitted_at to the number of "
                "closings that the command status shows: ask us for help."
            ),
        ),
        Trouble(
            RECORDS_DROPPED,
            N_("Some of its records are lost"),
            N_(
                "The charger had no room for all of its records, as after months without a connection. Its history has gaps."
            ),
            N_("If the number grows while the charger is connected, ask us for help."),
        ),
        Trouble(
            PARTS_FAILED,
            N_("Parts of its software have failed"),
            N_(
                "The charger works without them. Settings, records or messages may be missing until it is started again."
            ),
            N_("Switch its supply off for 30 seconds and on again. If that does not help, ask us for help."),
        ),
    )
}

# Detected by the bridge, not reported by the charge point.
OVER_QUOTA = Trouble(
    "over_quota",
    N_("It sends too many messages"),
    N_(
        "The charger has sent more messages than one can need, so we take in one in a second and end its connection again and "
        "again. Its records reach us late."
    ),
    N_("Ask us for help: its software may be broken, or somebody may have its secret."),
)


UNREADABLE = Trouble(
    "unreadable",
    N_("Its last message cannot be shown"),
    N_("What is stored of the charger's state is not valid, so it is missing here. Its next message replaces it."),
    N_("If this stays while the charger is connected, ask us for help: its software may be broken."),
)


def duplicate_identity(unit_id: str, boot: int, other_boot: int, for_installer: bool) -> Trouble:
    """Return the trouble that a second charge point logs in as this one. `boot` and `other_boot` are the boot counts of
    the two; they may be equal."""
    if not for_installer:
        remedy = _(
            "Do not rely on what you see here, and ask us for help: somebody has to find the second charger. Both go on "
            "charging. This notice ends a day after only one of them is left."
        )
    elif boot != other_boot:
        remedy = _(
            "Their boot counts are {boot} and {other_boot}; the command status on a charger's console shows its own. Take the "
            "one that does not belong to this site off the network, or give it an id of its own. Then have the operator give "
            "the one that stays a new secret ({command}), and enter it on its console. This notice ends with the new secret."
        )
    else:
        remedy = _(
            "Their boot counts are {boot}, both of them: one is a copy of the other; the command status on a charger's "
            "console shows its own. Take the one that does not belong to this site off the network, or give it an id of its "
            "own. Then have the operator give the one that stays a new secret ({command}), and enter it on its console. This "
            "notice ends with the new secret."
        )
    command = f"python -m cloud_bridge unit secret {unit_id}"
    return Trouble(
        "duplicate_identity",
        _("A second charger uses its identity"),
        _(
            "Two chargers take turns to report as this one, as after its settings were copied or its board was replaced. "
            "State, readings, history and costs mix both, and a limit or a pause may reach either."
        ),
        remedy.format(boot=formats.count(boot), other_boot=formats.count(other_boot), command=command),
    )


# The same for an OCPP charger, which has no boot count.
CONTESTED = Trouble(
    "ocpp_contested",
    N_("A second charger may use its identity"),
    N_(
        "Its connection was taken over by another one again and again within minutes. Two chargers may have the same id and "
        "key; then state, readings, history and costs mix both."
    ),
    N_("Ask us for help: somebody has to find the second charger and give it an id of its own, or this one a new key."),
)

SOONEST_DAYS = 365  # notice before an authority expires: changing it may take a visit to each unit
SOON_DAYS, NOW_DAYS = 90, 30


def authority_ends(expires_ms: int, now_ms: int, trusts_next: bool) -> Trouble | None:
    """Return the trouble that the charger's certificate authority expires within SOONEST_DAYS, or None if it does not.
    It is for installer, support and operator. `trusts_next` is True if the charger already trusts the ordered authority
    too."""
    if expires_ms - now_ms >= SOONEST_DAYS * DAY_MS:
        return None
    remedy = (
        _(
            "It trusts the next authority already. The operator lets the broker show a certificate of that one before this "
            "date (python -m cloud_bridge tls units)."
        )
        if trusts_next
        else _(
            "The operator orders the next authority (python -m cloud_bridge tls next, then tls order). A charger that is "
            "offline until this date has to be given it on its console, with the command authority."
        )
    )
    return Trouble("authority_ends", _ends(ITS_AUTHORITY, expires_ms, now_ms), _(AFTER_THE_END), remedy)


AFTER_THE_END = N_(
    "From then on the charger does not trust our broker, and does not connect. It goes on charging by itself."
)


class Ends(NamedTuple):
    """The texts about the expiry of an authority, by how near it is."""

    ended: str
    now: str
    soon: str
    far: str


ITS_AUTHORITY = Ends(
    N_("Its certificate authority ended on {day}"),
    N_("Its certificate authority ends in {days} days, on {day}: act now"),
    N_("Its certificate authority ends in {days} days, on {day}"),
    N_("Its certificate authority ends on {day}"),
)
THE_AUTHORITY = Ends(
    N_("certificate authority ended on {day}"),
    N_("certificate authority ends in {days} days, on {day}: act now"),
    N_("certificate authority ends in {days} days, on {day}"),
    N_("certificate authority ends on {day}"),
)


def when_it_ends(expires_ms: int, now_ms: int) -> str:
    """Return the text about the authority's expiry. It has the days left from 90 days before, and is urgent from 30
    days before."""
    return _ends(THE_AUTHORITY, expires_ms, now_ms)


def _ends(said: Ends, expires_ms: int, now_ms: int) -> str:
    days, day = (expires_ms - now_ms) // DAY_MS, f"{datetime.fromtimestamp(expires_ms / 1000, UTC):%d %b %Y}"
    found = said.ended if days < 0 else said.now if days < NOW_DAYS else said.soon if days < SOON_DAYS else said.far
    return _(found).format(days=days, day=day)


def names_of(heartbeat: Heartbeat) -> list[str]:
    """Return the names of the troubles that a heartbeat reports; [] if there are none."""
    return (heartbeat.troubles or []) + [name for name in COUNTED if heartbeat.get(name)]


def described(name: str) -> Trouble:
    """Return the trouble with its texts in the reader's language. A trouble of a newer firmware, unknown here, gets
    general texts."""
    known = KNOWN.get(name)
    if known is not None:
        return known.said()
    if (words := trouble_words(name)) is not None:
        return Trouble(name, _(words.title), _("The charger reports it, and goes on."), _(words.advice))
    title = unknown(_("A trouble that we do not know ({name})"), name)
    return Trouble(name, title, _("The charger reports it, and charges."), _("Ask us for help."))


def troubles_of(heartbeat: Heartbeat) -> list[Trouble]:
    """Return the troubles that a heartbeat reports. The title contains the number of lost records or failed parts."""
    found = [described(name) for name in names_of(heartbeat)]
    return [
        trouble._replace(title=f"{trouble.title} ({formats.count(heartbeat.get(trouble.name))})")
        if trouble.name in COUNTED
        else trouble
        for trouble in found
    ]
