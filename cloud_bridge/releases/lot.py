"""Which unit is in which ring, by lot, a few units at a time. Pure.

The units of a roll-out come by their ids, and each draws from what is left to be drawn (selection sampling: Knuth, The Art of
Computer Programming 2, 3.4.2, algorithm S). So every ring has exactly its number of units, all have the same chance, and a
million of them are never sorted. Places in the first rings are for units that were heard lately, as far as there are any:
they can answer.
"""

import json
from random import Random
from typing import NamedTuple

from cloud_bridge.releases.roll_out_states import RINGS, ring_ends

LAST_RING = len(RINGS) - 1


class Share(NamedTuple):
    """Of the units that were heard lately, or of the others."""

    units: int  # that have not drawn yet
    places: tuple[int, ...]  # that are left in the rings after the first and before the last


class Lot(NamedTuple):
    """What is left to be drawn."""

    after: str  # the id up to which all have drawn
    first: str  # the unit of the first ring, which draws no more
    heard: Share
    away: Share


def lot_of(first: str, first_is_heard: bool, heard: int, away: int) -> Lot:
    """Of so many units, the first one among them."""
    ends = ring_ends(heard + away)
    wanted = [ends[ring] - ends[ring - 1] for ring in range(1, LAST_RING)]
    left = heard - first_is_heard
    places: list[int] = []
    for number in wanted:
        places.append(min(number, left - sum(places)))
    others = tuple(number - taken for number, taken in zip(wanted, places, strict=True))
    return Lot("", first, Share(left, tuple(places)), Share(away - (not first_is_heard), others))


def draw(share: Share, dice: Random) -> tuple[int, Share]:
    """The ring of the next unit, and what is left then. A unit that nobody has counted is in the last ring."""
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
    """For the store."""
    return json.dumps(lot, separators=(",", ":"))


def read_lot(text: str) -> Lot:
    """What `write_lot` has written."""
    after, first, heard, away = json.loads(text)
    return Lot(after, first, *(Share(units, tuple(places)) for units, places in (heard, away)))
