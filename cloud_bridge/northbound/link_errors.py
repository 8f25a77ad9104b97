"""The reasons why a unit is not shown to its back-end, as texts for people; `{detail}` is what the back-end said.
Pure."""

from typing import NamedTuple

from cloud_bridge.words import N_

MAX_DETAIL = 60  # characters

KEY = N_("it does not accept the key")
HTTP = N_("it answers with HTTP {detail}")
NO_ANSWER_AT_ALL = N_("nothing answers at its address")
CERTIFICATE = N_("its certificate is not trusted")
NO_OCPP = N_("it does not speak OCPP 1.6")
NO_ANSWER = N_("it does not answer {detail}")
CLOSED = N_("it closed the connection (code {detail})")
BOOT = N_("it answers our BootNotification with {detail}")
TAG = N_("it answers the tag of a transaction with {detail}")
TOO_OFTEN = N_("it asks too often")


class Refusal(NamedTuple):
    """One of these reasons."""

    reason: str
    detail: str = ""
