"""The supported versions of OCPP. Pure."""

from collections.abc import Iterable

from cloud_bridge.ingest.ocpp import v16, v201
from cloud_bridge.ingest.ocpp.dialect import Dialect

DIALECTS = {dialect.subprotocol: dialect for dialect in (v201.DIALECT, v16.DIALECT)}


def chosen(offered: Iterable[str]) -> tuple[str, Dialect] | None:
    """Return the first supported subprotocol that a charger offers, spelt as it sent it, and its dialect; None if there
    is none. The case is ignored. The client lists subprotocols in the order of preference (RFC 6455, section 4.1)."""
    return next(((one, DIALECTS[one.lower()]) for one in offered if one.lower() in DIALECTS), None)
