"""Which units are connected, and where, and which send too much: for the pages of every process."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0033"


def upgrade() -> None:
    op.create_table(
        "presence",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("connected", sa.Boolean(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_presence_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", name="pk_presence"),
    )
    op.create_table(
        "over_quota",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_over_quota_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", name="pk_over_quota"),
    )
