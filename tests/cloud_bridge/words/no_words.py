"""Words on pages that are the same in every language."""

import re

_SAME = (
    r"Chargekeeper|Tesla|Smartcar|VW|Volkswagen|Swagger UI",
    r"Discord|Slack|Telegram|Pushover|ntfy|Gotify|Octopus|Intelligent|Go|Agile|E\.ON Next Drive|EDF|British Gas",
    r"Vodafone|EE|Three|O2|Android|iPhone",
    r"[kM]?Wh?|kW|A|V|s|h|dBm|ms|B|[kM]B",  # units
    r"CSQ|PLMN|OCPP|VIN|PIN|URL|API|JSON|CSV|PDF|UTC|GMT|BST|IEC|HTTPS?|[A-F][12]|v",
    r"class|wide|fields own|Europe/London|7K4M-2QXP-9BCD",  # styles in templates; a time zone; an example
)
NO_WORDS = re.compile(rf"[^A-Za-z]*(?:(?:{'|'.join(_SAME)})(?:[^A-Za-z]+|$))*")
