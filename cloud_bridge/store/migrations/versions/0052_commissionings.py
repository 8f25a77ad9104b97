"""What installers have found where they commissioned units."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    op.create_table(
        "commissionings",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("amps", sa.Integer(), nullable=False),
        sa.Column("earth", sa.String(length=10), nullable=False),
        sa.Column("rcd_ms", sa.Integer(), nullable=False),
        sa.Column("csq", sa.Integer(), nullable=False),
        sa.Column("boost", sa.String(length=10), nullable=False),
        sa.Column("installer", sa.String(length=40), nullable=False),
        sa.Column("via", sa.String(length=10), nullable=False),
        sa.Column("firmware", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_commissionings_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", name="pk_commissionings"),
    )
