"""Chargers of other makers, which speak OCPP."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.add_column("units", sa.Column("protocol", sa.String(length=10), nullable=False, server_default="mqtt"))
    op.create_table(
        "ocpp_lines",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("alive_ms", sa.BigInteger(), nullable=True),
        sa.Column("refused_ms", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.String(length=200), nullable=True),
        sa.Column("contested_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_ocpp_lines_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", name="pk_ocpp_lines"),
    )
