"""Troubles of a charge point that charges, in words for people: what they mean and what to do.

Their names are those of the heartbeat's key `h` (tests/samples/schema.toml). Records that were given up, the key `d`, count as
one more.
"""

from typing import NamedTuple

from cloud_bridge.wire import Heartbeat

RECORDS_DROPPED = "records_dropped"


class Trouble(NamedTuple):
    """One trouble."""

    name: str
    title: str
    meaning: str
    remedy: str


KNOWN = {
    trouble.name: trouble
    for trouble in (
        Trouble(
            "flash",
            "Its memory does not store everything",
            "The memory of the charger is full or worn out. Settings, hours and charging records may be lost when its "
            "supply is switched off.",
            "Ask your installer or us for help: the charger may have to be replaced.",
        ),
        Trouble(
            "plain_mqtt",
            "Its connection is not encrypted",
            "What the charger sends and the commands it receives can be read and changed on the way.",
            "Ask your installer to switch the setting plain_mqtt off.",
        ),
        Trouble(
            RECORDS_DROPPED,
            "Some of its records are lost",
            "The charger had no room for all of its records, as after months without a connection. Its history has gaps.",
            "If the number grows while the charger is connected, ask us for help.",
        ),
    )
}

# Not reported by the charge point: what we see of it.
OVER_QUOTA = Trouble(
    "over_quota",
    "It sends too many messages",
    "The charger has sent more messages than one can need, so we take in one in a second and end its connection again and "
    "again. Its records reach us late.",
    "Ask us for help: its software may be broken, or somebody may have its secret.",
)


def names_of(heartbeat: Heartbeat) -> list[str]:
    """The names of the troubles that a heartbeat reports; empty while there are none."""
    return (heartbeat.troubles or []) + ([RECORDS_DROPPED] if heartbeat.records_dropped else [])


def described(name: str) -> Trouble:
    """The words for a trouble; a newer firmware may know one that we do not."""
    return KNOWN.get(name) or Trouble(name, name, "The charger reports it, and charges.", "Ask us for help.")


def troubles_of(heartbeat: Heartbeat) -> list[Trouble]:
    """The troubles that a heartbeat reports, with the number of lost records in the title."""
    found = [described(name) for name in names_of(heartbeat)]
    return [
        trouble._replace(title=f"{trouble.title} ({heartbeat.records_dropped:,})")
        if trouble.name == RECORDS_DROPPED
        else trouble
        for trouble in found
    ]
