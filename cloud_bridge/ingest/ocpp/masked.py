"""A frame as it may be kept: without what names a person or a vehicle. Pure.

Tokens stand in fields of their own, in the text of a maker's DataTransfer, and in frames that are cut and so no JSON. They are
looked for in the text, behind the names of their fields, and masked before anything is stored.
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
_NAMED = re.compile(_NAME + ")", re.IGNORECASE)  # most frames name none: one look is enough
# In a text within a text every quote has a backslash before it. What ends the value is the kind of quote that begins it.
_TEXT = re.compile(_NAME + r'(\\*"))(?:(?!(?<!\\)\2).)*', re.IGNORECASE | re.DOTALL)
# Of a setting that is a secret the name stands in one field, and the value in another, before it or after it.
_SECRET_SETTING = re.compile(
    r'"(?:key|name)\\*"\s*:\s*\\*"[^"\\]{0,50}(?:passw|passphrase|secret|authorizationkey|basicauth|psk|cardpin)',
    re.IGNORECASE,
)
_VALUE = re.compile(r'("(?:value|attributeValue)\\*"\s*:\s*(\\*"))(?:(?!(?<!\\)\2).)*', re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(_NAME + r")[-\d][^,}\]\s]*", re.IGNORECASE)


def masked(frame: str) -> str:
    """Its first MAX_KEPT characters that can be shown."""
    text = frame
    if _NAMED.search(text):
        text = _NUMBER.sub(rf"\1{MASK}", _TEXT.sub(rf"\1{MASK}", text))
    if _SECRET_SETTING.search(text):
        text = _VALUE.sub(rf"\1{MASK}", text)
    shown = text[: MAX_KEPT + 1]
    if not shown.isprintable():
        shown = "".join(one if one.isprintable() else "\ufffd" for one in shown)
    return shown if len(shown) <= MAX_KEPT else f"{shown[: MAX_KEPT - 1]}…"
