"""Signal by the hour, since five-minute averages cost 19.5 MB a unit in 400 days; and on PostgreSQL what comes in with
every heartbeat in partitions by time, to be dropped when they are old (store/partitions.py).

The hours of what is there already are made by upkeep, an hour at a time, and the five minutes go when they are. A table
that has rows becomes the first partition of the new one, as it is; it is read once, to prove that they belong there.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0033"

HOUR_MS = 60 * 60 * 1000
PARTITIONED = (
    ("signal", "received_ms", HOUR_MS),
    ("power", "received_ms", 3 * HOUR_MS),
    ("signal_5min", "from_ms", 24 * HOUR_MS),
)


def upgrade() -> None:
    op.create_table(
        "signal_hourly",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("operator", sa.String(length=16), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("lowest", sa.Integer(), nullable=False),
        sa.Column("highest", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("lasting_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_signal_hourly_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", "from_ms", "operator", name="pk_signal_hourly"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_signal_hourly_from_ms", "signal_hourly", ["from_ms"])
    op.create_table(
        "rolled_up",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rolled_up"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for name, age, width_ms in PARTITIONED:
            _partition(name, age, width_ms)


def _partition(name: str, age: str, width_ms: int) -> None:
    """Names come from PARTITIONED."""
    before, keys = f"{name}_before", "unit_id, from_ms, operator" if name == "signal_5min" else "unit_id, received_ms"
    op.execute(f"ALTER TABLE {name} RENAME TO {before}")
    op.execute(f"ALTER TABLE {before} RENAME CONSTRAINT pk_{name} TO pk_{before}")
    op.execute(f"ALTER INDEX ix_{name}_{age} RENAME TO ix_{before}_{age}")
    op.execute(f"CREATE TABLE {name} (LIKE {before}) PARTITION BY RANGE ({age})")
    op.execute(f"ALTER TABLE {name} ADD CONSTRAINT pk_{name} PRIMARY KEY ({keys})")
    op.execute(f"CREATE INDEX ix_{name}_{age} ON {name} ({age})")
    op.execute(
        f"ALTER TABLE {name} ADD CONSTRAINT fk_{name}_unit_id FOREIGN KEY (unit_id) REFERENCES units (id) ON DELETE CASCADE"
    )
    op.execute(f"CREATE TABLE {name}_default PARTITION OF {name} DEFAULT")
    connection = op.get_bind()
    if connection.execute(sa.text(f"SELECT 1 FROM {before} LIMIT 1")).first() is None:
        op.execute(f"DROP TABLE {before}")
        return
    now_ms = connection.execute(sa.text("SELECT (extract(epoch FROM now()) * 1000)::bigint")).scalar_one()
    end_ms = now_ms - now_ms % width_ms + 2 * width_ms
    op.execute(f"INSERT INTO {name} SELECT * FROM {before} WHERE {age} >= {end_ms}")  # of a clock that was ahead
    op.execute(f"DELETE FROM {before} WHERE {age} >= {end_ms}")
    op.execute(f"ALTER TABLE {name} ATTACH PARTITION {before} FOR VALUES FROM (MINVALUE) TO ({end_ms})")
