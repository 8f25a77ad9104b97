"""Units whose identity a second charge point has too: cloud_bridge/duplicate_identity.py."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "duplicate_identities",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("other_boot", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_duplicate_identities_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_duplicate_identities"),
        sa.UniqueConstraint("unit_id", name="uq_duplicate_identities_unit_id"),
        sqlite_autoincrement=True,
    )
