"""The faults of a charge point in words for people. Their names and rules are the firmware's (firmware/charging/README.md)."""

WORDS = {
    "rcd_ac": "Earth leakage (AC)",
    "rcd_dc": "Earth leakage (DC)",
    "rcd_selftest": "The earth leakage protection failed its own test",
    "contactor_welded": "The contactor does not open",
    "contactor_stuck_open": "The contactor does not close",
    "guard": "The safety circuit opened the contactor by itself",
    "supply": "The mains voltage is out of range",
    "meter": "The energy meter does not answer",
    "pilot": "The vehicle cable's pilot wire is faulty",
    "diode": "The vehicle does not answer as it should",
    "proximity": "The vehicle cable is not recognised",
    "over_current": "The vehicle takes more current than it was offered",
    "over_temperature": "The charger is too hot",
    "temperature_sensor": "The temperature sensor does not answer",
}

# Unplugging does not end these; somebody has to press the button.
WAIT_FOR_A_PERSON = frozenset({"rcd_ac", "rcd_dc", "rcd_selftest", "contactor_welded", "contactor_stuck_open"})


def in_words(name: str) -> str:
    """As it came, where a newer firmware knows a fault that we do not."""
    return WORDS.get(name, name)
