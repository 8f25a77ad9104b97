"""The proximity resistor in the plug of a loose cable says how much current the cable can carry."""

# Lowest and highest ohms, amperes. IEC 61851-1 annex B; the band edges are remembered, not read from its text (unverified).
# On a shared edge the first line, the smaller rating, wins. 100 Ohm means 63 A on three phases and 70 A on one: the
# smaller is right for both.
BANDS_OHM = (
    (1000, 2700, 13),
    (330, 1000, 20),
    (150, 330, 32),
    (75, 150, 63),
)


def rating_a(ohms):
    """The cable's rating in A; None for a short, an open circuit (None) or ohms in no band. None must never charge."""
    if ohms is None:
        return None
    for lowest, highest, amps in BANDS_OHM:
        if lowest <= ohms <= highest:
            return amps
    return None
