"""On SQLite the tables of what comes in by time are in chunks (store/chunks.py), so that old rows go as fast as they came.

What is there is moved afterwards, in short transactions and before anybody reads it (store/chunk_moves.py): a database of
10,000 units has a hundred million rows. PostgreSQL has partitions, and stays as it is.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

TABLES: dict[str, tuple[tuple[str, ...], list[sa.Column[Any]]]] = {  # keys after the unit, and all columns but the time
    "signal": (
        ("received_ms",),
        [sa.Column("csq", sa.Integer(), nullable=False), sa.Column("operator", sa.String(16), nullable=False)],
    ),
    "power": (
        ("received_ms",),
        [
            sa.Column("plugged", sa.Boolean(), nullable=False),
            sa.Column("watts", sa.BigInteger(), nullable=False),
            sa.Column("total_wh", sa.BigInteger()),
        ],
    ),
    "signal_5min": (
        ("from_ms", "operator"),
        [
            sa.Column("operator", sa.String(16), nullable=False),
            sa.Column("lowest", sa.Integer(), nullable=False),
            sa.Column("highest", sa.Integer(), nullable=False),
            sa.Column("total", sa.BigInteger(), nullable=False),
            sa.Column("samples", sa.Integer(), nullable=False),
        ],
    ),
    "signal_hourly": (
        ("from_ms", "operator"),
        [
            sa.Column("operator", sa.String(16), nullable=False),
            sa.Column("until_ms", sa.BigInteger(), nullable=False),
            sa.Column("lowest", sa.Integer(), nullable=False),
            sa.Column("highest", sa.Integer(), nullable=False),
            sa.Column("total", sa.BigInteger(), nullable=False),
            sa.Column("samples", sa.Integer(), nullable=False),
            sa.Column("lasting_ms", sa.Integer(), nullable=False),
        ],
    ),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        return
    for name, (keys, columns) in TABLES.items():
        op.rename_table(name, f"{name}_before")
        op.create_table(
            name,
            sa.Column("chunk", sa.BigInteger(), nullable=False),
            sa.Column("unit_id", sa.String(36), nullable=False),
            sa.Column(keys[0], sa.BigInteger(), nullable=False),
            *columns,
            sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=f"fk_{name}_unit_id", ondelete="CASCADE"),
            sa.PrimaryKeyConstraint("chunk", "unit_id", *keys, name=f"pk_{name}"),
            sqlite_with_rowid=False,
        )
