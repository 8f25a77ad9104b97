"""Does either database get exactly the given values, whatever they contain?"""

from cloud_bridge.store.database import Database
from cloud_bridge.store.tables import heartbeats, power
from cloud_bridge.store.units import add_unit
from cloud_bridge.store.upsert import execute_many, insert_into
from tests.cloud_bridge.recording import rows

TEXTS = [
    *("", " ", "NULL", "null", "{}", "{a,b}", "a,b", '"', '""', "\\", '\\"', "\\\\", "'", "''", "%s", "%(payload)s"),
    *("a\nb", "a\tb", "\r\n", "\x01\x7f", "\u00a0", "é", "充電", "🔌", '{"d":{"x":"\\u0041\\n"},"k":"a b"}'),
]


def test_texts_come_out_as_they_went_in(database: Database) -> None:
    said = [{"unit_id": f"text-{at}", "received_ms": at, "payload": text} for at, text in enumerate(TEXTS)]
    with database.writing() as connection:
        for row in said:
            add_unit(connection, str(row["unit_id"]), 0)
        execute_many(connection, insert_into(connection.dialect.name, heartbeats), said)
    stored = {row.received_ms: row.payload for row in rows(database, heartbeats)}
    assert [stored[at] for at in range(len(TEXTS))] == TEXTS


def test_numbers_flags_and_what_is_unknown_come_out_as_they_went_in(database: Database) -> None:
    values = [(True, 0, None), (False, -1, 0), (True, 2**31 - 1, 2**53 - 1)]
    said = [
        {"unit_id": "cp-1", "received_ms": at, "plugged": plugged, "watts": watts, "total_wh": total_wh}
        for at, (plugged, watts, total_wh) in enumerate(values)
    ]
    with database.writing() as connection:
        execute_many(connection, insert_into(connection.dialect.name, power), said)
    stored = {row.received_ms: (row.plugged, row.watts, row.total_wh) for row in rows(database, power)}
    assert [stored[at] for at in range(len(values))] == values
