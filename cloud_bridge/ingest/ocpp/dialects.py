"""The versions of OCPP that are spoken here. Pure."""

from collections.abc import Iterable

from cloud_bridge.ingest.ocpp import v16, v201
from cloud_bridge.ingest.ocpp.dialect import Dialect

DIALECTS = {dialect.subprotocol: dialect for dialect in (v201.DIALECT, v16.DIALECT)}


def chosen(offered: Iterable[str]) -> tuple[str, Dialect] | None:
    """The first that a charger offers and we speak, as it has written it, in whatever letters; None if there is none. Its
    order is its own wish (RFC 6455, section 4.1)."""
    return next(((one, DIALECTS[one.lower()]) for one in offered if one.lower() in DIALECTS), None)
