"""The current rating of a detachable cable, coded by the proximity resistor in its plug (IEC 61851-1, annex B)."""

# Lowest and highest resistance, rating in A. IEC 61851-1 annex B; the limits are from memory (unverified). At a common limit
# the first row, with the smaller rating, applies. 100 Ohm is 63 A with three phases and 70 A with one: the smaller is used
# for both.
BANDS_OHM = (
    (1000, 2700, 13),
    (330, 1000, 20),
    (150, 330, 32),
    (75, 150, 63),
)


def rating_a(ohms: int | None) -> int | None:
    """Return the rating, A; None for a short or open circuit (`ohms` None) or another resistance, which must not charge."""
    if ohms is None:
        return None
    for lowest, highest, amps in BANDS_OHM:
        if lowest <= ohms <= highest:
            return amps
    return None
