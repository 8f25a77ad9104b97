"""Assigns units to rings at random, a few units at a time. Pure.

The units of a roll-out come in the order of their ids, and each draws from the remaining places (selection sampling: Knuth,
The Art of Computer Programming 2, 3.4.2, algorithm S). Every ring therefore gets exactly its number of units, all units have
the same chance, and a million units are never sorted. Places in the first rings go to units with recent contact, as far as
there are enough, because these can answer.
"""

import json
from random import Random
from typing import NamedTuple

from cloud_bridge.releases.roll_out_states import RINGS, ring_ends

LAST_RING = len(RINGS) - 1


class Share(NamedTuple):
    """The units with recent contact, or the others."""

    units: int  # that have not drawn yet
    places: tuple[int, ...]  # remaining places in the rings between the first and the last


class Lot(NamedTuple):
    """The state of the drawing."""

    after: str  # all units up to this id have drawn
    first: str  # the unit of the first ring, which does not draw
    heard: Share
    away: Share


def lot_of(first: str, first_is_heard: bool, heard: int, away: int) -> Lot:
    """Return the initial state for so many units, including the first one."""
    ends = ring_ends(heard + away)
    wanted = [ends[ring] - ends[ring - 1] for ring in range(1, LAST_RING)]
    left = heard - first_is_heard
    places: list[int] = []
    for number in wanted:
        places.append(min(number, left - sum(places)))
    others = tuple(number - taken for number, taken in zip(wanted, places, strict=True))
    return Lot("", first, Share(left, tuple(places)), Share(away - (not first_is_heard), others))


def draw(share: Share, dice: Random) -> tuple[int, Share]:
    """Return the ring of the next unit, and the remaining places. A unit that was not counted gets the last ring."""
    if share.units <= 0:
        return LAST_RING, share
    place = dice.randrange(share.units)
    for index, number in enumerate(share.places):
        if place < number:
            left = (*share.places[:index], number - 1, *share.places[index + 1 :])
            return index + 1, Share(share.units - 1, left)
        place -= number
    return LAST_RING, share._replace(units=share.units - 1)


def write_lot(lot: Lot) -> str:
    """Serialise the state for the store."""
    return json.dumps(lot, separators=(",", ":"))


def read_lot(text: str) -> Lot:
    """Parse what `write_lot` has written."""
    after, first, heard, away = json.loads(text)
    return Lot(after, first, *(Share(units, tuple(places)) for units, places in (heard, away)))
