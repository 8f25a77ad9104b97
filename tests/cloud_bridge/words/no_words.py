"""What stands in pages and is the same in every language."""

import re

_SAME = (
    r"Chargekeeper",
    r"k?Wh|kW|A|V|s|h|%|dBm|ms|B|kB|MB",  # units
    r"CSQ|PLMN|OCPP|VIN|PIN|URL|API|JSON|CSV|PDF|UTC|GMT|BST|QR|LED|N/A|IEC 61851-1|HTTPS?",
    r"nav|main|navigation",
)
_SEPARATOR = r"[\s\d.,;:–·/()+%…\"'„“?!<>=&|×→#*-]*"
NO_WORDS = re.compile(rf"{_SEPARATOR}(?:(?:{'|'.join(_SAME)}){_SEPARATOR})*")
