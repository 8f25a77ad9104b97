"""Mask the values in a frame that identify a person or a vehicle, and secrets, before the frame is stored. Pure.

Tokens occur in fields of their own, in the text of a maker's DataTransfer, and in truncated frames, which are not valid
JSON. So they are matched in the text, after the names of their fields.
"""

import re

MAX_KEPT = 1000  # characters of a frame
MASK = "***"
_FIELDS = (
    *("idTag", "parentIdTag"),  # of 1.6
    *("idToken", "additionalIdToken", "groupIdToken", "exiRequest", "customerIdentifier"),  # of 2.0.1
    *("emaid", "evccid", "vehicleId", "vin", "mac"),  # of makers' own
    *("password", "authorizationKey"),
)
_NAME = r'("(?:' + "|".join(_FIELDS) + r')\\*"\s*:\s*'
_NAMED = re.compile(_NAME + ")", re.IGNORECASE)  # a quick check, since most frames have none of these fields
# In JSON within a JSON string every quote is escaped. A value ends with the same kind of quote that it begins with.
_TEXT = re.compile(_NAME + r'(\\*"))(?:(?!(?<!\\)\2).)*', re.IGNORECASE | re.DOTALL)
# A secret setting has its name in one field and its value in another, before or after it.
_SECRET_SETTING = re.compile(
    r'"(?:key|name)\\*"\s*:\s*\\*"[^"\\]{0,50}(?:passw|passphrase|secret|authorizationkey|basicauth|psk|cardpin)',
    re.IGNORECASE,
)
_VALUE = re.compile(r'("(?:value|attributeValue)\\*"\s*:\s*(\\*"))(?:(?!(?<!\\)\2).)*', re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(_NAME + r")[-\d][^,}\]\s]*", re.IGNORECASE)


def masked(frame: str) -> str:
    """Return the masked frame, cut to MAX_KEPT characters. Unprintable characters are replaced."""
    text = frame
    if _NAMED.search(text):
        text = _NUMBER.sub(rf"\1{MASK}", _TEXT.sub(rf"\1{MASK}", text))
    if _SECRET_SETTING.search(text):
        text = _VALUE.sub(rf"\1{MASK}", text)
    shown = text[: MAX_KEPT + 1]
    if not shown.isprintable():
        shown = "".join(one if one.isprintable() else "\ufffd" for one in shown)
    return shown if len(shown) <= MAX_KEPT else f"{shown[: MAX_KEPT - 1]}…"
