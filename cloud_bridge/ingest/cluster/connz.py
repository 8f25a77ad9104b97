"""Parse a node's list of connections (CONNZ, docs.nats.io, "System events"). Pure."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NodeConnection(NamedTuple):
    """An MQTT connection. Times are by the node's clock."""

    server_id: str  # of the node; a new one after each start
    node: str
    number: int
    client_id: str
    started_ms: int
    age_ms: int


class Page(NamedTuple):
    """A page of the connections of one node, ordered by number."""

    server_id: str
    node: str
    at_ms: int  # by the node's clock
    rows: int  # including connections other than MQTT
    connections: list[NodeConnection]


def read_page(answer: bytes) -> Page | None:
    """Parse an answer. Return None if it cannot be read."""
    try:
        said = json.loads(answer)
        server, told = said["server"], said["data"]
        server_id, node, at_ms = str(server["id"]), str(server["name"]), time_ms(told["now"])
        rows = told.get("connections") or []
        found = [
            NodeConnection(
                server_id, node, int(row["cid"]), row["mqtt_client"], start := time_ms(row["start"]), at_ms - start
            )
            for row in rows
            if row.get("mqtt_client")
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Page(server_id, node, at_ms, len(rows), found)


def time_ms(text: Any) -> int:
    """Parse an RFC 3339 time as Go writes it, into ms since 1970. Raises ValueError or TypeError."""
    return (datetime.fromisoformat(text).astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
