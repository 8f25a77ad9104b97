"""Steps of the bridge's clock, the time that has verifiably passed, and how far each table has been cleared.

Verified time begins at the last sign of listening: that is how late it was, at least, when the process before wrote it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "clock_steps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clock_steps"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "verified_time",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_verified_time"),
    )
    op.create_table(
        "retention",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("strays_since_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_retention"),
    )
    op.execute(
        "INSERT INTO verified_time (id, at_ms, wall_ms, since_ms) "
        "SELECT 1, max(until_ms), max(until_ms), max(until_ms) FROM listening HAVING max(until_ms) IS NOT NULL"
    )
