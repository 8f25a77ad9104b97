"""Power and meter as they came in with the heartbeats, for two days: the session that goes on, while it does."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "power",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("plugged", sa.Boolean(), nullable=False),
        sa.Column("watts", sa.BigInteger(), nullable=False),
        sa.Column("total_wh", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_power_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", "received_ms", name="pk_power"),
    )
    op.create_index("ix_power_received_ms", "power", ["received_ms"])
