"""Certificate authorities for the units' link, and those that each unit says it trusts: store/authorities.py."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "authorities",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("der", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("ordered_ms", sa.BigInteger(), nullable=True),
        sa.Column("alone", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("sha256", name="pk_authorities"),
    )
    op.add_column("units", sa.Column("authorities", sa.String(129), nullable=True))
